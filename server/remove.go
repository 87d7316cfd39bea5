package server

import (
	"maps"
	"slices"
)

// RemoveState ends a state: its clients are told state_removed, and what Options.Store has of it is removed, also where
// that is damaged or was not taken over. It reports whether the state was there.
func (s *StateSyncer) RemoveState(identifier string) bool {
	return s.removeWhere(identifier, nil, "the server removed it")
}

// RemoveAllStates removes every state.
func (s *StateSyncer) RemoveAllStates() {
	identifiers, _ := s.identifiers()
	for _, identifier := range identifiers {
		s.removeWhere(identifier, nil, "the server removed it")
	}
}

// removeState ends a state, and reports whether it was in memory and had not ended before.
func (s *StateSyncer) removeState(state *state, reason string) bool {
	return s.removeWhere(state.identifier, state, reason)
}

// removeWhere ends the state with the identifier, if it is the given one: a *state, a *resting, or any for nil.
func (s *StateSyncer) removeWhere(identifier string, only any, reason string) bool {
	out := s.takeOut(identifier, only)
	if out == nil {
		return false
	}
	if err := out.remove(s, identifier, reason, false); err != nil {
		s.options.Logger.Error("the store could not remove a state, which will be back after a restart", "state", identifier, "error", err)
	}
	return true
}

// takeOut takes the state out of the tables when nobody is in the way; nil when there is nothing to end.
func (s *StateSyncer) takeOut(identifier string, only any) *withdrawn {
	for {
		s.mu.Lock()
		moving, state := s.opening[identifier], s.states[identifier]
		if moving == nil {
			out := s.withdraw(identifier, only)
			s.mu.Unlock()
			return out
		}
		s.mu.Unlock()
		if !moving.stays && state == nil {
			return nil // it is being made or removed
		}
		if s.await(s.ctx, moving) != nil {
			return nil
		}
	}
}

// withdrawn is a state that was taken out of the tables.
type withdrawn struct {
	state *state
	rest  *resting
	way   *opening // keeps the identifier until the store has removed the state; nil: there is no store
}

// withdraw takes the state out of the tables; nil when it is not there, or not the one that is meant. The lock is held.
func (s *StateSyncer) withdraw(identifier string, only any) *withdrawn {
	out := &withdrawn{state: s.states[identifier], rest: s.stored[identifier]}
	if out.state == nil && out.rest == nil || only != nil && only != any(out.state) && only != any(out.rest) {
		return nil
	}
	delete(s.states, identifier)
	delete(s.stored, identifier)
	if s.options.Store != nil {
		out.way = &opening{done: make(chan struct{})}
		s.opening[identifier] = out.way
	}
	return out
}

// remove ends the state for everybody, and removes it from the store. Where the store refuses that and orBack is set, the
// state is there again, at rest.
func (o *withdrawn) remove(s *StateSyncer, identifier, reason string, orBack bool) (err error) {
	if o.way != nil {
		defer s.arrived(identifier, o.way) // also when the store panics
	}
	if o.state != nil {
		o.state.remove(reason)
	} else {
		o.rest.stopClock()
	}
	if o.way != nil {
		err = s.options.Store.Remove(identifier)
	}
	if err != nil && orBack {
		o.putBack(s, identifier)
	}
	return err
}

// putBack undoes withdraw, but that the state rests.
func (o *withdrawn) putBack(s *StateSyncer, identifier string) {
	r := o.rest
	if r == nil {
		o.state.mu.Lock()
		r = o.state.resting(o.state.header())
		o.state.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.stored[identifier] = r
		s.startRestingClock(r)
	}
}

// identifiers returns those of all states, sorted. A server that is closed has none any more.
func (s *StateSyncer) identifiers() (all []string, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = slices.AppendSeq(make([]string, 0, len(s.states)+len(s.stored)), maps.Keys(s.states))
	all = slices.AppendSeq(all, maps.Keys(s.stored))
	slices.Sort(all)
	return all, s.closed
}
