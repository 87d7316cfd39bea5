package server

import (
	"context"
	"errors"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// arrival is a join that waits for a state which does not exist.
type arrival struct {
	client any
	then   func(*state, *Error)
}

// findState hands the state to then, having asked the program to make it where it does not exist. Those who ask at the
// same time wait for one answer. One client's refusal is not another's: each is asked about until somebody has made the
// state.
func (s *StateSyncer) findState(identifier string, client any, then func(*state, *Error)) {
	s.mu.Lock()
	found := s.states[identifier]
	if found != nil || s.options.OnMissingState == nil {
		s.mu.Unlock()
		if found == nil {
			then(nil, &Error{Code: protocol.CodeStateNotFound, Reason: "there is no such state"})
		} else {
			then(found, nil)
		}
		return
	}
	waiting, asked := s.missing[identifier]
	if asked {
		s.missing[identifier] = append(waiting, arrival{client, then})
		s.mu.Unlock()
		return
	}
	s.missing[identifier] = nil
	s.mu.Unlock()
	s.askForState(identifier, arrival{client, then})
}

// askForState asks the program for the first of those who wait.
func (s *StateSyncer) askForState(identifier string, first arrival) {
	ask(s, s.ctx, func(ctx context.Context) (StateOptions, error) {
		return s.options.OnMissingState(ctx, identifier, first.client)
	}, func(options StateOptions, err error) {
		if err == nil {
			options.Identifier = identifier
			_, err = safely(s.ctx, func(context.Context) (*state, error) { return s.create(options, true) }) // it has methods of the program
			if errors.Is(err, ErrStateExists) {
				err = nil
			}
		}
		s.arrive(identifier, first, err)
	})
}

// arrive lets go on who waited for the state: all of them if it exists now, else the first is refused and the next one
// asked for.
func (s *StateSyncer) arrive(identifier string, first arrival, err error) {
	s.mu.Lock()
	found, waiting := s.states[identifier], s.missing[identifier]
	if found != nil || len(waiting) == 0 {
		delete(s.missing, identifier)
	} else {
		s.missing[identifier] = waiting[1:]
	}
	s.mu.Unlock()
	if found == nil {
		first.then(nil, s.missingReason(identifier, err))
		if len(waiting) > 0 {
			s.askForState(identifier, waiting[0])
		}
		return
	}
	first.then(found, nil)
	for _, a := range waiting {
		a.then(found, nil)
	}
}

// missingReason returns what a client is told: the reason of the program's own refusal, and nothing of other errors.
func (s *StateSyncer) missingReason(identifier string, err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		code := ours.Code
		if code.Class() != protocol.StateOver && code.Class() != protocol.Reconnect {
			code = protocol.CodeStateNotFound
		}
		return &Error{Code: code, Reason: reasonOf(ours)}
	}
	if err == nil {
		return &Error{Code: protocol.CodeStateRemoved, Reason: "the state was removed while it was joined"}
	}
	s.options.Logger.Error("OnMissingState made no state", "state", identifier, "error", err)
	return &Error{Code: protocol.CodeStateUnavailable}
}
