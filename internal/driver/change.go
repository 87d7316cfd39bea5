package driver

import (
	"errors"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Pending is a change on its way to its verdict.
type Pending struct {
	done    chan struct{}
	version uint64
	err     error
	sent    bool // it had been sent when it settled
	left    bool // guarded by Client.mu: whoever waited has gone, so a refusal goes to OnError
}

// Done is closed when the change has its verdict, which it gets without anybody waiting: at the latest when the state is
// left or the client closes.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Verdict returns the version that the change made, or the error with which it was refused. Before Done is closed it
// returns [ErrOutcomeUnknown].
func (p *Pending) Verdict() (version uint64, err error) {
	select {
	case <-p.done:
		return p.version, p.err
	default:
		return 0, ErrOutcomeUnknown
	}
}

// Wait waits for the verdict and returns it. When b ends first, the error is both
// [ErrOutcomeUnknown] and that of b, and the change goes on.
func (p *Pending) Wait(b Bound) (version uint64, err error) {
	select {
	case <-p.done:
	case <-b.Done():
	}
	select {
	case <-p.done: // also when both have ended
		return p.version, p.err
	default:
		return 0, &unknownOutcome{waitEnded(b, "nobody waits for the verdict any longer")}
	}
}

// UpdateState sets top-level properties of the state to the given values, and waits for the verdict: the version that
// the change made, or an error.
func (s *State) UpdateState(b Bound, updates document.Value) (version uint64, err error) {
	return s.wait(b)(s.Submit(b, updates))
}

// PatchState applies the operations, all or none, and waits for the verdict as UpdateState does.
func (s *State) PatchState(b Bound, ops ...document.PatchOp) (version uint64, err error) {
	return s.wait(b)(s.SubmitPatch(b, ops...))
}

// Submit is UpdateState without the wait for the verdict. It blocks only while too many changes of this state have none.
// The error means that nothing was done.
func (s *State) Submit(b Bound, updates document.Value) (*Pending, error) {
	return s.submit(b, core.Merge{Updates: updates})
}

// SubmitPatch is PatchState without the wait for the verdict; see Submit.
func (s *State) SubmitPatch(b Bound, ops ...document.PatchOp) (*Pending, error) {
	return s.submit(b, core.Patch{Ops: ops})
}

// wait returns a function that waits for the verdict on what was submitted, and sees to it that a refusal that comes
// later is reported.
func (s *State) wait(b Bound) func(p *Pending, err error) (uint64, error) {
	return func(p *Pending, err error) (uint64, error) {
		if err != nil {
			return 0, err
		}
		version, err := p.Wait(b)
		if errors.Is(err, ErrOutcomeUnknown) {
			s.client.abandon(p, err)
		}
		return version, err
	}
}

// abandon marks that nobody waits for the verdict any longer, and reports a refusal that has come just now.
func (c *Client) abandon(p *Pending, told error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-p.done:
		if p.err != nil && p.err != told {
			c.callbacks.report(p.err)
		}
	default:
		p.left = true
	}
}

// submit gives the change to the core, when there is room for it.
func (s *State) submit(b Bound, change core.Change) (*Pending, error) {
	c := s.client
	c.mu.Lock()
	defer c.unlock()
	for place := (chan struct{})(nil); ; {
		if place != nil || len(s.room.waiting) == 0 {
			p, err := s.submitLocked(b, change)
			if !errors.Is(err, errNoRoom) {
				s.room.let() // there may be more room
				return p, err
			}
			place = s.room.rejoin()
		} else {
			place = s.room.join()
		}
		c.unlock()
		select {
		case <-place:
			c.mu.Lock()
		case <-b.Done():
			c.mu.Lock()
			s.room.leave(place)
			return nil, waitEnded(b, "too many changes wait for their verdict")
		}
	}
}

var errNoRoom error = &Error{Code: protocol.CodePendingLimit}

// submitLocked gives the change to the core with mu held.
func (s *State) submitLocked(b Bound, change core.Change) (*Pending, error) {
	if s.err != nil {
		return nil, s.err
	}
	if b.Err() != nil {
		return nil, waitEnded(b, "the change was not made")
	}
	p := &Pending{done: make(chan struct{})}
	var err error
	s.client.eventLocked(func(now core.Time) {
		var ticket core.Ticket
		if ticket, err = s.core.Submit(now, change); err == nil {
			s.client.pending[ticket] = p
		}
	})
	if err != nil {
		return nil, Coded(err)
	}
	return p, nil
}

// settle gives a change its verdict, with mu held. It wakes whoever waits for it, whatever else the client is doing.
func (c *Client) settle(e core.Settled) {
	p := c.pending[e.Ticket]
	delete(c.pending, e.Ticket)
	p.version, p.err, p.sent = e.Verdict.Version, e.Verdict.Err(), e.Verdict.Sent
	if e.Verdict.Sent && e.Verdict.Code == protocol.CodeClosed {
		p.err = &unknownOutcome{p.err}
	}
	if p.err != nil && p.left {
		c.callbacks.report(p.err)
	}
	close(p.done)
	if s := c.states[e.State]; s != nil {
		s.room.let()
	}
}
