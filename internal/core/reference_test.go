package core

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// reference is a server as the protocol describes it, kept as small as possible: one thread, everything remembered.
// What a real server evicts, it only pretends to have lost.
type reference struct {
	incarnations int
	random       *rand.Rand
	states       map[string]*refState
	sessions     map[string]*refSession
	epochs       int
	calm         bool // judge at once, refuse and rewrite nothing, lose nothing
	window       uint32
}

type refSession struct{ name, epoch string }

// refState is one incarnation of a state.
type refState struct {
	identifier, epoch string
	values            []document.Value // by version
	log               []refEntry       // by version; log[0] is unused
	first             uint64           // the first version whose entry is not evicted
	records           map[*refSession]*refRecord
	inbox             []refChange
	removed           bool
}

type refEntry struct {
	ops     []document.Op
	session *refSession
	number  uint64
	asIs    bool   // as the sender's own change, carried
	indexed bool   // the change had an index
	base    uint64 // of the change
}

// refRecord is what a state knows of a session.
type refRecord struct {
	received uint64
	answers  []refAnswer // by number - 1
	late     bool        // frames of a connection came after that of a newer one, so that changes come twice
	jumped   uint64      // the version of the last jump of a subscriber of the session
}

type refAnswer struct {
	protocol.Verdict
	after     uint64 // the version at which a change was refused
	different bool   // refused, or made into another
}

type refChange struct {
	session *refSession
	record  *refRecord
	number  uint64
	base    uint64
	message protocol.ClientMessage
}

// refConn is a connection. Frames are delivered by the simulation.
type refConn struct {
	server  *reference
	session *refSession
	subs    map[uint32]*refSub
	order   []uint32
	out     []protocol.ServerMessage // what is due before the states' streams
	dead    bool
}

type refSub struct {
	state    *refState
	record   *refRecord
	cursor   uint64
	answered uint64
}

func newReference(random *rand.Rand) *reference {
	return &reference{
		random: random, states: map[string]*refState{}, sessions: map[string]*refSession{},
		window: uint32(1 + random.IntN(40)),
	}
}

func (r *reference) create(identifier string, value document.Value) *refState {
	r.epochs++
	s := &refState{
		identifier: identifier, epoch: fmt.Sprintf("epoch%d", r.epochs),
		values: []document.Value{value}, log: make([]refEntry, 1), first: 1, records: map[*refSession]*refRecord{},
	}
	for range r.random.IntN(3) { // versions need not begin at 0
		s.append(refEntry{ops: nil}, value)
	}
	r.states[identifier] = s
	return s
}

func (r *reference) chance(percent int) bool { return !r.calm && r.random.IntN(100) < percent }

func (s *refState) head() uint64          { return uint64(len(s.values) - 1) }
func (s *refState) value() document.Value { return s.values[len(s.values)-1] }

func (s *refState) append(e refEntry, value document.Value) {
	s.log = append(s.log, e)
	s.values = append(s.values, value)
}

func (s *refState) record(session *refSession) *refRecord {
	r := s.records[session]
	if r == nil {
		r = &refRecord{}
		s.records[session] = r
	}
	return r
}

// change makes a change by the server itself.
func (s *refState) change(ops []document.Op) {
	next, entry, err := document.Apply(s.value(), ops, document.NoLimits)
	if err == nil {
		s.append(refEntry{ops: entry}, next)
	}
}

// receive reads a frame from the client. It panics on what a client must not send.
func (c *refConn) receive(frame []byte) {
	err := protocol.DecodeClient(frame, protocol.Limits{}, func(m protocol.ClientMessage) error {
		c.message(m)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("bad frame from the client: %v: %s", err, frame))
	}
}

