package core

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "replay this seed of the simulation alone")
	seedsFlag = flag.Int("seeds", 2000, "how many seeds to simulate")
)

// TestSimulation runs random clients against the reference server over a network that loses what is on its way. A
// failing seed is printed; -run TestSimulation -seed N replays it.
func TestSimulation(t *testing.T) {
	if *seedFlag != 0 {
		simulate(t, *seedFlag, true)
		return
	}
	seeds := *seedsFlag
	if testing.Short() {
		seeds = min(seeds, 200)
	}
	for seed := range uint64(seeds) {
		simulate(t, seed+1, false)
	}
}

func simulate(t *testing.T, seed uint64, trace bool) {
	t.Helper()
	sim := newSimulation(t, seed, trace)
	defer func() {
		if v := recover(); v != nil {
			t.Fatalf("seed %d: %v\n%s", seed, v, debug.Stack())
		}
	}()
	sim.run()
}

// simulation is one run: clients, a server and the frames between them, in virtual time.
type simulation struct {
	t       *testing.T
	random  *rand.Rand
	trace   bool
	now     Time
	server  *reference
	clients []*simClient
	zombies []*simLine // lines whose client has gone while frames were still on their way
}

// simLine is a connection with the frames on their way.
type simLine struct {
	conn         *refConn
	toServer     [][]byte
	toClient     [][]byte
	open         bool // the client was told Connected
	serverClosed bool
}

type simClient struct {
	*simulation
	name    string
	core    *Core
	line    *simLine // nil: none
	offline bool
	states  map[string]*simState
	tickets map[Ticket]*simTicket
	gone    []*simState
}

// simState checks everything that is reported of a state.
type simState struct {
	*State
	shadow document.Value // the view as built from the updates
	to     uint64
	before document.Value // the view before the newest change
	closed bool
	epochs map[string]*refState
}

type simTicket struct {
	state   *simState
	verdict *Verdict
	session *refSession // of the server, when the change was sent
	ref     *refState
	number  uint64
	element string         // the id of the element that the change marks
	seen    document.Value // what a transaction saw
	reads   []string       // of that
}

func newSimulation(t *testing.T, seed uint64, trace bool) *simulation {
	random := rand.New(rand.NewPCG(seed, 77))
	sim := &simulation{t: t, random: random, trace: trace, now: 1, server: newReference(random)}
	for _, identifier := range []string{"a", "b"} {
		sim.server.create(identifier, sim.freshValue())
	}
	for i := range 2 + random.IntN(4) {
		c := &simClient{simulation: sim, name: fmt.Sprint("c", i), states: map[string]*simState{}, tickets: map[Ticket]*simTicket{}}
		var err error
		c.core, err = New(Config{
			Session: fmt.Sprintf("session-%d-%d-0123456", seed, i), ClientIdentifier: c.name, Random: random.Uint64,
			MaxPending: 60, OnVersion: c.onVersion,
		})
		if err != nil {
			t.Fatal(err)
		}
		sim.clients = append(sim.clients, c)
		c.core.Start(sim.now)
		c.effects()
	}
	return sim
}

func (sim *simulation) freshValue() document.Value {
	list := []any{}
	for range sim.random.IntN(4) {
		list = append(list, sim.element())
	}
	return document.MustOf(map[string]any{"list": list, "count": 0, "doc": map[string]any{"items": list[:len(list)/2]}})
}

func (sim *simulation) element() map[string]any {
	return map[string]any{"id": fmt.Sprint("e", sim.random.Uint32())}
}

// elements returns the elements of an array, and none of anything else.
func elements(v document.Value) (list []any) {
	for _, element := range v.Elements() {
		list = append(list, element)
	}
	return list
}

func (sim *simulation) logf(format string, args ...any) {
	if sim.trace {
		sim.t.Logf(format, args...)
	}
}

func (sim *simulation) run() {
	steps := 100 + sim.random.IntN(300)
	for range steps {
		sim.step()
	}
	sim.quiet()
}

// step lets one random thing happen.
func (sim *simulation) step() {
	sim.now += Time(sim.random.IntN(30))
	c := sim.clients[sim.random.IntN(len(sim.clients))]
	switch n := sim.random.IntN(100); {
	case n < 25:
		c.submit()
	case n < 40:
		c.pull()
	case n < 60:
		c.deliverToServer()
	case n < 80:
		c.deliverToClient()
	case n < 86:
		sim.judge()
	case n < 89:
		c.cut()
	case n < 91:
		c.joinOrLeave()
	case n < 92:
		sim.disturb(c)
	case n < 94:
		sim.deliverZombie()
	default:
		c.wake()
	}
}

func (sim *simulation) judge() {
	for _, identifier := range []string{"a", "b"} {
		if s := sim.server.states[identifier]; s != nil && len(s.inbox) > 0 && sim.random.IntN(3) > 0 {
			sim.server.judge(s)
		}
	}
}

