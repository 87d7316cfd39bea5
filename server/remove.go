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
	for {
		s.mu.Lock()
		moving, state := s.opening[identifier], s.states[identifier]
		if moving == nil {
			out := s.withdraw(identifier, only)
			s.mu.Unlock()
			return out != nil && out.remove(s, identifier, reason)
		}
		s.mu.Unlock()
		if !moving.stays && state == nil {
			return false // it is being made or removed
		}
		if s.await(s.ctx, moving) != nil {
			return false
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

// remove ends the state for everybody, and removes it from the store.
func (o *withdrawn) remove(s *StateSyncer, identifier, reason string) bool {
	if o.way != nil {
		defer s.arrived(identifier, o.way) // also when the store panics
	}
	if o.state != nil {
		o.state.remove(reason)
	} else {
		o.rest.stopClock()
	}
	if o.way != nil {
		if err := s.options.Store.Remove(identifier); err != nil {
			s.options.Logger.Error("the store could not remove a state, which will be back after a restart", "state", identifier, "error", err)
		}
	}
	return true
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