func (c *refConn) message(m protocol.ClientMessage) {
	switch m := m.(type) {
	case protocol.Hello:
		c.hello(m)
	case protocol.Join:
		c.join(m)
	case protocol.Leave:
		if c.subs[m.N] != nil {
			c.unsubscribe(m.N)
		}
	case protocol.Merge:
		c.change(m.Change, m)
	case protocol.Patch:
		c.change(m.Change, m)
	case protocol.Transaction:
		c.change(m.Change, m)
	case protocol.Pong:
	}
}

func (c *refConn) hello(m protocol.Hello) {
	r := c.server
	session := r.sessions[m.Session]
	if session == nil {
		r.incarnations++
		session = &refSession{name: m.Session, epoch: fmt.Sprint("s", r.incarnations)}
		r.sessions[m.Session] = session
	}
	c.session = session
	c.out = append(c.out, protocol.Welcome{
		Epoch: session.epoch, Heartbeat: 15000, Window: r.window, WindowBytes: 2000, MaxMessage: 4000,
	})
}

func (c *refConn) unsubscribe(n uint32) {
	delete(c.subs, n)
	c.order = slices.DeleteFunc(c.order, func(other uint32) bool { return other == n })
}

func (c *refConn) join(m protocol.Join) {
	if c.subs[m.N] != nil {
		panic("number in use")
	}
	s := c.server.states[m.Identifier]
	if s == nil {
		c.out = append(c.out, protocol.Closed{N: m.N, Code: protocol.CodeStateNotFound, Reason: "no such state"})
		return
	}
	sub := &refSub{state: s, record: s.record(c.session), cursor: s.head(), answered: 0}
	c.checkResume(m, sub)
	joined := protocol.Joined{N: m.N, Epoch: s.epoch, Version: s.head(), Mark: sub.record.received}
	if c.server.chance(2) {
		joined.Durability = "synced"
	}
	switch {
	case m.Epoch == s.epoch && m.Version+1 >= s.first && !c.server.chance(10):
		sub.cursor, sub.answered = m.Version, min(m.Answered, sub.record.received) // it may speak of a forgotten session
		joined.Version = m.Version
	default:
		if m.Epoch == s.epoch {
			sub.answered = min(m.Answered, sub.record.received)
		}
		joined.Value = s.value()
		joined.Verdicts = sub.settled(sub.cursor)
		sub.record.jumped = sub.cursor
	}
	c.out = append(c.out, joined)
	c.subs[m.N] = sub
	c.order = append(c.order, m.N)
}

// checkResume panics on what no correct client says.
func (c *refConn) checkResume(m protocol.Join, sub *refSub) {
	for _, other := range c.subs {
		if other.state == sub.state {
			panic("the state is joined already")
		}
	}
	answers := sub.record.answers
	switch {
	case m.Epoch != sub.state.epoch:
	case m.Version > sub.state.head():
		panic("the client is ahead")
	case sub.record.received == 0:
	case m.Answered > uint64(len(answers)):
		panic(fmt.Sprintf("the client has the answer to %d, and %d are judged", m.Answered, len(answers)))
	case m.Answered > 0 && answers[m.Answered-1].Version > m.Version:
		panic(fmt.Sprintf("the client has the answer to %d and not its version", m.Answered))
	case m.Answered < uint64(len(answers)) && answers[m.Answered].Version != 0 && answers[m.Answered].Version <= m.Version:
		panic(fmt.Sprintf("the client has version %d and not the answer to %d", m.Version, m.Answered+1))
	}
}

// settled returns the verdicts that a jump to the version has behind it.
func (s *refSub) settled(to uint64) (verdicts []protocol.Verdict) {
	for _, a := range s.record.answers[min(s.answered, uint64(len(s.record.answers))):] {
		if a.Version > to || a.Version == 0 && a.after > to {
			break
		}
		verdicts = append(verdicts, a.Verdict)
		s.answered = a.Number
	}
	return verdicts
}

