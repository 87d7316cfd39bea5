package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/stores"
)

// resting is a state that the store has and memory has not. The StateSyncer's lock guards it.
type resting struct {
	header    header
	options   StateOptions
	named     bool  // the program has said what its rules are
	restored  bool  // an earlier process made it
	damage    error // why it cannot be read; nil: it can, as far as is known
	stopClock func()
}

// opening is a state that is on its way: being made or removed, or, if it stays, into memory or out of it, or replaced.
type opening struct {
	done  chan struct{} // closed when it is over
	stays bool
}

// readStore finds out what the store has.
func (s *StateSyncer) readStore() error {
	if s.options.Store == nil {
		return nil
	}
	if durability := s.options.Store.Durability(); durability != stores.Memory {
		s.durability = string(durability)
	}
	if err := s.unlessDamaged(s.sessions.readStore(s.options.Store)); err != nil {
		return fmt.Errorf("read the sessions: %w", err)
	}
	var over []string
	err := s.options.Store.States(func(identifier string, text []byte, damage error) {
		r := &resting{restored: true, damage: damage, stopClock: func() {}}
		if damage == nil {
			r.header, r.damage = parseHeader(identifier, text)
		}
		if r.header.Identifier = identifier; r.damage != nil {
			s.options.Logger.Error("a state is damaged", "state", identifier, "error", r.damage)
		} else if s.nameRestored(r) {
			over = append(over, identifier)
			return
		}
		s.stored[identifier] = r
	})
	if err = s.unlessDamaged(err); err == nil && len(over) > 0 {
		err = s.options.Store.Remove(over...)
	}
	if err != nil {
		return fmt.Errorf("read the states: %w", err)
	}
	return nil
}

// unlessDamaged logs that something in the store is damaged, which does not keep the rest from being served, and returns
// any other error.
func (s *StateSyncer) unlessDamaged(err error) error {
	if errors.Is(err, stores.ErrCorrupt) {
		s.options.Logger.Error("a part of the store is damaged; what can be read is served", "error", err)
		s.damage = errors.Join(s.damage, err)
		return nil
	}
	return err
}

// nameRestored asks the program for the rules of a state that the store has, and reports whether its time is over.
func (s *StateSyncer) nameRestored(r *resting) (over bool) {
	if s.options.RestoreState == nil {
		return false
	}
	options, err := s.options.RestoreState(r.header.Identifier)
	if err != nil {
		s.options.Logger.Error("RestoreState has no rules for a state", "state", r.header.Identifier, "error", err)
		return false
	}
	if s.isOver(r, options) {
		return true
	}
	s.name(r, options)
	return false
}

// isOver reports whether the time to live of what is kept has ended.
func (s *StateSyncer) isOver(r *resting, options StateOptions) bool {
	return options.TTL > 0 && s.left(r.header.CreatedAt, options.TTL) <= 0
}

// name gives a state its rules; from now on it is there. The lock is held, or nobody else knows of the state.
func (s *StateSyncer) name(r *resting, options StateOptions) {
	options.Identifier, options.InitialValue, options.CreatedAt = r.header.Identifier, nil, r.header.CreatedAt
	r.options, r.named = options, true
	s.startRestingClock(r)
}

// startRestingClock lets a state end by its ttl while it rests.
func (s *StateSyncer) startRestingClock(r *resting) {
	if r.options.TTL <= 0 || s.closed {
		return
	}
	r.stopClock = s.options.clock.AfterFunc(s.left(r.header.CreatedAt, r.options.TTL), func() { s.removeWhere(r.header.Identifier, r, "its time to live is over") })
}

// damagedHint tells what to do about a state that cannot be read.
func damagedHint(damage error) error {
	return fmt.Errorf("what was kept of the state cannot be read and was left as it is; import the state with --replace, or remove it, to have it again: %w", damage)
}

// find returns the state with the identifier, and brings it back into memory if it rests. Who asks meanwhile waits for
// the same. The error is fit for clients: ErrStateNotFound, or state_unavailable; or ErrClosed or the end of ctx.
func (s *StateSyncer) find(ctx context.Context, identifier string) (*state, error) {
	for {
		s.mu.Lock()
		found, moving, r := s.states[identifier], s.opening[identifier], s.stored[identifier]
		switch {
		case moving != nil && moving.stays:
			s.mu.Unlock()
			if err := s.await(ctx, moving); err != nil {
				return nil, err
			}
			continue
		case found != nil:
			s.mu.Unlock()
			return found, nil
		case r != nil && r.damage != nil:
			s.mu.Unlock()
			return nil, unavailable()
		case r == nil || !r.named:
			s.mu.Unlock()
			return nil, ErrStateNotFound
		case s.closed:
			s.mu.Unlock()
			return nil, ErrClosed
		}
		moving = &opening{done: make(chan struct{}), stays: true}
		s.opening[identifier] = moving
		s.mu.Unlock()
		return s.load(r, moving)
	}
}