// disturb does what happens seldom: the server changes a state, evicts history, replaces or removes a state, or forgets
// the session of a client that is not connected.
func (sim *simulation) disturb(c *simClient) {
	identifier := []string{"a", "b"}[sim.random.IntN(2)]
	s := sim.server.states[identifier]
	switch sim.random.IntN(6) {
	case 0, 1:
		s.change(document.Merge(s.value(), document.MustOf(map[string]any{"server": sim.random.IntN(10)})))
	case 2, 3:
		s.first = s.head() + 1
	case 4:
		if sim.random.IntN(4) == 0 {
			sim.logf("replace %s", identifier)
			s.removed = true
			sim.server.create(identifier, sim.freshValue())
		}
	case 5:
		if c.line == nil {
			sim.logf("forget the session of %s", c.name)
			delete(sim.server.sessions, c.core.config.Session)
			sim.zombies = nil
		}
	}
}

// deliverZombie lets the server read a frame of a connection that its client has given up.
func (sim *simulation) deliverZombie() {
	if len(sim.zombies) == 0 {
		return
	}
	line := sim.zombies[0]
	if len(line.toServer) == 0 {
		sim.zombies = sim.zombies[1:]
		return
	}
	line.conn.dead = true
	line.conn.receive(line.toServer[0])
	line.toServer = line.toServer[1:]
}

// quiet ends all disturbance and lets everything settle.
func (sim *simulation) quiet() {
	sim.server.calm, sim.zombies = true, nil
	for _, c := range sim.clients {
		c.offline = false
		c.core.Online(sim.now)
		c.effects()
	}
	for i := range 400 {
		sim.now += 100
		busy := false
		for _, c := range sim.clients {
			c.wake()
			c.pull()
			if c.line != nil && c.line.conn.session != nil && i%100 == 99 {
				c.line.conn.out = append(c.line.conn.out, protocol.Ping{})
			}
			busy = c.deliverToServer() || busy
			busy = c.deliverToClient() || busy
			busy = busy || c.core.phase() != Connected || c.core.pending > 0
		}
		for _, s := range sim.server.states {
			for len(s.inbox) > 0 {
				sim.server.judge(s)
				busy = true
			}
		}
		if !busy {
			sim.compare()
			return
		}
	}
	for _, c := range sim.clients {
		sim.logf("%s: %+v", c.name, c.core.Status())
	}
	panic("it does not come to rest")
}

// compare holds every client to the server's values and every ticket to its one verdict.
func (sim *simulation) compare() {
	for _, c := range sim.clients {
		for _, identifier := range slices.Sorted(maps.Keys(c.states)) {
			s := c.states[identifier]
			if s.closed {
				continue
			}
			ref := sim.server.states[identifier]
			if got, want := s.View().String(), ref.value().String(); got != want {
				panic(fmt.Sprintf("%s has %s\nwant %s", c.name, got, want))
			}
			if s.Version() != ref.head() || s.Epoch() != ref.epoch {
				panic(fmt.Sprintf("%s is at %d of %s, want %d of %s", c.name, s.Version(), s.Epoch(), ref.head(), ref.epoch))
			}
		}
		for _, ticket := range slices.Sorted(maps.Keys(c.tickets)) {
			told := c.tickets[ticket]
			if told.verdict == nil {
				panic(fmt.Sprintf("%s: change %d has no verdict", c.name, ticket))
			}
			told.check()
		}
	}
}

// submit makes a random change.
func (c *simClient) submit() {
	identifier := []string{"a", "b"}[c.random.IntN(2)]
	s := c.states[identifier]
	if s == nil || s.closed {
		return
	}
	change, element := c.randomChange(s)
	s.before = s.View()
	ticket, err := s.Submit(c.now, change)
	if err == nil {
		k := &simTicket{state: s, element: element}
		if t, ok := change.(Transaction); ok {
			k.seen, k.reads = s.before, t.Reads
			for name := range t.Updates.Members() {
				k.reads = append(slices.Clip(k.reads), name)
			}
			if t.Reads == nil {
				k.reads = allNames(s.before, document.EmptyObject)
			}
		}
		c.tickets[ticket] = k
		c.logf("%s: submit %d to %s: %+v", c.name, ticket, identifier, change)
	}
	c.effects()
}

func (c *simClient) joinOrLeave() {
	identifier := []string{"a", "b"}[c.random.IntN(2)]
	s := c.states[identifier]
	switch {
	case s == nil || s.closed:
		c.join(identifier)
	case c.random.IntN(4) == 0:
		c.logf("%s: leave %s", c.name, identifier)
		s.Leave()
		s.closed = true
	}
	c.effects()
}