// change receives a change once.
func (c *refConn) change(head protocol.Change, m protocol.ClientMessage) {
	sub := c.subs[head.N]
	if sub == nil || sub.state.removed {
		return
	}
	if head.Fault != nil {
		panic(head.Fault)
	}
	record := sub.record
	record.late = record.late || c.dead
	if head.Number <= record.received && record.late {
		return
	}
	if head.Number != record.received+1 {
		panic(fmt.Sprintf("change %d came after %d", head.Number, record.received))
	}
	if head.Base > sub.cursor && !c.dead {
		panic("a base that was not sent")
	}
	if head.Number-sub.answered > uint64(c.server.window) {
		panic("window exceeded")
	}
	if p, ok := m.(protocol.Patch); ok && document.HasIndex(p.Ops) && head.Number != sub.answered+1 && !c.dead {
		panic(fmt.Sprintf("change %d has an index while %d was the last one answered", head.Number, sub.answered))
	}
	if t, ok := m.(protocol.Transaction); ok && t.Answered > sub.answered {
		panic(fmt.Sprintf("transaction %d has seen the answer to %d, and %d were answered", head.Number, t.Answered, sub.answered))
	}
	record.received = head.Number
	sub.state.inbox = append(sub.state.inbox, refChange{c.session, record, head.Number, head.Base, m})
}

// judge decides on the change that was received first.
func (r *reference) judge(s *refState) {
	c := s.inbox[0]
	s.inbox = s.inbox[1:]
	answer := refAnswer{Verdict: protocol.Verdict{Number: c.number}, after: s.head(), different: true}
	entry, next, err := r.evaluate(s, c)
	switch {
	case err != nil:
		answer.Code, answer.Reason = codeOf(err)
	case r.chance(8):
		answer.Code, answer.Reason = protocol.CodeRefused, "the rule says no"
	default:
		entry.session, entry.number, entry.base, entry.asIs = c.session, c.number, c.base, true
		if r.chance(8) {
			entry.ops, next = r.rewrite(s, entry.ops)
			entry.asIs = false
		}
		s.append(entry, next)
		answer.Version, answer.different = s.head(), !entry.asIs
	}
	c.record.answers = append(c.record.answers, answer)
}

func (r *reference) evaluate(s *refState, c refChange) (e refEntry, next document.Value, err error) {
	var ops []document.Op
	switch m := c.message.(type) {
	case protocol.Merge:
		ops = document.Merge(s.value(), m.Updates)
	case protocol.Transaction:
		if s.stale(c, m) {
			return e, next, errStale
		}
		ops = document.Merge(s.value(), m.Updates)
	case protocol.Patch:
		if ops = m.Ops; document.HasIndex(ops) {
			e.indexed = true
			if c.base+1 < s.first {
				return e, next, errBaseTooOld
			}
			for _, past := range s.log[c.base+1:] {
				if ops, _, err = document.Carry(ops, past.ops); err != nil {
					return e, next, err
				}
			}
		}
	}
	next, e.ops, err = document.Apply(s.value(), ops, document.NoLimits)
	return e, next, err
}

func (s *refState) stale(c refChange, m protocol.Transaction) bool {
	for _, answer := range c.record.answers[min(m.Answered, uint64(len(c.record.answers))):] {
		if answer.different {
			return true
		}
	}
	for _, past := range s.log[c.base+1:] {
		if past.session == c.session {
			continue
		}
		names, all := document.Properties(past.ops)
		if all || m.ReadAll && len(names) > 0 {
			return true
		}
		for _, name := range names {
			if slices.Contains(m.Reads, name) || m.Updates.Get(name).Exists() {
				return true
			}
		}
	}
	return false
}

// rewrite makes something else of an entry.
func (r *reference) rewrite(s *refState, ops []document.Op) ([]document.Op, document.Value) {
	switch r.random.IntN(3) {
	case 0:
		ops = nil
	case 1:
		ops = append(slices.Clip(ops), document.Op{
			Kind: document.Add, Path: document.Path{document.Key("judge")}, Value: document.MustOf(r.random.IntN(100)),
		})
	case 2:
		ops = document.Merge(s.value(), document.MustOf(map[string]any{"list": []any{}}))
	}
	next, entry, err := document.Apply(s.value(), ops, document.NoLimits)
	if err != nil {
		return []document.Op{}, s.value()
	}
	return append([]document.Op{}, entry...), next
}

