package server

import (
	"context"
	"time"
)

// startClock lets the state end by its ttl.
func (s *state) startClock() {
	if s.options.TTL <= 0 {
		return
	}
	stop := s.server.options.clock.AfterFunc(s.server.left(s.createdAt, s.options.TTL), func() { s.server.removeState(s, "its time to live is over") })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed || s.rested {
		stop()
		return
	}
	s.stopTimers = stop
}

// left returns how much of its time to live a state has; at most what a time.Duration holds.
func (s *StateSyncer) left(createdAt time.Time, ttl time.Duration) time.Duration {
	return max(0, createdAt.Add(ttl).Sub(s.options.clock.Now()))
}

// askSelfDestruct asks the state's rule whether it shall end, on a goroutine of its own. While the rule has not returned
// it is not asked again, so that one that hangs holds one goroutine; afterwards it is, once.
func (s *state) askSelfDestruct() {
	rule := s.options.SelfDestruct
	if rule == nil || s.restored && s.server.isYoung() {
		return
	}
	s.mu.Lock()
	clients, visited := s.members, s.visited
	if s.asking || s.removed {
		s.askAgain = s.asking
		s.mu.Unlock()
		return
	}
	s.asking = true
	s.mu.Unlock()
	ask(s.server, s.server.ctx, func(context.Context) (bool, error) {
		defer s.ruleReturned()
		return destructs(rule, clients, visited, s.createdAt), nil
	}, func(yes bool, err error) {
		if err != nil {
			s.server.options.Logger.Error("SelfDestruct gave no answer", "state", s.identifier, "error", err)
			return
		}
		if now, _ := s.clients(); yes && now == clients {
			s.server.removeState(s, "its rule for self-destruction says so")
		} else if yes {
			s.askSelfDestruct() // somebody came or went meanwhile
		}
	})
}

// ruleReturned lets the rule be asked again.
func (s *state) ruleReturned() {
	s.mu.Lock()
	again := s.askAgain
	s.asking, s.askAgain = false, false
	s.mu.Unlock()
	if again {
		s.askSelfDestruct()
	}
}

// isYoung reports whether clients of an earlier process may still be on their way back.
func (s *StateSyncer) isYoung() bool {
	return s.options.clock.Now().Sub(s.began) < s.options.ReconnectGrace
}

// askResting asks the rule of a state that rests, and so has no clients, whether it shall end.
func (s *StateSyncer) askResting(r *resting) {
	rule, h := r.options.SelfDestruct, r.header
	if rule == nil || r.restored && s.isYoung() {
		return
	}
	ask(s, s.ctx, func(context.Context) (bool, error) { return destructs(rule, 0, h.Visited, h.CreatedAt), nil },
		func(yes bool, err error) {
			if err != nil {
				s.options.Logger.Error("SelfDestruct gave no answer", "state", h.Identifier, "error", err)
			} else if yes {
				s.removeWhere(h.Identifier, r, "its rule for self-destruction says so")
			}
		})
}

// destructs asks the rule. A state that nobody has joined yet ends only if it would with nobody and with one client:
// otherwise a rule about the number of clients would end it before the first.
func destructs(rule func(int, time.Time) bool, clients int, visited bool, createdAt time.Time) bool {
	if !visited {
		return rule(0, createdAt) && rule(1, createdAt)
	}
	return rule(clients, createdAt)
}

// clients returns how many sessions count as clients, and whether there ever was one.
func (s *state) clients() (count int, visited bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.members, s.visited
}
