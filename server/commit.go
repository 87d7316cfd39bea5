package server

import (
	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// outcome is the decision on a change, until the log has committed it.
type outcome struct {
	change  *change
	version uint64         // the version that it is, or, refused, on which it was judged
	value   document.Value // accepted: the value that it makes
	flags   verdict        // accepted
	refusal *Error         // refused
}

// accept makes next the applied head, and the change the next version; different says that an interceptor rewrote it.
func (s *state) accept(c *change, next document.Value, entry []document.Op, different bool) {
	s.scratch = protocol.AppendOps(s.scratch[:0], entry)
	version := s.history.append(s.scratch, aboutOf(entry))
	s.properties.note(version, c.author(), touchedBy(entry, s.applied, next), next)
	s.applied = next
	o := outcome{change: c, version: version, value: next}
	if r := c.record; r != nil {
		o.flags = r.flags(c, different)
		if different {
			r.disturbed = c.number
		}
	}
	committed, err := s.keep(version, c)
	if cap(s.scratch) > segmentBytes {
		s.scratch = nil
	}
	s.pending = append(s.pending, o)
	switch {
	case err != nil:
		s.fail(err)
	case committed || mutant.AnswerBeforeCommit:
		s.commit(version)
	}
}

// keep hands the change to the log as the record of the version. Its operations stand in scratch.
func (s *state) keep(version uint64, c *change) (committed bool, err error) {
	if s.inMemory {
		return true, nil
	}
	k := keptChange{number: c.number, text: s.scratch}
	if r := c.record; r != nil {
		if err := s.server.sessions.keep(r.session); err != nil {
			return false, err
		}
		k.session = r.session.id
		if s.records[r.session] != r {
			k.previous = c.number // it has left
		} else {
			k.previous, k.refusals = r.logged, r.unlogged
			if r.logged == 0 {
				k.epoch = r.session.epoch
			}
			r.logged, r.unlogged = c.number, nil
		}
	}
	text := len(s.scratch)
	s.scratch = k.appendTo(s.scratch)
	s.keeping.grow(len(s.scratch)-text, s.server.options.checkpointBytes)
	return s.log.Append(version, s.scratch[text:])
}

// refuse decides against a change. The answer stands after the version on which it was judged.
func (s *state) refuse(c *change, why *Error) {
	if r := c.record; r != nil {
		r.disturbed = c.number
		if !s.inMemory {
			s.keeping.answered = true
			r.noteRefusal(keptRefusal{c.number, s.history.next - 1, why.Code, cut(why.Reason)}, s.window)
		}
	}
	s.pending = append(s.pending, outcome{change: c, version: s.history.next - 1, refusal: why})
	s.commit(s.committed)
}

// logged is told by the log what it has committed.
func (s *state) logged(version uint64, err error) {
	s.mu.Lock()
	defer s.unlock()
	if s.removed || s.failed {
		return
	}
	if err != nil {
		s.fail(err)
		return
	}
	s.commit(min(version, s.history.next-1))
}

// commit makes everything up to the version visible: entries, and the refusals after them.
func (s *state) commit(version uint64) {
	before, done := s.committed, 0
	for done < len(s.pending) && s.pending[done].version <= version {
		s.conclude(&s.pending[done])
		done++
	}
	rest := copy(s.pending, s.pending[done:])
	clear(s.pending[rest:])
	s.pending = s.pending[:rest]
	if s.committed == before {
		return
	}
	s.history.evict(s.committed)
	s.snapshot.dropBefore(s.history.first())
	if s.catchup.version+1 < s.history.first() {
		s.catchup = catchup{}
	}
	s.wakeAll()
}

// conclude makes one decision visible.
func (s *state) conclude(o *outcome) {
	if o.refusal == nil {
		s.committed, s.value = o.version, o.value
	}
	if r := o.change.record; r != nil {
		if o.refusal == nil {
			r.verdicts.push(verdict(o.version) | o.flags)
		} else {
			r.verdicts.pushRefusal(refusal{position: o.version, code: o.refusal.Code, reason: o.refusal.Reason})
			s.wake(r.subscription)
		}
		if o.change.behind > 0 {
			s.sayBusy(r, o.change.behind, o.version)
		}
		if r.last == o.change {
			r.last = nil
		}
	}
	s.release(o.change, o.version, o.refusal)
}

// release settles what waits for the verdict on a change.
func (s *state) release(c *change, version uint64, refusal *Error) {
	if c.peer != nil {
		c.peer.unjudged.Add(-int64(c.size))
		s.inbox.settle(c.record, c.size)
	}
	if refusal != nil {
		s.server.counts.refused.Add(1)
	} else {
		s.server.counts.accepted.Add(1)
	}
	if c.handle != nil {
		c.handle.settle(version, refusal)
		<-s.slots
	}
	s.done++
}

// fail discards what was applied and not committed: the log cannot keep it. From now on the state can only be read.
func (s *state) fail(cause error) {
	s.server.options.Logger.Error("the log of a state has failed", "state", s.identifier, "error", cause)
	s.failed, s.keeping.due = true, false
	s.applied = s.value
	s.history.truncate(s.committed)
	discarded := s.pending
	s.pending = nil
	for i := range discarded {
		o := &discarded[i]
		o.version, o.refusal = s.committed, failure(protocol.CodeStorageFailed, "the state's log has failed")
		if o.change.record != nil {
			o.change.record.disturbed = o.change.number
		}
		s.conclude(o)
	}
}
