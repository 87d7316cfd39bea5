package server

import (
	"errors"
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/stores"
)

// StateValue is a state as EachState shows it.
type StateValue struct {
	Identifier string
	Value      document.Value
	Version    uint64
	CreatedAt  time.Time
}

// EachState calls visit with every state in the order of their identifiers, also with those that rest and those of the
// store that the program has not named; they stay where they are. Each is shown as it is at one moment, and others may
// change meanwhile. What cannot be read is passed over, and is in the error in the end, as is damage of the store of which
// no name is known. An error of visit ends it, and so does the end of the server, with ErrClosed.
func (s *StateSyncer) EachState(visit func(StateValue) error) error {
	errs := []error{s.damage}
	identifiers, closed := s.identifiers()
	if closed {
		return ErrClosed
	}
	for _, identifier := range identifiers {
		seen, found, err := s.look(identifier)
		switch {
		case errors.Is(err, ErrClosed):
			return err
		case err != nil:
			errs = append(errs, err)
		case found:
			if err := visit(seen); err != nil {
				return err
			}
		}
	}
	return errors.Join(errs...)
}

// look returns a state as it is now, without bringing it into memory.
func (s *StateSyncer) look(identifier string) (seen StateValue, found bool, err error) {
	for {
		s.mu.Lock()
		st, r, moving, closed := s.states[identifier], s.stored[identifier], s.opening[identifier], s.closed
		s.mu.Unlock()
		switch {
		case closed:
			return seen, false, ErrClosed
		case moving != nil && moving.stays:
			if err := s.await(s.ctx, moving); err != nil {
				return seen, false, err
			}
			continue
		case st != nil:
			return st.shown(), true, nil
		case r == nil:
			return seen, false, nil
		}
		kept, err := s.options.Store.Read(identifier)
		if errors.Is(err, stores.ErrNotFound) {
			return seen, false, nil // removed meanwhile
		}
		if err == nil {
			seen, err = shownOf(identifier, &kept)
		}
		if err != nil {
			return seen, false, fmt.Errorf("read state %q: %w", identifier, err)
		}
		return seen, true, nil
	}
}

func (s *state) shown() StateValue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return StateValue{s.identifier, s.value, s.committed, s.createdAt}
}

func shownOf(identifier string, kept *stores.Kept) (seen StateValue, err error) {
	h, err := parseHeader(identifier, kept.Header)
	if err != nil {
		return seen, err
	}
	value, _, err := parseCheckpoint(kept.Checkpoint)
	if err == nil {
		value, err = replay(kept, value, nil)
	}
	if err != nil {
		return seen, damaged(identifier, err)
	}
	return StateValue{identifier, value, kept.Last(), h.CreatedAt}, nil
}