func unavailable() *Error {
	return &Error{Code: protocol.CodeStateUnavailable, Reason: "the server cannot read what it has kept of the state"}
}

// await waits until a state is where it was going.
func (s *StateSyncer) await(ctx context.Context, moving *opening) error {
	select {
	case <-moving.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.ctx.Done():
		return ErrClosed
	}
}

// load brings a resting state into memory.
func (s *StateSyncer) load(r *resting, moving *opening) (*state, error) {
	identifier := r.header.Identifier
	var st *state
	err := errors.New("reading it panicked")
	defer func() { s.loaded(r, moving, st, err) }() // also when the store panics
	st, err = s.restore(r)
	if err != nil {
		s.options.Logger.Error("a state cannot be read", "state", identifier, "error", err)
		return nil, unavailable()
	}
	return st, nil
}

// loaded puts a state into the table that was read, or notes why it was not.
func (s *StateSyncer) loaded(r *resting, moving *opening, st *state, err error) {
	defer close(moving.done)
	s.mu.Lock()
	delete(s.opening, r.header.Identifier)
	closed := s.closed
	switch {
	case err == nil && !closed:
		delete(s.stored, r.header.Identifier)
		s.states[r.header.Identifier] = st
		r.stopClock()
		st.restored, st.idle = r.restored, s.options.clock.Now()
	case errors.Is(err, stores.ErrCorrupt):
		r.damage = err
	}
	s.mu.Unlock()
	switch {
	case err != nil:
	case closed:
		st.remove("the server is shutting down")
	default:
		st.startClock()
	}
}

// restAll lets go of the states that nobody has used for a while.
func (s *StateSyncer) restAll() {
	now := s.options.clock.Now()
	for _, state := range s.allStates() {
		if state.isIdle(now, s.options.RestAfter) {
			s.rest(state)
		}
	}
}

// isIdle reports whether nobody has used the state for that long.
func (s *state) isIdle(now time.Time, long time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used || s.idle.IsZero() || !s.unused() {
		s.used, s.idle = false, now
		return false
	}
	return now.Sub(s.idle) >= long
}

// unused reports whether nobody follows the state and nothing is under way in it.
func (s *state) unused() bool {
	if s.failed || s.removed || s.rested || s.judging || s.keeping.running || len(s.slots) > 0 {
		return false
	}
	if s.members > 0 || s.inbox.changes > 0 || !s.inbox.empty() || len(s.pending) > 0 || len(s.parked) > 0 || s.line.turn != nil {
		return false
	}
	for _, r := range s.records {
		if r.subscription != nil {
			return false
		}
	}
	return true
}

// rest takes an idle state out of memory.
func (s *StateSyncer) rest(st *state) {
	s.mu.Lock()
	if s.closed || s.states[st.identifier] != st || s.opening[st.identifier] != nil {
		s.mu.Unlock()
		return
	}
	moving := &opening{done: make(chan struct{}), stays: true}
	s.opening[st.identifier] = moving
	s.mu.Unlock()
	header, left := st.leaveMemory()
	s.mu.Lock()
	if delete(s.opening, st.identifier); left && s.states[st.identifier] == st {
		delete(s.states, st.identifier)
		r := st.resting(header)
		s.stored[st.identifier] = r
		s.startRestingClock(r)
	}
	s.mu.Unlock()
	close(moving.done)
}

// resting returns what is known of a state that has left memory.
func (s *state) resting(h header) *resting {
	return &resting{header: h, options: s.options, named: true, restored: s.restored, stopClock: func() {}}
}

// leaveMemory hands the state to its log and closes that; not if somebody uses the state after all.
func (s *state) leaveMemory() (header header, left bool) {
	s.mu.Lock()
	if s.used || !s.unused() {
		s.mu.Unlock()
		return header, false
	}
	s.rested = true
	now := s.image()
	if s.keeping.grown > 0 || s.keeping.due || s.keeping.answered {
		s.keeping.due = false
		s.mu.Unlock()
		text := checkpointText(now.value, now.records)
		s.mu.Lock()
		s.handOver(now, text)
	}
	if s.failed || s.removed {
		s.rested = false // a state whose log has failed can be read, from memory only
		s.unlock()
		return header, false
	}
	s.stopTimers()
	for session := range s.records {
		session.forget(s)
	}
	clear(s.records)
	s.unlock()
	s.closeLog()
	return now.header, true
}
