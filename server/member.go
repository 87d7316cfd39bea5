package server

import (
	"time"

	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// enter lets a subscription into the state: where its client left off, or at a snapshot. fatal ends the connection, err
// only the join.
func (s *state) enter(sub *subscription) (fatal, err *Error) {
	s.mu.Lock()
	defer s.unlock()
	session, m := sub.peer.session, &sub.join
	s.used = true
	switch {
	case s.rested:
		return nil, errRested
	case sub.over:
		return nil, nil
	case session.peer.Load() != sub.peer:
		sub.over = true // fenced meanwhile
		return nil, nil
	case s.removed:
		return nil, failure(protocol.CodeStateRemoved, "the state was removed while it was joined")
	}
	r := s.records[session]
	if r == nil {
		if r = s.newRecord(session); r == nil {
			return nil, failure(protocol.CodeTooManyStates, "the session has changed too many states; leave those that are not needed")
		}
	}
	if r.subscription != nil && r.subscription.peer == sub.peer {
		return failure(protocol.CodeBadMessage, "the state is joined already as state %d", r.subscription.n), nil
	}
	if m.Epoch == s.epoch && m.Version > s.committed && s.restored {
		// The folder is an older copy, or the storage lost what it had confirmed. The client begins anew.
		s.server.options.Logger.Error("a client has a version that the store does not have", "state", s.identifier, "client", m.Version, "store", s.committed)
		s.dropRecord(r)
		if r = s.newRecord(session); r == nil {
			return nil, failure(protocol.CodeTooManyStates, "the session has changed too many states; leave those that are not needed")
		}
	} else if m.Epoch == s.epoch {
		if fatal := r.checkResume(s, m); fatal != nil {
			return fatal, nil
		}
		sub.resume, sub.cursor, sub.told = true, m.Version, max(min(m.Answered, r.verdicts.decided), r.skipped)
		if mutant.ResumeOffByOne {
			sub.cursor++
		}
	}
	r.restored = false
	s.replace(r, sub)
	s.tell(sub)
	return nil, nil
}

// newRecord begins to remember the session; nil when the session has too many records.
func (s *state) newRecord(session *session) *record {
	if !session.remember(s) {
		return nil
	}
	s.authors++
	r := &record{author: s.authors, session: session, lane: s.inbox.lane(session), verdicts: verdicts{window: s.server.options.Limits.Window}}
	s.records[session] = r
	return r
}

// replace gives the record its new subscription, and counts the session as a client of the state.
func (s *state) replace(r *record, sub *subscription) {
	if old := r.subscription; old != nil {
		old.over = true
		s.unpark(old)
	}
	sub.record, r.subscription = r, sub
	if !s.visited {
		s.visited = true
		s.keeping.due = !s.inMemory && !s.failed // the header says so
	}
	if !r.member {
		r.member = true
		s.members++
	}
}

// checkResume refuses a resume that no correct client asks for.
func (r *record) checkResume(s *state, m *protocol.Join) *Error {
	v := &r.verdicts
	switch {
	case m.Version > s.committed:
		return failure(protocol.CodeBadMessage, "the join has version %d, and the state is at %d", m.Version, s.committed)
	case r.restored || s.restored && r.session.restored && r.mark == 0:
		r.reconcile(m)
		return nil
	case r.mark == 0:
		return nil // a new session
	case m.Answered > v.decided:
		return failure(protocol.CodeBadMessage, "the join has the answer to change %d, and %d are judged", m.Answered, v.decided)
	case max(m.Answered, r.skipped)+uint64(v.held) < v.decided:
		return failure(protocol.CodeBadMessage, "the join asks for the answer to change %d, which is forgotten", m.Answered+1)
	}
	if last := m.Answered; v.keeps(last) && v.of(last).version() > m.Version {
		return failure(protocol.CodeBadMessage, "the join has the answer to change %d and not version %d, which is in it", last, v.of(last).version())
	}
	if next := max(m.Answered, r.skipped) + 1; next <= v.decided && v.of(next) != 0 && v.of(next).version() <= m.Version {
		return failure(protocol.CodeBadMessage, "the join has version %d and not the answer to change %d, which is in it", m.Version, next)
	}
	return nil
}

// disconnected takes a subscription out whose connection has ended; the session still counts as a client.
func (s *state) disconnected(sub *subscription) {
	s.mu.Lock()
	defer s.unlock()
	s.takeOut(sub)
	s.judgeAll()
}

func (s *state) takeOut(sub *subscription) {
	sub.over = true
	s.unpark(sub)
	if r := sub.record; r != nil && r.subscription == sub {
		r.subscription, r.lost = nil, s.server.options.clock.Now()
		s.line.leave(r, &s.inbox)
	}
}

// leave takes out the subscription of a client that does not want the state any more, and what is known of its session.
func (s *state) leave(sub *subscription) {
	s.mu.Lock()
	r := sub.record
	s.takeOut(sub)
	s.judgeAll()
	ended := r != nil && s.records[r.session] == r && r.subscription == nil
	if ended {
		s.dropRecord(r)
	}
	s.unlock()
	if ended {
		s.askSelfDestruct()
	}
}

// dropRecord forgets the session.
func (s *state) dropRecord(r *record) {
	delete(s.records, r.session)
	s.keeping.answered = s.keeping.answered || r.mark > 0
	s.inbox.leave(r)
	r.session.forget(s)
	if r.member {
		r.member = false
		s.members--
	}
}

// sessionLost ends the time in which a session without a subscription counts as a client, if it is over at the given
// time. Otherwise it returns how much of it is left; 0 when there is nothing to wait for.
func (s *state) sessionLost(session *session, now time.Time) (left time.Duration) {
	s.mu.Lock()
	r := s.records[session]
	if r == nil || !r.member || r.subscription != nil {
		s.mu.Unlock()
		return 0
	}
	if left = s.server.options.ReconnectGrace - now.Sub(r.lost); left > 0 {
		s.mu.Unlock()
		return left
	}
	r.member = false
	s.members--
	if r.mark == 0 {
		s.dropRecord(r) // it has changed nothing, so there is nothing to remember
	}
	s.unlock()
	s.askSelfDestruct()
	return 0
}

// expel forgets a session that may not follow the state any more.
func (s *state) expel(session *session) {
	s.mu.Lock()
	r := s.records[session]
	lost := r != nil && r.subscription == nil
	if lost {
		s.dropRecord(r)
	}
	s.unlock()
	if lost {
		s.askSelfDestruct()
	}
}

// sessionExpired forgets a session that is forgotten everywhere.
func (s *state) sessionExpired(session *session) {
	s.mu.Lock()
	r := s.records[session]
	lost := r != nil && r.member
	if r != nil {
		s.dropRecord(r)
	}
	s.unlock()
	if lost {
		s.askSelfDestruct()
	}
}
