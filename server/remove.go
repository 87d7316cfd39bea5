package server

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
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
	out := s.takeOut(identifier, only, false)
	if out == nil {
		return false
	}
	if out.way != nil {
		defer s.arrived(identifier, out.way) // also when the store panics
	}
	if err := out.remove(s, identifier, reason); err != nil {
		s.options.Logger.Error("the store could not remove a state, which will be back after a restart", "state", identifier, "error", err)
	}
	return true
}

// takeOut takes the state out of the tables when nobody is in the way; nil when there is nothing to end.
func (s *StateSyncer) takeOut(identifier string, only any, replaced bool) *withdrawn {
	for {
		s.mu.Lock()
		moving, state := s.opening[identifier], s.states[identifier]
		if moving == nil {
			out := s.withdraw(identifier, only, replaced)
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
	way   *opening // keeps the identifier until all is done; nil: there is no store, and nothing to be done
}

// withdraw takes the state out of the tables; nil when it is not there, or not the one that is meant. The lock is held.
func (s *StateSyncer) withdraw(identifier string, only any, replaced bool) *withdrawn {
	out := &withdrawn{state: s.states[identifier], rest: s.stored[identifier]}
	if out.state == nil && out.rest == nil || only != nil && only != any(out.state) && only != any(out.rest) {
		return nil
	}
	delete(s.states, identifier)
	delete(s.stored, identifier)
	if s.options.Store != nil || replaced {
		out.way = &opening{done: make(chan struct{}), stays: replaced}
		s.opening[identifier] = out.way
	}
	return out
}

// remove ends the state for everybody, and removes it from the store.
func (o *withdrawn) remove(s *StateSyncer, identifier, reason string) error {
	if o.state != nil {
		o.state.remove(reason)
	} else {
		o.rest.stopClock()
	}
	if s.options.Store == nil {
		return nil
	}
	return s.options.Store.Remove(identifier)
}

// ReplaceState ends the state with the options' identifier, if there is one, damaged or not, and makes another in its
// place, with a life of its own: who comes to it meanwhile waits for that. Where the options are refused nothing has ended.
// Where the store refuses to remove the old state that goes on, though its clients were told that it was removed. A process
// that is killed between the two, or a store that takes the end and not the beginning, leaves no state. Errors as of
// CreateState.
func (s *StateSyncer) ReplaceState(options StateOptions) error {
	value, err := s.initialValue(options)
	for err == nil {
		out := s.takeOut(options.Identifier, nil, true)
		if out != nil {
			err = s.replace(out, options, value)
			break
		}
		if err = s.create(options, false); !errors.Is(err, ErrStateExists) {
			break
		}
		err = nil // somebody else has made it, and it ends
	}
	if err != nil {
		return fmt.Errorf("replace state %q: %w", options.Identifier, err)
	}
	return nil
}

// replace makes a state in the place of one that was taken out.
func (s *StateSyncer) replace(out *withdrawn, options StateOptions, value document.Value) error {
	removed := false
	defer func() {
		if !removed {
			s.arrived(options.Identifier, out.way) // also when the store panics
		}
	}()
	if err := out.remove(s, options.Identifier, "the server replaced it"); err != nil {
		out.putBack(s, options.Identifier)
		return err
	}
	removed = true
	return s.publish(newState(s, options, value), out.way, nil)
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

// identifiers returns those of all states, also of those that are on their way, sorted. A server that is closed has none
// any more.
func (s *StateSyncer) identifiers() (all []string, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = slices.AppendSeq(make([]string, 0, len(s.states)+len(s.stored)), maps.Keys(s.states))
	all = slices.AppendSeq(all, maps.Keys(s.stored))
	all = slices.AppendSeq(all, maps.Keys(s.opening))
	slices.Sort(all)
	return slices.Compact(all), s.closed
}