// take returns the next frame for the client, or nil.
func (c *refConn) take() []byte {
	var messages []protocol.ServerMessage
	messages, c.out = c.out, nil
	for _, n := range slices.Clone(c.order) {
		messages = append(messages, c.subs[n].drain(c, n)...)
		if c.subs[n].state.removed {
			messages = append(messages, protocol.Closed{N: n, Code: protocol.CodeStateRemoved, Reason: "removed"})
			c.unsubscribe(n)
		}
	}
	var frame []byte
	for i, m := range messages {
		if i > 0 {
			frame = append(frame, '\n')
		}
		frame = protocol.Append(frame, m)
	}
	return frame
}

// drain returns the state's stream from the cursor to the head, or a part of it.
func (s *refSub) drain(c *refConn, n uint32) (messages []protocol.ServerMessage) {
	for {
		if s.cursor < s.state.head() && (s.cursor+1 < s.state.first || c.server.chance(3)) {
			messages = append(messages, s.jump(c, n))
			continue
		}
		if a, ok := s.refusal(); ok {
			messages = append(messages, protocol.Refused{N: n, Number: a.Number, Code: a.Code, Reason: a.Reason})
			s.answered = a.Number
			continue
		}
		if s.cursor == s.state.head() || c.server.chance(10) {
			return messages
		}
		s.cursor++
		messages = s.appendEntry(messages, c, n)
	}
}

// refusal returns the next answer if it is a refusal that stands at the cursor.
func (s *refSub) refusal() (refAnswer, bool) {
	if s.answered >= uint64(len(s.record.answers)) {
		return refAnswer{}, false
	}
	a := s.record.answers[s.answered]
	return a, a.Version == 0 && a.after <= s.cursor
}

func (s *refSub) appendEntry(messages []protocol.ServerMessage, c *refConn, n uint32) []protocol.ServerMessage {
	e := s.state.log[s.cursor]
	if e.session != nil && e.session == c.session {
		m := protocol.Accepted{N: n, Number: e.number, Version: s.cursor}
		if !e.asIs || e.indexed && e.base < s.record.jumped && !c.server.chance(30) {
			m.Ops = append([]document.Op{}, e.ops...)
		}
		s.answered = max(s.answered, e.number)
		return append(messages, m)
	}
	if len(messages) > 0 {
		if last, ok := messages[len(messages)-1].(protocol.Entries); ok && last.N == n {
			last.Ops = append(last.Ops, e.ops)
			messages[len(messages)-1] = last
			return messages
		}
	}
	return append(messages, protocol.Entries{N: n, Version: s.cursor, Ops: [][]document.Op{e.ops}})
}

// jump takes the subscriber to the head in one step.
func (s *refSub) jump(c *refConn, n uint32) protocol.ServerMessage {
	from, to := s.cursor, s.state.head()
	s.cursor, s.record.jumped = to, to
	verdicts := s.settled(to)
	if c.server.random.IntN(2) == 0 {
		return protocol.Snapshot{N: n, Version: to, Value: s.state.value(), Mark: s.record.received, Verdicts: verdicts}
	}
	m := protocol.Catchup{N: n, From: from, To: to, Set: document.EmptyObject, Mark: s.record.received, Verdicts: verdicts}
	changed := map[string]bool{}
	for _, e := range s.state.log[from+1 : to+1] {
		names, _ := document.Properties(e.ops)
		for _, name := range names {
			changed[name] = true
		}
	}
	for name := range changed {
		if v := s.state.value().Get(name); v.Exists() {
			m.Set = m.Set.With(name, v)
		} else {
			m.Removed = append(m.Removed, name)
		}
	}
	slices.Sort(m.Removed)
	return m
}
