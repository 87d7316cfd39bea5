package server

import (
	"fmt"
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// judgeAll judges the changes that wait, in order, until an interceptor has to be awaited.
func (s *state) judgeAll() {
	for !s.judging && !s.removed && !s.inbox.empty() {
		if c := s.inbox.pop(); !s.line.holds(c) {
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

// carry moves the positions of a change over the entries since its base.
func (s *state) carry(c *change) ([]document.Op, *Error) {
	if c.base+1 < s.history.first() {
		return nil, failure(protocol.CodeBaseTooOld, "version %d is too old to carry positions forward", c.base)
	}
	ops, work := c.ops, 0
	for version := c.base + 1; version < s.history.next; version++ {
		entry, err := s.entry(version)
		if err != nil {
			return nil, refused(err)
		}
		if work += len(ops) * len(entry); work > s.server.options.Limits.CarryWork {
			return nil, failure(protocol.CodeBaseTooOld, "too much was changed since version %d to carry positions forward", c.base)
		}
		if ops, _, err = document.Carry(ops, entry); err != nil {
			return nil, refused(err)
		}
	}
	return ops, nil
}

// entry returns the operations of a version that the history holds.
func (s *state) entry(version uint64) ([]document.Op, error) {
	ops, err := protocol.DecodeOps(s.history.ops(version), ownLimits)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", version, err)
	}
	return ops, nil
}

// ownLimits lets everything through that this package has encoded itself.
var ownLimits = protocol.Limits{
	Bytes: document.MaxBytes, Operations: document.MaxBytes, Depth: document.MaxDepth, KeyBytes: document.MaxBytes,
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
