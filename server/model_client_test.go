package server

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// modelClient is a client core with the network to the server.
type modelClient struct {
	*model
	name, session string
	core          *core.Core
	line          *modelLine // nil: not connected
	zombies       []*modelLine
	offline       bool
	slow          int // it takes a frame once in so many times
	states        map[string]*modelState
	all           map[*core.State]*modelState
	tickets       map[core.Ticket]*modelChange
	changes       []*modelChange
}

// modelLine is a connection with the frames that are on their way.
type modelLine struct {
	peer     *peer
	up, down [][]byte
}

// modelState checks all that a client is told of a state.
type modelState struct {
	*core.State
	shadow document.Value // the view as the updates make it
	to     uint64         // of the last update
	epoch  string
	last   uint64 // the last version stepped to
	closed bool
}

func (m *model) addClient(i int) {
	name := fmt.Sprint("c", i)
	c := &modelClient{
		model: m, name: name, session: sessionNamed(name), slow: 1, states: map[string]*modelState{},
		all: map[*core.State]*modelState{}, tickets: map[core.Ticket]*modelChange{},
	}
	if m.random.IntN(4) == 0 {
		c.slow = 12
	}
	var err error
	c.core, err = core.New(core.Config{
		Session: c.session, ClientIdentifier: name, Random: m.random.Uint64, MaxPending: 40, OnVersion: c.onVersion,
	})
	if err != nil {
		m.failf("new core: %v", err)
	}
	m.clients = append(m.clients, c)
	c.core.Start(m.now())
	c.join(modelStates[m.random.IntN(2)])
	c.effects()
}

// onVersion holds the versions of a state to be dense, but for jumps.
func (c *modelClient) onVersion(state *core.State, from, to uint64, jump bool) {
	s := c.all[state]
	switch {
	case jump:
		c.counts.jumps++
		if to < s.last && state.Epoch() == s.epoch {
			c.failf("%s: a jump back from %d to %d", c.name, s.last, to)
		}
	case state.Epoch() == s.epoch && from != s.last, to != from+1:
		c.failf("%s: version %d of %s came after %d of %s", c.name, to, state.Epoch(), s.last, s.epoch)
	}
	s.epoch = state.Epoch()
	s.last = to
}

// effects carries out what the core asks for.
func (c *modelClient) effects() {
	for _, effect := range c.core.Effects() {
		switch e := effect.(type) {
		case core.Dial:
			c.dial()
		case core.Disconnect:
			c.hangUp()
		case core.Settled:
			c.settled(e)
		case core.Changed:
			c.changed(e)
		case core.Joined:
			if e.Resumed {
				c.counts.resumed++
			} else {
				c.counts.restarted++
			}
		case core.Closed:
			c.closedState(e)
		case core.Problem:
			c.logf("%s: problem %v", c.name, e.Error)
			if e.Terminal {
				c.failf("%s: %v", c.name, e.Error)
			}
			if e.Error.Code == protocol.CodeBadMessage {
				c.failf("%s: %v", c.name, e.Error)
			}
		}
	}
}

// dial makes a connection, or not.
func (c *modelClient) dial() {
	if c.offline || c.oneIn(5) {
		c.core.Lost(c.now(), core.Loss{Reason: "the network is down"})
		c.effects()
		return
	}
	c.logf("%s: connected", c.name)
	line := &modelLine{}
	line.peer = c.server.connect(c.name, func() {})
	c.line = line
	c.core.Connected(c.now())
	c.effects()
}

// hangUp leaves the connection; the server hears of it now or later.
func (c *modelClient) hangUp() {
	if c.line == nil {
		return
	}
	line := c.line
	c.line = nil
	if line.down = nil; c.oneIn(2) {
		c.zombies = append(c.zombies, line)
		return
	}
	line.peer.disconnect()
}