func (c *simClient) join(identifier string) {
	c.logf("%s: join %s", c.name, identifier)
	s := &simState{State: c.core.Join(identifier), shadow: document.EmptyObject, epochs: map[string]*refState{}}
	c.states[identifier] = s
	c.gone = append(c.gone, s)
}

// pull takes a frame from the core onto the line.
func (c *simClient) pull() {
	if c.line == nil || !c.line.open {
		return
	}
	frame := c.core.Output(c.now, nil, 200+c.random.IntN(2000))
	c.noteNumbers()
	if len(frame) > 0 {
		c.logf("%s -> %s", c.name, frame)
		c.line.toServer = append(c.line.toServer, frame)
	}
	c.effects()
}

// noteNumbers remembers under which number of which session each change was sent.
func (c *simClient) noteNumbers() {
	session := c.server.sessions[c.core.config.Session]
	for _, s := range c.states {
		for i, p := range s.pending {
			k := c.tickets[p.ticket]
			if p.number != 0 && k.session == nil {
				if p.indexed && i > 0 {
					panic(fmt.Sprintf("change %d has an index and was sent behind another one", p.number))
				}
				k.session, k.number, k.ref = session, p.number, c.refOf(s)
			}
		}
	}
}

// refOf returns the incarnation that a state follows.
func (c *simClient) refOf(s *simState) *refState {
	if ref := c.server.states[s.identifier]; ref.epoch == s.epoch {
		s.epochs[s.epoch] = ref
	}
	if s.epochs[s.epoch] == nil {
		for _, sub := range c.line.conn.subs {
			if sub.state.epoch == s.epoch {
				return sub.state
			}
		}
		return &refState{records: map[*refSession]*refRecord{}}
	}
	return s.epochs[s.epoch]
}

func (c *simClient) deliverToServer() bool {
	if c.line == nil || len(c.line.toServer) == 0 || c.line.serverClosed {
		return false
	}
	c.line.conn.receive(c.line.toServer[0])
	c.line.toServer = c.line.toServer[1:]
	return true
}

func (c *simClient) deliverToClient() bool {
	if c.line == nil || !c.line.open {
		return false
	}
	if frame := c.line.conn.take(); frame != nil {
		c.line.toClient = append(c.line.toClient, frame)
	}
	if len(c.line.toClient) == 0 {
		return false
	}
	frame := c.line.toClient[0]
	c.line.toClient = c.line.toClient[1:]
	c.logf("%s <- %s", c.name, frame)
	c.core.Received(c.now, frame)
	c.effects()
	c.checkStates()
	return true
}

// cut breaks the connection. Some of what is on its way to the server still arrives, at once or later.
func (c *simClient) cut() {
	if c.line == nil {
		return
	}
	c.logf("%s: cut", c.name)
	line := c.line
	c.line = nil
	keep := c.random.IntN(len(line.toServer) + 1)
	line.toServer = line.toServer[:keep]
	for len(line.toServer) > 0 && c.random.IntN(3) > 0 {
		line.conn.receive(line.toServer[0])
		line.toServer = line.toServer[1:]
	}
	if line.conn.session != nil {
		c.zombies = append(c.zombies, line)
	}
	c.offline = c.random.IntN(4) == 0
	c.core.Lost(c.now, Loss{Code: 1006})
	c.effects()
}

func (c *simClient) wake() {
	c.offline = c.offline && c.random.IntN(3) > 0
	if wake := c.core.NextWake(); wake != 0 && wake <= c.now {
		c.core.Tick(c.now)
		c.effects()
	}
	if c.line != nil && !c.line.open && !c.offline {
		c.line.open = true
		c.core.Connected(c.now)
		c.effects()
	}
}

// effects carries out what the core asks for, and checks what it reports.
func (c *simClient) effects() {
	for _, effect := range c.core.Effects() {
		switch e := effect.(type) {
		case Dial:
			c.line = &simLine{conn: &refConn{server: c.server, subs: map[uint32]*refSub{}}}
		case Disconnect:
			c.line = nil
			if e.Code != protocol.CodeHeartbeatTimeout && e.Code != protocol.CodeHandshakeTimeout {
				panic(fmt.Sprintf("%s disconnects: %s", c.name, e.Reason))
			}
		case Settled:
			c.settled(e)
		case Changed:
			c.find(e.State).update(e.Update)
		case Closed:
			c.find(e.State).closed = true
		case Joined, StatusChanged, Problem:
		}
	}
}

func (c *simClient) settled(e Settled) {
	k := c.tickets[e.Ticket]
	c.logf("%s: verdict on %d: %+v", c.name, e.Ticket, e.Verdict)
	if k.verdict != nil {
		panic(fmt.Sprintf("change %d has a second verdict", e.Ticket))
	}
	k.verdict = &e.Verdict
}

func (c *simClient) find(s *State) *simState {
	i := slices.IndexFunc(c.gone, func(other *simState) bool { return other.State == s })
	return c.gone[i]
}
