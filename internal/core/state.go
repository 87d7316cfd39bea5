package core

import (
	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// StatePhase is the phase of a State.
type StatePhase uint8

// The phases of a State.
const (
	StateJoining StatePhase = iota // the server has not yet let the client in
	StateJoined                    // it has, at least once; the connection may be down at the moment
	StateClosed                    // left, or ended by the server: the State is of no more use
)

var statePhaseNames = [...]string{"joining", "joined", "closed"}

// String returns the phase's name: joining, joined or closed.
func (p StatePhase) String() string {
	if int(p) < len(statePhaseNames) {
		return statePhaseNames[p]
	}
	return "unknown"
}

// State is one state that the client wants to follow. Leave, or the server, ends it; then Core.Join makes a new one.
type State struct {
	core       *Core
	identifier string
	users      int
	phase      StatePhase

	// On this connection.
	n       uint32 // the state's number; 0: its join was not sent
	granted bool   // the server has answered the join
	onWire  int    // of the pending changes, from the front: sent here, or known to have been received before
	waiting bool   // stands in core.ready

	// The cursor.
	known     bool // the server has sent a value: epoch, version and confirmed are of it
	resumable bool // the next join may name the cursor; not after the server broke its order
	epoch     string
	version   uint64
	confirmed document.Value
	compact   bool   // confirmed is as the server sent it: see expand
	answered  uint64 // every own change numbered up to here has been answered
	numbered  uint64 // the highest number given to an own change
	forgotten bool   // the server has lost the session since changes were sent

	durability string // what the server said at the last join

	pendings
	view document.Value
	reports
}

func newState(c *Core, identifier string) *State {
	s := &State{core: c, identifier: identifier, confirmed: document.EmptyObject, view: document.EmptyObject}
	s.shown = s.view
	s.pendings = newPendings()
	s.changedAt = map[string]uint64{}
	return s
}

// Identifier returns the state's identifier.
func (s *State) Identifier() string { return s.identifier }

// Leave gives up one use. The last one settles the pending changes with the code closed and leaves on the wire. On a
// closed state it does nothing.
func (s *State) Leave() {
	if s.phase == StateClosed {
		return
	}
	if s.users--; s.users > 0 {
		return
	}
	if !s.drain() {
		s.leaveWire()
	}
	s.core.forget(s)
	s.end(&protocol.Error{Code: protocol.CodeClosed, Reason: "the state was left"}, protocol.CodeClosed)
}

// leaveWire takes back a join that was not sent, or sends a leave.
func (s *State) leaveWire() {
	c := s.core
	if d := c.drains[s.identifier]; d != nil {
		d.next = nil
	}
	if s.n != 0 {
		delete(c.numbers, s.n)
		c.controls = append(c.controls, control{leave: s.n})
	}
	for i := range c.controls {
		if c.controls[i].join == s {
			c.controls = append(c.controls[:i], c.controls[i+1:]...)
			break
		}
	}
	s.unlink()
}

// rejoin leaves the state and joins it anew with a snapshot, because its value can no longer be told from what the
// server sends.
func (s *State) rejoin() {
	s.leaveWire()
	s.resumable = false
	s.core.controls = append(s.core.controls, control{join: s})
}

// unlink forgets what belongs to the connection.
func (s *State) unlink() {
	s.recall()
	s.n, s.granted, s.waiting = 0, false, false
}

// recall takes the state's changes off the wire.
func (s *State) recall() {
	for _, p := range s.pending[:s.onWire] {
		s.core.inFlight -= p.wireSize
	}
	s.onWire = 0
}

// end closes the state and settles its pending changes: those that were sent with the code sent.
func (s *State) end(err *protocol.Error, sent protocol.Code) {
	s.flush()
	s.unlink()
	s.phase = StateClosed
	s.settleAll(err, sent)
	s.delay(Rollback)
	s.flush()
}

// View returns the confirmed value with the pending changes replayed on it; {} before the state was joined. A closed
// state keeps its last confirmed value.
func (s *State) View() document.Value { return s.view }

// Confirmed returns the value as of Version; {} before the state was joined.
func (s *State) Confirmed() document.Value { return s.confirmed }

// Version returns the version of Confirmed.
func (s *State) Version() uint64 { return s.version }

// Epoch returns the incarnation of the state that the client follows; empty before the first join.
func (s *State) Epoch() string { return s.epoch }

// Durability returns what it means that the server accepts a change or sends one, as it said at the last join: memory,
// written, synced, or a name of a later server; empty before the first join.
func (s *State) Durability() string {
	if s.durability == "" && s.known {
		return "memory"
	}
	return s.durability
}

// Phase returns whether the state is being joined, joined or closed.
func (s *State) Phase() StatePhase { return s.phase }

// Pending returns the number of changes without a verdict.
func (s *State) Pending() int { return len(s.pending) }

// taken returns the value of a snapshot as it becomes the confirmed one.
func (s *State) taken(v document.Value) document.Value {
	if s.compact = s.core.config.Compact; s.compact {
		return v
	}
	return v.Expanded()
}

// expand makes reads and writes of the confirmed value cheap, if it is still as it came: see Config.Compact.
func (s *State) expand() {
	if !s.compact {
		return
	}
	s.compact = false
	compact := s.confirmed
	s.confirmed = compact.Expanded()
	if s.view == compact {
		s.view = s.confirmed
	}
	if s.shown == compact {
		s.shown = s.confirmed
	}
}

// step moves the version and tells the observer.
func (s *State) step(to uint64, jump bool) {
	from := s.version
	s.version = to
	if s.core.config.OnVersion != nil {
		s.core.config.OnVersion(s, from, to, jump)
	}
}
