package core

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
)

var (
	errBaseTooOld = &protocol.Error{Code: protocol.CodeBaseTooOld, Reason: "the changes since the version that it was made for are not known"}
	errReplaced   = &protocol.Error{Code: protocol.CodeStateReplaced, Reason: "the state was made anew: it was removed, or a server without its data was started"}
	errUnknown    = &protocol.Error{Code: protocol.CodeOutcomeUnknown, Reason: "the server has forgotten the session, so nobody can tell whether the change was accepted"}

	errPassedOver = &protocol.Error{Code: protocol.CodeOutcomeUnknown, Reason: "the server has answered a later change and not this one"}
)

// join handles the answer to a join.
func (s *State) join(m protocol.Joined) error {
	if s.granted {
		return s.fault("the join was answered twice")
	}
	resumed := !m.Value.Exists()
	if resumed && !(s.known && s.resumable && m.Epoch == s.epoch && m.Version == s.version) {
		return s.fault("a resume was granted at version ", decimal(m.Version), " of epoch ", m.Epoch, ", which was not asked for")
	}
	if m.Value.Exists() {
		s.start(m)
	} else {
		s.loseForgotten(m.Mark)
		s.delay(Rollback)
	}
	s.granted, s.resumable, s.forgotten = true, true, false
	s.durability = m.Durability
	s.received(m.Mark)
	s.flush()
	s.phase = StateJoined
	s.core.emit(Joined{State: s, Resumed: resumed})
	return nil
}

// start takes a snapshot for a join: the first one, one after a gap that the server cannot fill, or one of a new epoch.
func (s *State) start(m protocol.Joined) {
	s.flush()
	first := !s.known
	if !first && (m.Epoch != s.epoch || m.Version < s.version) {
		s.settleAll(errReplaced, errReplaced.Code)
		s.core.emit(Problem{Error: &protocol.Error{Code: errReplaced.Code, Reason: "state " + s.identifier + ": " + errReplaced.Reason}})
		s.answered, s.numbered = 0, 0
	}
	s.settleListed(m.Verdicts)
	s.loseForgotten(m.Mark)
	s.known, s.epoch = true, m.Epoch
	value := s.taken(m.Value)
	if first {
		s.confirmed = value
		s.resolve()
	}
	s.jump(m.Version, value, access{all: true}, first)
}

// received learns which of the changes that were sent before have reached the server. The others are sent again.
func (s *State) received(mark uint64) {
	for _, p := range s.pending[s.onWire:] {
		if p.number == 0 || p.number > mark {
			break
		}
		s.onWire++
		s.core.inFlight += p.wireSize
	}
	if len(s.pending) == 0 || s.pending[0].number == 0 {
		s.numbered = mark
	}
	s.numbered = max(s.numbered, mark)
}

// loseForgotten settles what was sent in a session that the server does not know any more. The welcome says so, by
// another epoch of the session, or a mark below what was answered.
func (s *State) loseForgotten(mark uint64) {
	if !s.forgotten && mark >= s.answered {
		return
	}
	for len(s.pending) > 0 && s.pending[0].number != 0 {
		s.takeBack(0)
		s.answer(Verdict{Code: errUnknown.Code, Reason: errUnknown.Reason})
	}
	s.answered = 0
}

// settleListed settles the own changes that a jump has behind it, and returns the properties that accepted ones wrote. One
// that the list passes over cannot be answered any more.
func (s *State) settleListed(verdicts []protocol.Verdict) (written access) {
	for _, v := range verdicts {
		for len(s.pending) > 0 && s.pending[0].number != 0 && s.pending[0].number <= v.Number {
			p := s.pending[0]
			switch {
			case p.number < v.Number:
				written.join(p.writes)
				s.takeBack(0)
				s.answer(Verdict{Code: errPassedOver.Code, Reason: errPassedOver.Reason})
			case v.Version == 0:
				s.takeBack(0)
				s.answer(Verdict{Code: v.Code, Reason: v.Reason})
			default:
				written.join(p.writes)
				s.touch(p.writes)
				s.answer(Verdict{Version: v.Version})
			}
		}
		s.answered = max(s.answered, v.Number)
	}
	return written
}

// catchup jumps to a later version by the properties that changed.
func (s *State) catchup(m protocol.Catchup) error {
	if !s.granted || m.From != s.version {
		return s.fault("a catch-up from version ", decimal(m.From), " came at version ", decimal(s.version))
	}
	s.flush()
	changed := accessOfUpdates(m.Set)
	value := s.confirmed
	for name, v := range m.Set.Members() {
		value = value.With(name, v.Expanded())
	}
	for _, name := range m.Removed {
		if mutant.CatchupWithoutRemoval {
			break
		}
		value = value.Without(name)
		changed.addName(name)
	}
	changed.join(s.settleListed(m.Verdicts))
	s.jump(m.To, value, changed, false)
	s.flush()
	return nil
}

// snapshot jumps to a later version by its whole value.
func (s *State) snapshot(m protocol.Snapshot) error {
	if !s.granted || m.Version < s.version {
		return s.fault("a snapshot of version ", decimal(m.Version), " came at version ", decimal(s.version))
	}
	s.flush()
	s.settleListed(m.Verdicts)
	s.jump(m.Version, s.taken(m.Value), access{all: true}, false)
	s.flush()
	return nil
}

// jump sets the confirmed value of a later version. Where properties have changed, nobody knows what became of the
// elements in them, nor in which order: an index cannot be carried over that, and a transaction that was not sent is
// stale. At the first join there is nothing that an index could be of.
func (s *State) jump(version uint64, value document.Value, changed access, first bool) {
	s.confirmed = value
	if version != s.version {
		s.step(version, true)
	}
	s.touch(changed)
	s.delay(CatchUp)
	for i, p := range s.pending {
		if !p.reads.meets(changed) {
			continue
		}
		if p.tied() {
			changed.names = slices.Clone(changed.names)
			changed.join(p.reads)
		}
		s.spoilOne(p)
		if p.indexed && !first && p.ended == nil {
			p.ended = errBaseTooOld
			s.spoil(i + 1)
		}
	}
	s.stale = true
}
