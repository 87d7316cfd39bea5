package core

import (
	"errors"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Core is the state machine of one client.
type Core struct{ config Config }

// New returns a Core that does nothing before Start. The error says which field of the Config is wrong.
func New(config Config) (*Core, error) { return nil, errors.New("soon") }

// Start asks for the first connection.
func (c *Core) Start(now Time) {}

// Connected reports that the connection asked for by Dial is open.
func (c *Core) Connected(now Time) {}

// Received handles a whole frame from the server. The core keeps nothing of the slice.
func (c *Core) Received(now Time, frame []byte) {}

// Lost reports that the connection ended, or could not be made. Frames that came before it are delivered first.
func (c *Core) Lost(now Time, loss Loss) {}

// Tick lets time pass: at NextWake, or at any other time.
func (c *Core) Tick(now Time) {}

// Online reports that the network is back: a backoff ends at once, but not a wait that the server advised.
func (c *Core) Online(now Time) {}

// Close ends the client: pending changes settle with the code closed, states close, the connection is dropped.
func (c *Core) Close(now Time) {}

// Join returns the state and counts one more user of it. The first one joins it on the wire. After Close or a terminal
// failure the state that it returns is already closed.
func (c *Core) Join(identifier string) *State { return nil }

// Status returns what a user may want to see of the connection.
func (c *Core) Status() Status { return Status{} }

// Output appends the next frame to send to dst, of at most max bytes unless a single message is longer, and returns
// the result: dst itself when nothing is to be sent. What it returned counts as sent.
func (c *Core) Output(now Time, dst []byte, max int) []byte { return dst }

// Effects returns the effects since the last call; they are the caller's.
func (c *Core) Effects() []Effect { return nil }

// NextWake returns when Tick is due; 0: not at all.
func (c *Core) NextWake() Time { return 0 }

// Phase is the phase of the connection.
type Phase uint8

// The phases of a connection.
const (
	Idle       Phase = iota // before Start
	Connecting              // dialing, or waiting for the server's welcome
	Connected               // the server has welcomed the client
	Waiting                 // the connection was lost; the next attempt is due at NextRetry
	Offline                 // the client was closed
	Failed                  // given up for good: LastError says why
)

// Status describes the connection.
type Status struct {
	Phase         Phase
	EverConnected bool            // the server has welcomed the client at least once
	Attempt       int             // dials since the last stable connection
	NextRetry     Time            // in phase Waiting: when the next dial is due
	Pending       int             // changes without a verdict, over all states
	Latency       Time            // between the last answered message and its answer; 0: unknown
	LastError     *protocol.Error // of the last loss; nil: none
}

// State is one state that the client wants to follow. Leave, or the server, ends it; then Core.Join makes a new one.
type State struct{ core *Core }

// StatePhase is the phase of a State.
type StatePhase uint8

// The phases of a State.
const (
	StateJoining StatePhase = iota // the server has not yet let the client in
	StateJoined                    // it has, at least once; the connection may be down at the moment
	StateClosed                    // left, or ended by the server: the State is of no more use
)

// Identifier returns the state's identifier.
func (s *State) Identifier() string { return "" }

// Leave gives up one use. The last one settles the pending changes as closed and leaves on the wire.
func (s *State) Leave() {}

// Submit applies the change to the view and queues it. An error (*protocol.Error or *document.Error) says at once that
// it cannot apply, and then it gets no verdict.
func (s *State) Submit(now Time, change Change) (Ticket, error) { return 0, nil }

// View returns the confirmed value with the pending changes replayed on it: {} before the state was joined.
func (s *State) View() document.Value { return document.Value{} }

// Confirmed returns the value as of Version: {} before the state was joined.
func (s *State) Confirmed() document.Value { return document.Value{} }

// Version returns the version of Confirmed.
func (s *State) Version() uint64 { return 0 }

// Epoch returns the incarnation of the state that the client follows; empty before the first join.
func (s *State) Epoch() string { return "" }

// Phase returns whether the state is being joined, joined or closed.
func (s *State) Phase() StatePhase { return 0 }

// Pending returns the number of changes without a verdict.
func (s *State) Pending() int { return 0 }

// Basis returns a mark of the view at this moment, for a Transaction computed from it.
func (s *State) Basis() Basis { return Basis{} }

// Basis is an opaque mark of a state's view.
type Basis struct {
	tick  uint64
	epoch string
}
