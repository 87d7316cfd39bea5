package core

import (
	"errors"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// errGone ends the reading of a frame whose connection has ended.
var errGone = errors.New("the connection has ended")

// receive handles a frame. Views that it left behind are corrected at its end, so that many entries cost one replay.
func (c *Core) receive(now Time, frame []byte) {
	c.now = now
	err := protocol.DecodeServer(frame, protocol.Limits{Bytes: c.config.MaxFrame, Keep: true}, c.dispatch)
	c.flushLate()
	switch {
	case err == nil:
	case err == errGone:
		c.lose(now, c.goodbye)
	default:
		c.violate(now, err)
	}
}

// dispatch handles a message. An error is a violation of the protocol by the server.
func (c *Core) dispatch(m protocol.ServerMessage) error {
	if c.link == linkOpen {
		return c.dispatchFirst(m)
	}
	switch m := m.(type) {
	case protocol.Joined:
		return c.on(m.N, 0, func(s *State) error { return s.join(m) })
	case protocol.Entries:
		return c.on(m.N, 0, func(s *State) error { return s.entries(m) })
	case protocol.Accepted:
		return c.on(m.N, m.Number, func(s *State) error { return s.accepted(m) })
	case protocol.Refused:
		return c.on(m.N, m.Number, func(s *State) error { return s.refused(m) })
	case protocol.Catchup:
		return c.on(m.N, lastOf(m.Verdicts), func(s *State) error { return s.catchup(m) })
	case protocol.Snapshot:
		return c.on(m.N, lastOf(m.Verdicts), func(s *State) error { return s.snapshot(m) })
	case protocol.Closed:
		return c.on(m.N, everyNumber, func(s *State) error { s.close(m); return nil })
	case protocol.Ping:
		c.pongDue = true
		return nil
	case protocol.Bye:
		return c.bye(m)
	}
	return fault("a second welcome")
}

// dispatchFirst handles the first message: welcome, or bye.
func (c *Core) dispatchFirst(m protocol.ServerMessage) error {
	switch m := m.(type) {
	case protocol.Welcome:
		c.welcomed(m)
		return nil
	case protocol.Bye:
		return c.bye(m)
	case protocol.Ping:
		c.pongDue = true
		return nil
	}
	return fault("a message came before the welcome")
}

// welcomed takes the server's limits. A session that the server does not know any more cannot answer what was sent.
func (c *Core) welcomed(m protocol.Welcome) {
	c.link, c.since, c.ever = linkReady, c.now, true
	c.welcome = m
	c.welcome.Heartbeat = max(m.Heartbeat, 1)
	c.welcome.Window = max(m.Window, 1)
	if m.Epoch == c.epoch {
		return
	}
	c.epoch = m.Epoch
	for _, s := range c.order {
		s.forgotten = true
		s.answered = 0
	}
}

// bye ends the connection as the server wants it.
func (c *Core) bye(m protocol.Bye) error {
	c.emit(Disconnect{})
	c.goodbye = Loss{Code: int(m.Code), Reason: m.Reason, RetryAfter: Time(m.RetryAfter)}
	return errGone
}

// lastOf returns the highest number that is answered in a jump.
func lastOf(verdicts []protocol.Verdict) uint64 {
	if len(verdicts) == 0 {
		return 0
	}
	return verdicts[len(verdicts)-1].Number
}

// on calls handle for the state with that number. What is still on its way for a state that was left is ignored, but that
// its changes up to answered have been answered. After a violation the state's cursor is not to be trusted.
func (c *Core) on(n uint32, answered uint64, handle func(*State) error) error {
	s := c.numbers[n]
	if s == nil {
		if n > c.lastN {
			return fault("a message for state number ", decimal(uint64(n)), ", which was never joined")
		}
		c.drained(n, answered)
		return nil
	}
	s.expand()
	err := handle(s)
	if err != nil {
		s.resumable = false
	}
	return err
}

// inOrder refuses a message for a state whose join was not answered, and a version other than the next.
func (s *State) inOrder(version uint64) error {
	switch {
	case !s.granted:
		return s.fault("a message came before the join was answered")
	case version != s.version+1:
		return s.fault("version ", decimal(version), " came after version ", decimal(s.version))
	}
	return nil
}

func (s *State) fault(parts ...string) error {
	return fault(append([]string{"state ", s.identifier, ": "}, parts...)...)
}

// entries applies the changes of others.
func (s *State) entries(m protocol.Entries) error {
	for i, entry := range m.Ops {
		version := m.Version + uint64(i)
		if err := s.inOrder(version); err != nil {
			return err
		}
		if err := s.enter(version, entry); err != nil {
			return err
		}
	}
	return nil
}

// head returns the first pending change if it was sent under that number.
func (s *State) head(number uint64) *pending {
	if len(s.pending) == 0 || s.pending[0].number != number || number == 0 {
		return nil
	}
	return s.pending[0]
}

// early reports whether the number is that of a change that was sent after another one without an answer.
func (s *State) early(number uint64) bool {
	return len(s.pending) > 0 && s.pending[0].number != 0 && number > s.pending[0].number && number <= s.numbered
}

// accepted moves the confirmed value over an own change.
func (s *State) accepted(m protocol.Accepted) error {
	p := s.head(m.Number)
	switch {
	case !s.granted:
		return s.inOrder(m.Version)
	case p == nil && m.Version <= s.version:
		return nil // answered already
	case p == nil && s.early(m.Number):
		return s.fault("change ", decimal(m.Number), " was answered before an earlier one")
	}
	if err := s.inOrder(m.Version); err != nil {
		return err
	}
	switch {
	case p == nil:
		return s.acceptedStray(m)
	case m.Ops != nil:
		return s.rewritten(p, m)
	}
	return s.acceptedAsIs(p, m)
}

// acceptedStray handles an accepted change that is not pending here any more, because the state was left and joined
// again: without its operations only a snapshot tells what it did.
func (s *State) acceptedStray(m protocol.Accepted) error {
	if m.Ops == nil {
		s.rejoin()
		return nil
	}
	if err := s.enter(m.Version, m.Ops); err != nil {
		return err
	}
	s.answeredStray(m.Number)
	return nil
}

// answeredStray notes the answer to a change that is not pending here any more.
func (s *State) answeredStray(number uint64) {
	if number <= s.numbered {
		s.answered = max(s.answered, number)
	}
	s.wantsOutput()
}

// acceptedAsIs confirms the first pending change as it was replayed: the view stays, and the kept root is the value.
func (s *State) acceptedAsIs(p *pending, m protocol.Accepted) error {
	if s.stale {
		s.touch(p.writes)
		s.replayOne(0, s.confirmed)
	}
	next := p.root
	if !next.Exists() {
		var err error
		if next, err = applyEntry(s.confirmed, p.entry); err != nil {
			return s.fault("own change ", decimal(m.Number), " cannot be applied: ", err.Error())
		}
	}
	lost := p.hidden
	s.answer(Verdict{Version: m.Version})
	if lost { // it applied at the server, and cannot be followed here
		s.rejoin()
		return nil
	}
	s.confirmed = next
	s.step(m.Version, false)
	if len(s.pending) == 0 && !s.late {
		s.view, s.shown = next, next
	}
	return nil
}

// rewritten replaces the first pending change by what the server made of it.
func (s *State) rewritten(p *pending, m protocol.Accepted) error {
	next, err := applyEntry(s.confirmed, m.Ops)
	if err != nil {
		return s.fault("version ", decimal(m.Version), " cannot be applied: ", err.Error())
	}
	s.takeBack(0)
	s.answer(Verdict{Version: m.Version})
	s.confirmed = next
	s.step(m.Version, false)
	s.delay(Remote)
	s.touch(writesOf(m.Ops))
	s.carry(0, m.Ops)
	s.stale = true
	return nil
}

// refused takes the first pending change back.
func (s *State) refused(m protocol.Refused) error {
	switch {
	case !s.granted:
		return s.inOrder(0)
	case s.head(m.Number) != nil:
		s.takeBack(0)
		s.answer(Verdict{Code: m.Code, Reason: m.Reason})
		s.delay(Rollback)
	case s.early(m.Number):
		return s.fault("change ", decimal(m.Number), " was answered before an earlier one")
	default:
		s.answeredStray(m.Number)
	}
	return nil
}

// close ends the state for this client as the server says. Where that answers a join, what was sent before may have been
// accepted while the answer was lost; after a joined, every answer has come before.
func (s *State) close(m protocol.Closed) {
	c := s.core
	sent := m.Code
	if !s.granted {
		sent = protocol.CodeOutcomeUnknown
	}
	delete(c.numbers, s.n)
	c.forget(s)
	s.end(&protocol.Error{Code: m.Code, Reason: m.Reason}, sent)
	c.emit(Closed{State: s, Code: m.Code, Reason: m.Reason})
}
