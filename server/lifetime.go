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
	stop := s.server.options.clock.AfterFunc(s.options.TTL, func() { s.server.removeState(s, "its time to live is over") })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		stop()
		return
	}
	s.stopTimers = stop
}

// askSelfDestruct asks the state's rule whether it shall end, on a goroutine of its own.
func (s *state) askSelfDestruct() {
	rule := s.options.SelfDestruct
	if rule == nil {
		return
	}
	clients, visited := s.clients()
	ask(s.server, s.server.ctx, func(context.Context) (bool, error) { return destructs(rule, clients, visited, s.createdAt), nil },
		func(yes bool, err error) {
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
