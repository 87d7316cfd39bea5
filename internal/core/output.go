package core

import (
	"github.com/server-state-sync/server-state-sync/protocol"
)

// frame is a frame in the making: messages joined with newlines, up to max bytes.
type frame struct {
	dst   []byte
	start int
	max   int
}

// add appends the message if it fits, or is the first.
func (f *frame) add(m protocol.Message) (size int, ok bool) {
	end := len(f.dst)
	if end > f.start {
		f.dst = append(f.dst, '\n')
	}
	begin := len(f.dst)
	f.dst = protocol.Append(f.dst, m)
	size = len(f.dst) - begin
	if len(f.dst)-f.start > f.max && end > f.start {
		f.dst = f.dst[:end]
		return size, false
	}
	return size, true
}

// HasOutput reports whether Output may have a frame to send; without it there is none.
func (c *Core) HasOutput() bool {
	return c.link >= linkOpen && (c.helloDue || c.pongDue || len(c.controls) > 0 || len(c.ready) > 0)
}

// Output appends the next frame to send to dst, of at most max bytes unless a single message is longer, and returns the
// result: dst itself when nothing is to be sent. What it returned counts as sent. The order is hello, then joins and
// leaves, then changes, the states in turn.
func (c *Core) Output(now Time, dst []byte, max int) []byte {
	if c.link < linkOpen {
		return dst
	}
	c.now = now
	f := frame{dst: dst, start: len(dst), max: min(max, int(c.welcome.MaxMessage))}
	if c.helloDue {
		f.add(protocol.Hello{Session: c.config.Session, ClientIdentifier: c.config.ClientIdentifier, Connection: c.connections, Epoch: c.epoch})
		c.helloDue = false
	}
	if c.pongDue {
		_, ok := f.add(protocol.Pong{})
		c.pongDue = !ok
	}
	if c.outputControls(&f) && c.link == linkReady {
		c.outputChanges(&f)
		c.flushLate()
	}
	return f.dst
}

// outputControls adds joins and leaves, and reports whether all of them fit.
func (c *Core) outputControls(f *frame) bool {
	for i, control := range c.controls {
		if _, ok := f.add(c.controlMessage(control)); !ok {
			c.controls = c.controls[i:]
			return false
		}
		if s := control.join; s != nil {
			c.lastN++
			s.n = c.lastN
			c.numbers[s.n] = s
		}
	}
	c.controls = nil
	return true
}

func (c *Core) controlMessage(control control) protocol.Message {
	s := control.join
	if s == nil {
		return protocol.Leave{N: control.leave}
	}
	m := protocol.Join{N: c.lastN + 1, Identifier: s.identifier}
	if s.known && s.resumable {
		m.Epoch, m.Version, m.Answered = s.epoch, s.version, s.answered
	}
	return m
}

// outputChanges adds the changes of the states in turn, until the frame is full or the connection's window is.
func (c *Core) outputChanges(f *frame) {
	for len(c.ready) > 0 {
		s := c.ready[0]
		full := s.output(f)
		c.ready = c.ready[1:]
		if full {
			c.ready = append(c.ready, s)
			return
		}
		s.waiting = false
	}
}

// wantsOutput puts the state in the line of those that may have changes to send.
func (s *State) wantsOutput() {
	if s.granted && !s.waiting && s.onWire < len(s.pending) {
		s.waiting = true
		s.core.ready = append(s.core.ready, s)
	}
}

// output adds the state's changes as far as it may, and reports whether it had to stop because the frame, or the
// connection's window, is full.
func (s *State) output(f *frame) (full bool) {
	for s.maySend() {
		p := s.pending[s.onWire]
		before := len(f.dst)
		size, ok := f.add(s.message(p))
		if !ok || !s.core.windowAllows(size) {
			f.dst = f.dst[:before]
			return true
		}
		if limit := s.core.welcome.MaxMessage; p.number == 0 && size > int(limit) {
			f.dst = f.dst[:before]
			s.giveUp(errTooLarge(size, limit))
			continue
		}
		s.sent(p, size)
	}
	return false
}

// windowAllows reports whether another change of that size may be unanswered; one always may.
func (c *Core) windowAllows(size int) bool {
	return c.inFlight == 0 || c.inFlight+size+1 <= int(c.welcome.WindowBytes)
}

// maySend reports whether the next change may be sent now: within the window; with an index only when no own change is
// unanswered, so that its base is a version of the server; a transaction only when all that its view was made of can be
// told from the answers. Changes that were left behind unanswered by an earlier State count too.
func (s *State) maySend() bool {
	if !s.granted || s.onWire >= len(s.pending) {
		return false
	}
	p := s.pending[s.onWire]
	unanswered := s.numberOf(p) - 1 - s.answered
	if unanswered >= uint64(s.core.welcome.Window) || p.indexed && unanswered > 0 {
		return false
	}
	if _, ok := p.change.(Transaction); !ok || p.number != 0 {
		return true
	}
	if unanswered > uint64(s.onWire) {
		return false
	}
	for _, earlier := range s.pending[:s.onWire] {
		if earlier.hidden || earlier.tied() {
			return false
		}
	}
	return true
}

// numberOf returns the number of the next change to send: the one that it has been given, or the next.
func (s *State) numberOf(p *pending) uint64 {
	if p.number != 0 {
		return p.number
	}
	return s.numbered + 1
}

// message returns the change as it is sent: for the first time, or once more exactly as it was.
func (s *State) message(p *pending) protocol.Message {
	if p.number == 0 {
		p.base, p.seen, p.sentOps = s.version, s.answered, p.ops
	}
	head := protocol.Change{N: s.n, Number: s.numberOf(p), Base: p.base}
	switch change := p.change.(type) {
	case Merge:
		return protocol.Merge{Change: head, Updates: p.updates}
	case Transaction:
		return protocol.Transaction{
			Change: head, Updates: p.updates, ReadAll: change.Reads == nil, Reads: change.Reads, Answered: p.seen,
		}
	default:
		return protocol.Patch{Change: head, Ops: p.sentOps}
	}
}

// sent records that the change is on its way.
func (s *State) sent(p *pending, size int) {
	if p.number == 0 {
		s.numbered++
		p.number = s.numbered
	}
	p.sentAt, p.wireSize = s.core.now, size+1
	s.core.inFlight += p.wireSize
	s.onWire++
}

// giveUp settles the next change to send, which cannot be sent.
func (s *State) giveUp(err *protocol.Error) {
	s.takeBack(s.onWire)
	s.settle(s.remove(s.onWire), Verdict{Code: err.Code, Reason: err.Reason})
	s.delay(Rollback)
}