// cut breaks the connection at a random byte of what is on its way in each direction: whole frames before it arrive,
// the rest is lost.
func (c *modelClient) cut() {
	if c.line == nil {
		return
	}
	line := c.line
	c.counts.cuts++
	c.logf("%s: cut", c.name)
	line.up, line.down = c.cutFrames(line.up), c.cutFrames(line.down)
	for len(line.down) > 0 && c.line == line {
		c.deliverDown()
	}
	if c.line != line {
		return
	}
	if c.oneIn(2) {
		for len(line.up) > 0 {
			c.deliverUp()
		}
	}
	c.hangUp()
	c.core.Lost(c.now(), core.Loss{Reason: "cut"})
	c.effects()
}

// cutFrames returns the frames that are whole before a random byte.
func (c *modelClient) cutFrames(frames [][]byte) [][]byte {
	total := 0
	for _, frame := range frames {
		total += len(frame)
	}
	at := c.random.IntN(total + 1)
	for i, frame := range frames {
		if at -= len(frame); at < 0 {
			return frames[:i]
		}
	}
	return frames
}

// zombie lets the server hear late of a connection that its client has left.
func (c *modelClient) zombie() {
	if len(c.zombies) == 0 {
		return
	}
	line := c.zombies[0]
	if len(line.up) > 0 {
		line.peer.receive(line.up[0])
		line.up = line.up[1:]
		return
	}
	line.peer.disconnect()
	c.zombies = c.zombies[1:]
}

func (c *modelClient) endZombies() {
	for len(c.zombies) > 0 {
		c.zombie()
	}
}

// pull takes a frame from the core onto the line.
func (c *modelClient) pull() bool {
	if c.line == nil {
		return false
	}
	frame := c.core.Output(c.now(), nil, 100+c.random.IntN(2000))
	if len(frame) > 0 {
		c.logf("%s -> %s", c.name, frame)
		c.line.up = append(c.line.up, frame)
	}
	c.effects()
	return len(frame) > 0
}

// deliverUp lets the server read a frame, and sometimes the changes in it twice.
func (c *modelClient) deliverUp() bool {
	if c.line == nil || len(c.line.up) == 0 {
		return false
	}
	line := c.line
	frame := line.up[0]
	line.up = line.up[1:]
	line.peer.receive(frame)
	if changes := onlyChanges(frame); len(changes) > 0 && c.oneIn(8) {
		c.counts.repeated++
		line.peer.receive(changes)
	}
	return true
}

// exchange lets a frame go each way, as on a network that works.
func (c *modelClient) exchange() {
	c.tick()
	c.pull()
	c.deliverUp()
	c.take()
	c.deliverDown()
}

// onlyChanges returns the lines of a frame that are changes.
func onlyChanges(frame []byte) []byte {
	var changes [][]byte
	for line := range bytes.SplitSeq(frame, []byte("\n")) {
		for _, tag := range []string{`["merge"`, `["patch"`, `["transaction"`} {
			if bytes.HasPrefix(line, []byte(tag)) {
				changes = append(changes, line)
			}
		}
	}
	return bytes.Join(changes, []byte("\n"))
}

// take lets the server write a frame. A slow client lets that happen seldom.
func (c *modelClient) take() bool {
	if c.line == nil || !c.calm && c.random.IntN(c.slow) > 0 {
		return false
	}
	frame := c.line.peer.take(nil, 100+c.random.IntN(3000))
	if len(frame) > 0 {
		c.line.down = append(c.line.down, frame)
	}
	return len(frame) > 0
}

// deliverDown lets the core read a frame.
func (c *modelClient) deliverDown() bool {
	if c.line == nil || len(c.line.down) == 0 {
		return false
	}
	frame := c.line.down[0]
	c.line.down = c.line.down[1:]
	c.logf("%s <- %s", c.name, frame)
	c.core.Received(c.now(), frame)
	c.effects()
	c.checkConfirmed()
	return true
}

// checkConfirmed holds the confirmed values to those that the server had at the same versions.
func (c *modelClient) checkConfirmed() {
	for _, s := range c.states {
		a := c.audits[s.Epoch()]
		if a == nil {
			continue
		}
		if want := a.values[s.Version()]; !s.Confirmed().Equal(want) {
			c.failf("%s has at version %d of %s\n%s, want\n%s", c.name, s.Version(), s.Epoch(), s.Confirmed(), want)
		}
	}
}

