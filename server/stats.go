package server

import "sync/atomic"

// Stats is what a StateSyncer has done and holds. The numbers are not taken at one moment.
type Stats struct {
	Connections int    // with and without a session
	Sessions    int    // that can be resumed, those with a connection included
	States      int    // in memory and in the store
	Resting     int    // those of them that are in the store only
	Accepted    uint64 // changes, by clients and by the program
	Refused     uint64 // changes, whatever the reason
	BytesIn     uint64 // of frames, without what WebSocket adds
	BytesOut    uint64
}

type counts struct{ accepted, refused, bytesIn, bytesOut atomic.Uint64 }

// Stats returns the current numbers. It is cheap enough to be called every second.
func (s *StateSyncer) Stats() Stats {
	s.mu.Lock()
	connections, states, resting := len(s.peers), len(s.states), len(s.stored)
	s.mu.Unlock()
	return Stats{
		Connections: connections,
		Sessions:    s.sessions.count(),
		States:      states + resting,
		Resting:     resting,
		Accepted:    s.counts.accepted.Load(),
		Refused:     s.counts.refused.Load(),
		BytesIn:     s.counts.bytesIn.Load(),
		BytesOut:    s.counts.bytesOut.Load(),
	}
}
