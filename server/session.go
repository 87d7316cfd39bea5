package server

import (
	"container/list"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// session is one client instance over all of its connections. Its id is a secret of the client.
type session struct {
	id               string
	epoch            string // of this incarnation: a session that was forgotten and comes again has another one
	clientIdentifier string
	restored         bool   // a store had it
	owner            string // the subject that the session was first authorized for; empty: nobody in particular

	peer   atomic.Pointer[peer] // the connection that the session is on; nil while it is away
	client atomic.Value         // clientBox: what is known of the client
	kept   atomic.Bool          // the store has it; set under the sessions' lock

	// Guarded by the sessions' lock.
	connection uint64        // the count of the connection that it was on last, as the client said
	states     []*state      // that have a record of the session
	away       *list.Element // in one of the lists of sessions without a connection; nil while there is one
	since      time.Time     // when it went away
	timer      func()        // stops the clock of the next review; nil: none is due
}

// clientBox lets an atomic.Value hold clientInformation of changing types.
type clientBox struct{ information any }

func (s *session) clientInformation() any {
	box, _ := s.client.Load().(clientBox)
	return box.information
}

// sessions is the table of all sessions, bounded in their number.
type sessions struct {
	server *StateSyncer
	mu     sync.Mutex // guards everything below
	byID   map[string]*session
	blank  list.List // sessions without a connection that no state has a record of, the one longest away first
	away   list.List // the other sessions without a connection, in the same order
	gone   []gone    // forgotten sessions that states still have records of
}

// gone is a forgotten session, with the states that have a record of it.
type gone struct {
	session *session
	states  []*state
}

// attach finds or makes the session that a hello names and puts it on the connection. The connection that it was on,
// if any, is returned: it has to be fenced. A client counts its connections, so a hello that comes late, on a connection
// that the client gave up, fences nobody. One that was told of another incarnation of the session gets a new one: its
// numbers are not those of the records that the server has, which a crash may have brought back.
func (t *sessions) attach(p *peer, m protocol.Hello) (s *session, fenced *peer, err *Error) {
	defer t.sweep()
	t.mu.Lock()
	defer t.mu.Unlock()
	s = t.byID[m.Session]
	if s == nil {
		if len(t.byID) >= t.server.options.Limits.Sessions && !t.forgetOldest() {
			return nil, nil, failure(protocol.CodeOverloaded, "the server holds as many sessions as it may")
		}
		s = t.newSession(p, m)
	} else {
		if s.clientIdentifier != m.ClientIdentifier || s.owner != p.owner {
			return nil, nil, failure(protocol.CodeSessionMismatch, "the session belongs to another client")
		}
		if m.Connection != 0 && m.Connection < s.connection && !mutant.StaleFence {
			return nil, nil, failure(protocol.CodeSessionTaken, "a newer connection has taken the session over")
		}
		if m.Epoch != "" && m.Epoch != s.epoch {
			fenced = s.peer.Swap(nil)
			t.forget(s)
			s = t.newSession(p, m)
		}
	}
	t.takeBack(s)
	s.connection = m.Connection
	s.client.Store(clientBox{p.client})
	if older := s.peer.Swap(p); older != nil {
		fenced = older
		t.reviewAfter(s, t.server.options.ReconnectGrace) // of states that the new connection does not join
	}
	return s, fenced, nil
}

// newSession begins an incarnation of a session that the table does not have.
func (t *sessions) newSession(p *peer, m protocol.Hello) *session {
	s := &session{id: m.Session, epoch: t.server.token(), clientIdentifier: m.ClientIdentifier, owner: p.owner}
	t.byID[s.id] = s
	return s
}

// detach notes that the connection of the session has ended.
func (t *sessions) detach(s *session, p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !s.peer.CompareAndSwap(p, nil) || t.byID[s.id] != s {
		return // a newer connection has taken the session over
	}
	s.since = t.server.options.clock.Now()
	t.putAway(s)
	t.reviewAfter(s, t.server.options.ReconnectGrace)
}

// reviewAfter sets the clock of a session's next review, unless one is due anyway.
func (t *sessions) reviewAfter(s *session, d time.Duration) {
	if s.timer == nil && t.byID[s.id] == s {
		s.timer = t.server.options.clock.AfterFunc(d, func() { t.review(s) })
	}
}

// review ends what time ends: the grace in which a state counts a session that has no subscription, also one that came
// back and did not join the state again; and the session, when it stayed away too long.
func (t *sessions) review(s *session) {
	defer t.sweep()
	now := t.server.options.clock.Now()
	t.mu.Lock()
	s.timer = nil
	next := time.Duration(0)
	if s.away != nil {
		if next = t.server.options.SessionExpiry - now.Sub(s.since); next <= 0 {
			t.forget(s)
		}
	}
	states := slices.Clone(s.states)
	t.mu.Unlock()
	for _, state := range states {
		if left := state.sessionLost(s, now); left > 0 && (next <= 0 || left < next) {
			next = left
		}
	}
	if next > 0 {
		t.mu.Lock()
		t.reviewAfter(s, next)
		t.mu.Unlock()
	}
}

// putAway notes that the session has no connection.
func (t *sessions) putAway(s *session) {
	if len(s.states) == 0 && !s.kept.Load() {
		s.away = t.blank.PushBack(s)
	} else {
		s.away = t.away.PushBack(s)
	}
}

// takeBack undoes putAway, if that was done.
func (t *sessions) takeBack(s *session) {
	if s.away != nil { // a list ignores what is not in it
		t.blank.Remove(s.away)
		t.away.Remove(s.away)
		s.away = nil
	}
}

// forgetOldest forgets the session that is away longest, and reports whether there was one. Those go first of which
// there is nothing to remember: they cost a stranger one message each.
func (t *sessions) forgetOldest() bool {
	oldest := t.blank.Front()
	if oldest == nil {
		oldest = t.away.Front()
	}
	if oldest == nil {
		return false
	}
	t.forget(oldest.Value.(*session))
	return true
}

// forget takes an absent session out of the table; sweep then takes its records out of the states.
func (t *sessions) forget(s *session) {
	delete(t.byID, s.id)
	if s.kept.Load() {
		t.unkeep(s.id)
	}
	t.takeBack(s)
	s.stopTimer()
	t.gone = append(t.gone, gone{s, s.states})
	s.states = nil
}

// sweep takes the records of forgotten sessions out of the states. It is not called with the lock: a state's lock is
// taken before the table's.
func (t *sessions) sweep() {
	t.mu.Lock()
	all := t.gone
	t.gone = nil
	t.mu.Unlock()
	for _, g := range all {
		for _, state := range g.states {
			state.sessionExpired(g.session)
		}
	}
}

func (s *session) stopTimer() {
	if s.timer != nil {
		s.timer()
		s.timer = nil
	}
}

// stop stops the clocks of all sessions.
func (t *sessions) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.byID {
		s.stopTimer()
	}
	clear(t.byID)
}

// count returns the number of sessions.
func (t *sessions) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

// remember notes that the state has a record of the session; not when there are too many.
func (s *session) remember(state *state) bool {
	t := &state.server.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(s.states) >= recordsPerState*t.server.options.Limits.StatesPerConnection {
		return false
	}
	if s.states = append(s.states, state); len(s.states) == 1 {
		t.sort(s)
	}
	return true
}

// recordsPerState is how many records a session may have for each state that a connection may join: a client that
// comes back may join other states than before, and the records of the old ones are kept for a while.
const recordsPerState = 4

// forget notes that the state's record of the session is gone.
func (s *session) forget(state *state) {
	t := &state.server.sessions
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range s.states {
		if s.states[i] == state {
			last := len(s.states) - 1
			s.states[i] = s.states[last]
			s.states[last] = nil
			s.states = s.states[:last]
			if last == 0 {
				t.sort(s)
			}
			return
		}
	}
}

// sort puts a session without a connection into the list in which it belongs, when it has got its first record or lost
// its last one.
func (t *sessions) sort(s *session) {
	if s.away != nil {
		t.takeBack(s)
		t.putAway(s)
	}
}