func (c *modelClient) tick() {
	c.core.Tick(c.now())
	c.effects()
}

// settle makes one round of everything after the end of disturbances, and reports whether there was anything to do.
func (c *modelClient) settle() bool {
	busy := c.line == nil
	c.tick()
	for _, identifier := range modelStates {
		if c.states[identifier] == nil {
			c.join(identifier)
			c.effects()
			busy = true
		}
	}
	for c.pull() || c.deliverUp() || c.take() || c.deliverDown() {
		busy = true
	}
	if c.line != nil {
		if _, said := c.line.peer.farewell(); said {
			c.hangUp()
			c.core.Lost(c.now(), core.Loss{Reason: "the server said bye"})
			c.effects()
			busy = true
		}
	}
	return busy || c.core.Status().Pending > 0
}

func (c *modelClient) close() {
	c.core.Close(c.now())
	for _, effect := range c.core.Effects() {
		if _, settled := effect.(core.Settled); settled {
			c.failf("%s: a second verdict at the end", c.name)
		}
	}
	c.hangUp()
	c.endZombies()
}

func (c *modelClient) joinOrLeave() {
	identifier := modelStates[c.random.IntN(len(modelStates))]
	switch s := c.states[identifier]; {
	case s == nil:
		c.join(identifier)
	case c.random.IntN(6) == 0:
		c.logf("%s: leave %s", c.name, identifier)
		s.closed = true
		delete(c.states, identifier)
		s.Leave()
	}
	c.effects()
}

func (c *modelClient) join(identifier string) {
	c.logf("%s: join %s", c.name, identifier)
	s := &modelState{State: c.core.Join(identifier), shadow: document.EmptyObject}
	c.states[identifier], c.all[s.State] = s, s
}

func (c *modelClient) closedState(e core.Closed) {
	s := c.all[e.State]
	c.logf("%s: %s closed: %v", c.name, s.Identifier(), e.Code)
	if s.closed || e.Code != protocol.CodeStateRemoved && !strings.Contains(e.Code.String(), "state") {
		c.failf("%s: closed %s: %v %s", c.name, s.Identifier(), e.Code, e.Reason)
	}
	s.closed = true
	if c.states[s.Identifier()] == s {
		delete(c.states, s.Identifier())
	}
}

// changed rebuilds the view from what listeners are told.
func (c *modelClient) changed(e core.Changed) {
	s, u := c.all[e.State], e.Update
	if u.From != s.to || u.To < u.From && u.Origin != core.CatchUp {
		c.failf("%s: an update from %d to %d came after one to %d", c.name, u.From, u.To, s.to)
	}
	for name, previous := range u.Previous().Members() {
		if !s.shadow.Get(name).Equal(previous) {
			c.failf("%s: %s was %s, and the update says %s", c.name, name, s.shadow.Get(name), previous)
		}
	}
	if u.Ops != nil {
		next, _, err := document.Apply(s.shadow, u.Ops, document.NoLimits)
		if err != nil || !next.Equal(u.View) {
			c.failf("%s: the operations of an update make %s of %s, want %s: %v", c.name, next, s.shadow, u.View, err)
		}
	}
	for name, value := range u.Updates().Members() {
		if s.shadow.Get(name).Equal(value) {
			c.failf("%s: an update tells of %s, which did not change", c.name, name)
		}
		s.shadow = s.shadow.With(name, value)
	}
	for _, name := range u.Removed() {
		s.shadow = s.shadow.Without(name)
	}
	if s.to = u.To; !s.shadow.Equal(u.View) {
		c.failf("%s: updates make %s, and the view is %s", c.name, s.shadow, u.View)
	}
}

func (c *modelClient) settled(e core.Settled) {
	k := c.tickets[e.Ticket]
	if k.verdict != nil {
		c.failf("%s: change %s got a second verdict: %+v after %+v", c.name, k.tag, e.Verdict, *k.verdict)
	}
	c.logf("%s: change %s: %+v", c.name, k.tag, e.Verdict)
	k.verdict = &e.Verdict
}
