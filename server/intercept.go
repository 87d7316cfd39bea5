package server

import (
	"bytes"
	"context"
	"errors"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// inside marks the context of an interceptor, and so of everything that is done on its behalf.
type inside struct {
	state *state
	outer *inside
}

type insideKey struct{}

// reenters reports whether the context belongs to an interceptor of the state: it waits for that interceptor, so a
// change to the state would wait for itself.
func (s *state) reenters(ctx context.Context) bool {
	in, _ := ctx.Value(insideKey{}).(*inside)
	for ; in != nil; in = in.outer {
		if in.state == s {
			return true
		}
	}
	return false
}

// interceptContext returns the context for the interceptor. It ends with the server, not with the caller that submitted
// the change: that one only stops waiting.
func (s *state) interceptContext(c *change) context.Context {
	base := s.server.ctx
	if c.ctx != nil {
		base = context.WithoutCancel(c.ctx)
	}
	outer, _ := base.Value(insideKey{}).(*inside)
	return context.WithValue(base, insideKey{}, &inside{state: s, outer: outer})
}

// intercept asks the interceptor about a change that the state would accept. Until it has answered nothing else is
// judged. The lock is released meanwhile.
func (s *state) intercept(c *change, next document.Value, entry []document.Op) {
	s.judging = true
	u := &Update{state: s, change: c, previous: s.applied, next: next, entry: entry}
	s.mu.Unlock()
	defer s.mu.Lock() // also when the log panics below
	ask(s.server, s.interceptContext(c), func(ctx context.Context) (*Update, error) {
		if err := s.options.InterceptStateUpdate(ctx, u); err != nil {
			return u, interceptReason(err) // here, where a panic in the error's own methods does no harm
		}
		return u, nil
	}, func(answered *Update, err error) {
		s.mu.Lock()
		defer s.unlock()
		s.judging = false
		s.decide(c, answered, err)
		s.judgeAll()
	})
}

// decide follows the interceptor's answer.
func (s *state) decide(c *change, u *Update, err error) {
	var panicked *panicError
	switch {
	case s.server.ctx.Err() != nil:
		s.release(c, 0, &Error{Code: protocol.CodeStateRemoved, Reason: "the server is shutting down"}) // there is no verdict
	case s.removed:
		s.release(c, 0, &Error{Code: protocol.CodeStateRemoved, Reason: "the state was removed"})
	case s.failed:
		s.refuse(c, failure(protocol.CodeStorageFailed, "the state's log has failed"))
	case errors.Is(err, errDeadline):
		s.refuse(c, &Error{Code: protocol.CodeInterceptTimeout, Reason: "the server's rules did not decide in time"})
	case errors.As(err, &panicked):
		s.server.options.Logger.Error("InterceptStateUpdate panicked", "state", s.identifier, "panic", panicked.value)
		s.refuse(c, &Error{Code: protocol.CodeInterceptPanic, Reason: "the server's rules failed"})
	case err != nil:
		s.refuse(c, refused(err))
	case u.rewritten:
		s.rewrite(c, u)
	default:
		s.accept(c, u.next, u.entry, false)
	}
}

// Codes from firstLocal to lastLocal are a client's own: they never travel.
const (
	firstLocal = protocol.CodePendingLimit
	lastLocal  = 4399
)

// interceptReason returns the refusal that an interceptor's error means: its text is for the client. A code that does
// not stand for the refusal of a change, or that only clients give, becomes refused.
func interceptReason(err error) *Error {
	why := refused(err)
	class, local := why.Code.Class(), why.Code >= firstLocal && why.Code <= lastLocal
	if local || class != protocol.ChangeRefused && class != protocol.RunAgain {
		why = &Error{Code: protocol.CodeRefused, Reason: err.Error()}
	}
	return why
}

// rewrite accepts what the interceptor put in the place of the change.
func (s *state) rewrite(c *change, u *Update) {
	ops, err := s.operations(&change{updates: u.updates, patch: u.patch})
	if err != nil {
		s.refuse(c, err)
		return
	}
	next, entry, err := s.apply(ops)
	if err != nil {
		s.refuse(c, err)
		return
	}
	s.accept(c, next, entry, !sameOps(entry, u.entry))
}

// sameOps reports whether both are the same on the wire.
func sameOps(a, b []document.Op) bool {
	return bytes.Equal(protocol.AppendOps(nil, a), protocol.AppendOps(nil, b))
}
