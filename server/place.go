package server

import "github.com/server-state-sync/server-state-sync/protocol"

// maxRefused bounds the connections that are only told why they may not connect. They are counted apart, so that those
// who may not connect never keep out those who may.
const maxRefused = 1024

// place is what a connection takes from the beginning of its handshake to its end. The server's lock guards it.
type place struct{ refused bool }

// begin counts a connection at the beginning of its handshake; nil when there is no place even to tell it why it may
// not connect. With a refusal it has a place only for that. Whoever gets a place gives it back.
func (s *StateSyncer) begin() (*place, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, nil
	case s.connected < s.options.Limits.Connections:
		s.connected++
		s.drivers.add(1)
		return &place{}, nil
	case s.turnedAway < maxRefused:
		s.turnedAway++
		s.drivers.add(1)
		return &place{refused: true}, failure(protocol.CodeOverloaded, "the server has as many connections as it may")
	}
	return nil, nil
}

// refuse counts a connection among those that are only told why they may not connect; false when these are too many.
func (s *StateSyncer) refuse(p *place) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.refused {
		return true
	}
	if s.turnedAway >= maxRefused {
		return false
	}
	p.refused = true
	s.connected--
	s.turnedAway++
	return true
}

// giveBack ends what begin began.
func (s *StateSyncer) giveBack(p *place) {
	s.mu.Lock()
	if p.refused {
		s.turnedAway--
	} else {
		s.connected--
	}
	s.mu.Unlock()
	s.drivers.add(-1)
}
