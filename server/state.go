package server

import (
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/stores"
)

// state is one state: its value, its order of changes, and who follows it.
//
// Two heads: a change is judged on the applied head and then handed to the log; what anybody sees is the committed
// head. With the memory log they are one. The lock is taken before a peer's lock and the sessions' lock, never after.
type state struct {
	server     *StateSyncer
	identifier string
	epoch      string
	createdAt  time.Time
	options    StateOptions
	log        stores.Log
	inMemory   bool          // there is no store, so no record is made and nothing is appended
	lineage    string        // the store's, when the epoch began
	restored   bool          // an earlier process made the state
	window     int           // the largest that verdicts were kept for
	slots      chan struct{} // one for each unanswered change by the program

	mu sync.Mutex // guards everything below

	applied    document.Value // the value after every entry in history
	history    history
	properties properties
	pending    []outcome // judged and not committed, in order
	failed     bool      // the log has failed: reads only
	keeping    keeping

	committed uint64         // the version of value
	value     document.Value // what readers see
	snapshot  snapshot
	catchup   catchup

	inbox   inbox // changes that wait for their judgment
	judging bool  // an interceptor is deciding on a change
	line    line

	records map[*session]*record
	authors author // the last number given to a record
	members int    // sessions that count as clients
	visited bool   // somebody has joined

	asking   bool // SelfDestruct has been called and has not returned
	askAgain bool // something has happened meanwhile

	parked []*subscription // at the head, waiting for the next version
	woken  *wakeList       // to be told when the lock is released
	done   int             // changes that got their verdict since the lock was taken

	removed    bool
	rested     bool      // it has left memory: who came to it looks for it again
	used       bool      // somebody came to it since idle was set
	idle       time.Time // since when nobody uses it
	stopTimers func()
	scratch    []byte // for encoding
}

// newState returns a state that nobody can see yet.
func newState(server *StateSyncer, options StateOptions, value document.Value) *state {
	limits := &server.options.Limits
	s := &state{
		server:     server,
		identifier: options.Identifier,
		epoch:      server.token(),
		createdAt:  options.CreatedAt,
		options:    options,
		inMemory:   server.options.Store == nil,
		window:     limits.Window,
		slots:      make(chan struct{}, limits.Window),
		applied:    value,
		value:      value,
		history:    newHistory(1, limits.HistoryEntries, limits.HistoryBytes),
		records:    make(map[*session]*record),
		stopTimers: func() {},
		inbox:      inbox{maxChanges: limits.Inbox, maxBytes: limits.InboxBytes},
	}
	s.options.InitialValue = nil
	if s.createdAt.IsZero() {
		s.createdAt = server.options.clock.Now()
	}
	if mutant.EpochKept {
		s.epoch = s.identifier
	}
	return s
}

// open begins to keep the state.
func (s *state) open() (err error) {
	if s.inMemory {
		return nil
	}
	store := s.server.options.Store
	s.lineage = store.Lineage()
	text := checkpointText(s.value, nil)
	s.keeping.size = len(text)
	s.log, err = store.Create(s.identifier, s.header().text(), s.committed, text, s.logged)
	return err
}

// unlock releases the lock and then tells the connections that have something to take.
func (s *state) unlock() {
	woken, done, due := s.woken, s.done, s.keeping.begin()
	s.woken, s.done = nil, 0
	s.mu.Unlock()
	if due {
		s.server.aside(s.checkpoint)
	}
	if woken != nil {
		for _, sub := range woken.subscriptions {
			sub.peer.makeReady(sub)
		}
		woken.free()
	}
	if done > 0 {
		s.server.inFlight.add(-done) // not before: who waits for it expects that the answers can be taken
	}
}

// receive takes a change from a subscription's connection. An error ends the connection.
func (s *state) receive(sub *subscription, c *change) *Error {
	s.mu.Lock()
	defer s.unlock()
	r := sub.record
	switch {
	case sub.over || sub.ending != nil:
		return nil // the state has ended for this connection, or the session is on another one
	case !sub.opened:
		return failure(protocol.CodeBadMessage, "a change to state %d came before its joined", sub.n)
	case c.number <= r.mark && mutant.ApplyTwiceOnResend:
		r.mark = c.number - 1
	case c.number <= r.mark:
		return nil // a duplicate: its answer stands in the stream already, or will
	}
	if r.anew && c.number > r.mark+1 {
		r.skip(c.number - 1)
		sub.told = max(sub.told, r.skipped)
	}
	r.anew = false
	if err := s.check(sub, c); err != nil {
		return err
	}
	r.mark = c.number
	if !s.inbox.admit(r.lane, c.size) {
		s.turnAway(r, c.number)
		return nil
	}
	c.record, c.peer, c.turned = r, sub.peer, r.turned
	r.last = c
	sub.peer.unjudged.Add(int64(c.size))
	s.submit(c)
	return nil
}

// check refuses a change that no correct client sends.
func (s *state) check(sub *subscription, c *change) *Error {
	limits := &s.server.options.Limits
	unjudged := sub.peer.unjudged.Load()
	switch {
	case c.number != sub.record.mark+1:
		return failure(protocol.CodeBadMessage, "change %d came after change %d", c.number, sub.record.mark)
	case c.base > sub.cursor:
		return failure(protocol.CodeBadMessage, "change %d is based on version %d, and version %d was sent", c.number, c.base, sub.cursor)
	case c.answered > sub.told:
		return failure(protocol.CodeBadMessage, "transaction %d has seen the answer to %d, and %d were answered", c.number, c.answered, sub.told)
	case c.number-sub.told > uint64(limits.Window):
		return failure(protocol.CodeWindowExceeded, "more than %d changes to a state are unanswered", limits.Window)
	case unjudged > 0 && unjudged+int64(c.size) > int64(limits.WindowBytes):
		return failure(protocol.CodeWindowExceeded, "more than %d bytes of changes are unanswered", limits.WindowBytes)
	}
	return nil
}

// submit puts a change at the end of the order of judgment, and judges what can be judged.
func (s *state) submit(c *change) {
	s.server.inFlight.add(1)
	s.inbox.push(c)
	s.judgeAll()
}

// remove ends the state for everybody. It must have been taken out of the server's table before.
func (s *state) remove(reason string) {
	s.mu.Lock()
	if s.removed {
		s.mu.Unlock()
		return
	}
	s.removed = true
	s.stopTimers()
	over := &Error{Code: protocol.CodeStateRemoved, Reason: reason}
	s.abandon(over)
	for session, r := range s.records {
		if r.subscription != nil {
			r.subscription.end(over)
		}
		session.forget(s)
	}
	clear(s.records)
	s.members = 0
	s.unlock()
	s.closeLog()
}

// closeLog ends the state's log. It is not called with the lock.
func (s *state) closeLog() {
	s.mu.Lock()
	closed := s.keeping.closed || s.log == nil
	s.keeping.closed = true
	s.mu.Unlock()
	if closed {
		return
	}
	if err := s.log.Close(); err != nil {
		s.server.options.Logger.Error("closing the log of a state", "state", s.identifier, "error", err)
	}
}

// abandon gives up every change without a verdict. Sessions learn it from the end of the state.
func (s *state) abandon(why *Error) {
	for _, o := range s.pending {
		s.release(o.change, 0, why)
	}
	s.pending = nil
	s.line.leave(nil, &s.inbox)
	for !s.inbox.empty() {
		s.release(s.inbox.pop(), 0, why)
	}
}

// current returns the committed value; false when the state has left memory.
func (s *state) current() (document.Value, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = true
	return s.value, !s.rested
}
