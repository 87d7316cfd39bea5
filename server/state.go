package server

import (
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
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
	log        Log
	inMemory   bool          // the log keeps nothing, so no record is made for it
	slots      chan struct{} // one for each unanswered change by the program

	mu sync.Mutex // guards everything below

	applied    document.Value // the value after every entry in history
	history    history
	properties properties
	pending    []outcome // judged and not committed, in order
	failed     bool      // the log has failed: reads only

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

	parked []*subscription // at the head, waiting for the next version
	woken  *wakeList       // to be told when the lock is released
	done   int             // changes that got their verdict since the lock was taken

	removed    bool
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
		createdAt:  server.options.clock.Now(),
		options:    options,
		slots:      make(chan struct{}, limits.Window),
		applied:    value,
		value:      value,
		history:    newHistory(1, limits.HistoryEntries, limits.HistoryBytes),
		records:    make(map[*session]*record),
		stopTimers: func() {},
		inbox:      inbox{maxChanges: limits.Inbox, maxBytes: limits.InboxBytes},
	}
	s.options.InitialValue = nil
	return s
}

// open opens the state's log.
func (s *state) open() (err error) {
	if s.server.options.Log == nil {
		s.log, s.inMemory = memoryLog{}, true
		return nil
	}
	s.log, err = s.server.options.Log(s.identifier, s.epoch, s.logged)
	return err
}

// unlock releases the lock and then tells the connections that have something to take.
func (s *state) unlock() {
	woken, done := s.woken, s.done
	s.woken, s.done = nil, 0
	s.mu.Unlock()
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
	case c.number <= r.mark:
		return nil // a duplicate: its answer stands in the stream already, or will
	}
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
	log := s.log
	s.unlock()
	if err := log.Close(); err != nil {
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

// current returns the committed value.
func (s *state) current() document.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value
}
