package server

import (
	"context"
	"errors"
	"reflect"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// arrival is what a connection waits for of a state that does not exist: one join, or several if it has left meanwhile.
type arrival struct {
	peer *peer
	then []func(*state, *Error)
}

func (a *arrival) answer(s *state, err *Error) {
	for _, then := range a.then {
		then(s, err)
	}
}

// arrivals are the connections that wait for one state. The StateSyncer's lock guards it.
type arrivals struct {
	by      map[*peer]*arrival
	waiting queue[*arrival] // the program was not asked yet
	asked   int             // the program is being asked for so many
	refused bool            // it has refused somebody
}

// askedAtOnce is for how many the program is asked at once when the first was refused: until then one asks for all, and
// afterwards nobody shall wait long behind others that are refused.
const askedAtOnce = 16

// findState hands the state to then, having asked the program to make it where it does not exist. Those who ask at the
// same time wait for one answer. One client's refusal is not another's, unless the program knows both as the same: each
// is asked about until somebody has made the state.
func (s *StateSyncer) findState(identifier string, p *peer, then func(*state, *Error)) {
	s.mu.Lock()
	found := s.states[identifier]
	if s.isStored(identifier) {
		s.mu.Unlock()
		s.aside(func() { s.findStored(identifier, p, then) })
		return
	}
	if found != nil || s.options.OnMissingState == nil {
		s.mu.Unlock()
		if found == nil {
			then(nil, &Error{Code: protocol.CodeStateNotFound, Reason: "there is no such state"})
		} else {
			then(found, nil)
		}
		return
	}
	all := s.missing[identifier]
	if all == nil {
		all = &arrivals{by: make(map[*peer]*arrival)}
		s.missing[identifier] = all
	}
	all.add(p, then, s.options.Limits.Connections)
	s.mu.Unlock()
	s.askNext(identifier)
}

// isStored reports whether the state is there and has to be waited for. The lock is held.
func (s *StateSyncer) isStored(identifier string) bool {
	moving, r := s.opening[identifier], s.stored[identifier]
	return moving != nil && moving.stays || r != nil && (r.named || r.damage != nil)
}

// findStored is findState for a state that rests.
func (s *StateSyncer) findStored(identifier string, p *peer, then func(*state, *Error)) {
	found, err := s.find(s.ctx, identifier)
	var reason *Error
	switch {
	case err == nil:
		then(found, nil)
	case errors.Is(err, ErrStateNotFound) && s.ctx.Err() == nil:
		s.findState(identifier, p, then) // it was removed meanwhile
	case errors.As(err, &reason):
		then(nil, reason)
	default:
		then(nil, &Error{Code: protocol.CodeStateUnavailable})
	}
}

// add lets a join wait. Connections that have ended are forgotten when there are more than there may be connections.
func (l *arrivals) add(p *peer, then func(*state, *Error), connections int) {
	if a := l.by[p]; a != nil {
		a.then = append(a.then, then)
		return
	}
	if l.waiting.len() >= connections {
		l.take(func(a *arrival) bool { return a.peer.ended() })
	}
	a := &arrival{p, []func(*state, *Error){then}}
	l.by[p] = a
	l.waiting.push(a)
}

// take removes those who wait and are meant.
func (l *arrivals) take(meant func(*arrival) bool) (taken []*arrival) {
	for range l.waiting.len() {
		a := l.waiting.pop()
		if meant(a) {
			delete(l.by, a.peer)
			taken = append(taken, a)
		} else {
			l.waiting.push(a)
		}
	}
	return taken
}

// next returns the one to ask for, if somebody is to be asked for now. Connections that have ended are passed over.
func (l *arrivals) next() *arrival {
	for !l.waiting.empty() && (l.asked == 0 || l.refused && l.asked < askedAtOnce) {
		a := l.waiting.pop()
		if !a.peer.ended() {
			l.asked++
			return a
		}
		delete(l.by, a.peer)
	}
	return nil
}

// askNext asks the program for those whose turn it is.
func (s *StateSyncer) askNext(identifier string) {
	for {
		var next *arrival
		s.mu.Lock()
		if all := s.missing[identifier]; all != nil {
			if next = all.next(); next == nil && all.asked == 0 {
				delete(s.missing, identifier)
			}
		}
		s.mu.Unlock()
		if next == nil {
			return
		}
		s.askForState(identifier, next)
	}
}

// askForState asks the program for one of those who wait.
func (s *StateSyncer) askForState(identifier string, first *arrival) {
	ask(s, s.ctx, func(ctx context.Context) (StateOptions, error) {
		return s.options.OnMissingState(ctx, identifier, first.peer.client)
	}, func(options StateOptions, err error) {
		var found *state
		if err == nil {
			options.Identifier = identifier
			// Guarded, because the initial value may have methods of the program, and so has the store.
			found, err = safely(s.ctx, func(ctx context.Context) (*state, error) {
				if err := s.create(options, true); err != nil && !errors.Is(err, ErrStateExists) {
					return nil, err
				}
				return s.find(ctx, identifier)
			})
		}
		s.arrive(identifier, first, found, err)
	})
}

// arrive lets go on who waited for the state: all of them if it exists now, else those who are refused.
func (s *StateSyncer) arrive(identifier string, first *arrival, found *state, err error) {
	s.mu.Lock()
	if now := s.states[identifier]; now != nil {
		found = now // also when somebody else made it
	}
	all := s.missing[identifier]
	all.asked--
	all.refused = found == nil
	delete(all.by, first.peer)
	others := all.take(func(a *arrival) bool { return found != nil || sameClient(a.peer.client, first.peer.client) })
	s.mu.Unlock()
	var reason *Error
	if found == nil {
		reason = s.missingReason(identifier, err)
	}
	first.answer(found, reason)
	for _, a := range others {
		a.answer(found, reason)
	}
	s.askNext(identifier)
}

// sameClient reports whether the program knows both by equal information.
func sameClient(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// missingReason returns what a client is told: the reason of the program's own refusal, and nothing of other errors.
func (s *StateSyncer) missingReason(identifier string, err error) *Error {
	var ours *Error
	if errors.As(err, &ours) && ours != nil {
		switch class := ours.Code.Class(); {
		case ours.Code == protocol.CodeRefused:
			return &Error{Code: protocol.CodeStateNotFound, Reason: reasonOf(ours)}
		case class == protocol.StateOver || class == protocol.Reconnect:
			return &Error{Code: ours.Code, Reason: reasonOf(ours)}
		} // others say what is wrong with the program's options
	}
	if err == nil || errors.Is(err, ErrStateNotFound) {
		return &Error{Code: protocol.CodeStateRemoved, Reason: "the state was removed while it was joined"}
	}
	s.options.Logger.Error("OnMissingState made no state", "state", identifier, "error", err)
	return &Error{Code: protocol.CodeStateUnavailable}
}
