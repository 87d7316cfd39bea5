package server

import (
	"context"
	"slices"

	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// join begins to follow a state. It may take callbacks of the program to decide; meanwhile the connection goes on.
func (p *peer) join(m protocol.Join) *Error {
	sub := &subscription{peer: p, n: m.N, join: m}
	full, err := p.add(sub)
	switch {
	case err != nil:
		return err
	case m.Fault != nil:
		p.refuseJoin(sub, m.Fault)
	case full:
		p.refuseJoin(sub, failure(protocol.CodeTooManyStates, "a connection may join %d states", p.server.options.Limits.StatesPerConnection))
	case p.joining.Add(1) > int64(p.server.options.Limits.StatesPerConnection):
		p.joining.Add(-1)
		p.refuseJoin(sub, failure(protocol.CodeTooManyStates, "too many joins of the connection wait for the server's rules"))
	default:
		p.server.findState(m.Identifier, p, func(s *state, err *Error) { p.admit(sub, s, err) })
	}
	return nil
}

// add takes the number into use. full says that there are more than may be.
func (p *peer) add(sub *subscription) (full bool, err *Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, used := p.index(sub.n)
	if used {
		return false, failure(protocol.CodeBadMessage, "state %d is joined already", sub.n)
	}
	p.highest = max(p.highest, sub.n)
	if p.over || p.bye != nil {
		return false, nil
	}
	p.subscriptions = slices.Insert(p.subscriptions, i, sub)
	return len(p.subscriptions) > p.server.options.Limits.StatesPerConnection, nil
}

// admit asks the program whether the client may follow the state that was found.
func (p *peer) admit(sub *subscription, s *state, err *Error) {
	if err != nil {
		p.joining.Add(-1)
		p.refuseJoin(sub, err)
		return
	}
	allow := s.options.AllowConnectingClient
	if allow == nil || mutant.AuthorizationSkippedOnResume && sub.join.Epoch != "" {
		p.joining.Add(-1)
		p.enter(sub, s)
		return
	}
	ask(p.server, p.server.ctx, func(ctx context.Context) (bool, error) { return allow(ctx, p.client), nil },
		func(allowed bool, err error) {
			p.joining.Add(-1)
			if err != nil {
				p.server.options.Logger.Error("AllowConnectingClient gave no answer", "state", s.identifier, "error", err)
			}
			switch {
			case err != nil:
				p.refuseJoin(sub, &Error{Code: protocol.CodeStateUnavailable, Reason: "the server's rules gave no answer"})
			case allowed:
				p.enter(sub, s)
			default:
				s.expel(p.session)
				p.refuseJoin(sub, &Error{Code: protocol.CodeNotAllowed})
			}
		})
}

// enter puts the subscription into the state, unless the client has left meanwhile.
func (p *peer) enter(sub *subscription, s *state) {
	if !p.bind(sub, s) {
		return
	}
	fatal, err := s.enter(sub)
	switch {
	case fatal != nil:
		p.fail(fatal)
	case err == errRested: // it left memory while the program was asked
		p.joining.Add(1)
		p.server.findState(s.identifier, p, func(s *state, err *Error) { p.admit(sub, s, err) })
	case err != nil:
		p.refuseJoin(sub, err)
	}
}

// bind gives the subscription its state, if the connection still has the subscription.
func (p *peer) bind(sub *subscription, s *state) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, found := p.index(sub.n)
	if !found || p.subscriptions[i] != sub {
		return false
	}
	sub.state = s
	return true
}

// refuseJoin tells the client that it cannot follow the state.
func (p *peer) refuseJoin(sub *subscription, why *Error) {
	if p.forget(sub) {
		p.tell(protocol.Closed{N: sub.n, Code: why.Code, Reason: reasonOf(why)})
	}
}

// reasonOf returns the reason, or what the code means.
func reasonOf(why *Error) string {
	if why.Reason == "" {
		return why.Code.Sentence()
	}
	return why.Reason
}

// forget frees the number of a subscription, and reports whether it was in use.
func (p *peer) forget(sub *subscription) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, found := p.index(sub.n)
	if !found || p.subscriptions[i] != sub {
		return false
	}
	p.subscriptions = slices.Delete(p.subscriptions, i, i+1)
	return true
}

// leave ends the client's interest in a state.
func (p *peer) leave(m protocol.Leave) *Error {
	p.mu.Lock()
	i, found := p.index(m.N)
	if !found {
		p.mu.Unlock()
		if m.N > p.highest {
			return failure(protocol.CodeBadMessage, "state %d was never joined", m.N)
		}
		return nil
	}
	sub := p.subscriptions[i]
	p.subscriptions = slices.Delete(p.subscriptions, i, i+1)
	p.mu.Unlock()
	if sub.state != nil {
		sub.state.leave(sub)
	}
	return nil
}
