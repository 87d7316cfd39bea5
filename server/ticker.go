package server

import "time"

// beatsPerHeartbeat is how often all connections are looked at within one heartbeat.
const beatsPerHeartbeat = 8

// restsPerRest is how often states are looked at within the time after which they rest.
const restsPerRest = 4

// startTicking starts the goroutine that looks at all connections and all states from time to time. There is one for
// the server, and none before it is needed.
func (s *StateSyncer) startTicking() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ticking || s.closed || s.options.InterceptTimeout < 0 {
		return
	}
	s.ticking = true
	s.goroutines.add(1)
	go s.tick()
}

// tick runs until the server ends. Tests without goroutines call beat and askAll instead.
func (s *StateSyncer) tick() {
	defer s.goroutines.add(-1)
	beats := time.NewTicker(s.options.Heartbeat / beatsPerHeartbeat)
	defer beats.Stop()
	asks := time.NewTicker(s.options.SelfDestructInterval)
	defer asks.Stop()
	rests := make(<-chan time.Time)
	if s.options.Store != nil && s.options.RestAfter > 0 {
		ticker := time.NewTicker(max(s.options.RestAfter/restsPerRest, time.Millisecond))
		defer ticker.Stop()
		rests = ticker.C
	}
	for {
		select {
		case <-beats.C:
			s.beat()
		case <-asks.C:
			s.askAll()
		case <-rests:
			s.restAll()
		case <-s.ctx.Done():
			return
		}
	}
}

// beat gives every connection its heartbeat.
func (s *StateSyncer) beat() {
	now := s.options.clock.Now()
	for _, p := range s.allPeers() {
		p.beat(now)
	}
}

// askAll asks every state with a rule whether it shall end.
func (s *StateSyncer) askAll() {
	for _, state := range s.allStates() {
		state.askSelfDestruct()
	}
	for _, r := range s.allResting() {
		s.askResting(r)
	}
}
