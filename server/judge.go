package server

import (
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// judgeAll judges the changes that wait, in order, until an interceptor has to be awaited.
func (s *state) judgeAll() {
	for !s.judging && !s.removed && !s.inbox.empty() {
		if c := s.inbox.pop(); !s.holds(c) {
			s.judge(c)
		}
	}
}

// judge decides on a change, or asks the interceptor to.
func (s *state) judge(c *change) {
	next, entry, err := s.propose(c)
	if c.transaction {
		others := s.line.leave(c.record, &s.inbox)
		if err != nil && err.Code == protocol.CodeStale && !others {
			s.giveTurn(c.record)
		}
	}
	switch {
	case err != nil:
		s.refuse(c, err)
	case s.options.InterceptStateUpdate != nil:
		s.intercept(c, next, entry)
	default:
		s.accept(c, next, entry, false)
	}
}

// propose returns what the change would make of the applied head.
func (s *state) propose(c *change) (next document.Value, entry []document.Op, err *Error) {
	if c.fault != nil {
		return next, nil, c.fault
	}
	if s.failed {
		return next, nil, failure(protocol.CodeStorageFailed, "the state can only be read since its log has failed")
	}
	if c.transaction {
		if err := s.stale(c); err != nil {
			return next, nil, err
		}
	}
	ops, err := s.operations(c)
	if err != nil {
		return next, nil, err
	}
	return s.apply(ops)
}

// stale refuses a transaction that another change came between.
func (s *state) stale(c *change) *Error {
	if own := max(c.record.disturbed, c.turned); own > c.answered {
		return failure(protocol.CodeStale, "own change %d had another result than the transaction expected", own)
	}
	if c.readAll && s.properties.any.since(c.record.author) > c.base {
		return failure(protocol.CodeStale, "the state was changed by another")
	}
	for _, name := range c.reads {
		if s.properties.changedByOther(c.record.author, c.base, name) {
			return staleProperty(name)
		}
	}
	for name := range c.updates.Members() {
		if s.properties.changedByOther(c.record.author, c.base, name) {
			return staleProperty(name)
		}
	}
	return nil
}

func staleProperty(name string) *Error {
	return failure(protocol.CodeStale, "property %s was changed by another", strconv.Quote(name))
}

// operations returns the change as operations on the applied head.
func (s *state) operations(c *change) ([]document.Op, *Error) {
	switch {
	case c.updates.Exists():
		return document.Merge(s.applied, c.updates), nil
	case c.patch != nil:
		ops, err := document.Resolve(s.applied, c.patch)
		if err != nil {
			return nil, refused(err)
		}
		return ops, nil
	case c.indexed:
		return s.carry(c)
	default:
		return c.ops, nil
	}
}

// apply applies operations to the applied head, within the limits.
func (s *state) apply(ops []document.Op) (next document.Value, entry []document.Op, err *Error) {
	limits := &s.server.options.Limits
	next, entry, failed := document.Apply(s.applied, ops, document.StateLimits{Bytes: limits.State, Depth: limits.Depth, KeyBytes: limits.Key})
	if failed != nil {
		return next, nil, refused(failed)
	}
	if next.Kind() != document.Object {
		return next, nil, failure(protocol.CodePatchFailed, "a state is an object, and this would make it %s", next.Kind())
	}
	return next, entry, nil
}
