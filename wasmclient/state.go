package wasmclient

import (
	"context"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// State is a state that the client is connected to. It stays so across lost connections, until Leave or until the server
// ends it; then its methods return the error that says so. All methods may be called from any goroutine, also from
// listeners.
type State driver.State

func (s *State) driver() *driver.State { return (*driver.State)(s) }

// Identifier returns the state's identifier.
func (s *State) Identifier() string { return s.driver().Identifier() }

// Ready waits until the state's value is there for the first time. The error is that of a state that is over, as from
// [State.Err], or that of ctx.
func (s *State) Ready(ctx context.Context) error { return s.driver().Ready(ctx) }

// Joined reports whether the state's value has been there, so that Ready would not wait, and the state is not over.
func (s *State) Joined() bool { return s.driver().Joined() }

// Done is closed when the state is over: it was left, the server ended it, or the client has ended. Err says why.
func (s *State) Done() <-chan struct{} { return s.driver().Done() }

// GetState returns the state as this client sees it: the confirmed value with the changes of this client that have no
// verdict yet. A change of this client is in it as soon as the method that makes it has begun to wait. After the state
// has ended it is the last value.
func (s *State) GetState() document.Value { return s.driver().GetState() }

// Confirmed returns the value that the server has confirmed, and its version: the number of changes that the state has
// accepted since it was made.
func (s *State) Confirmed() (value document.Value, version uint64) { return s.driver().Confirmed() }

// Version returns the version that the server has confirmed.
func (s *State) Version() uint64 { return s.driver().Version() }

// Durability returns what it means that a change is accepted, or seen at all, as the server said when the state was
// joined: "memory", it is lost with the server's process; "written", it survives that; "synced", it survives a loss of
// power too. It may change when the client has come back to a server that was started with other options. Empty before
// the state was joined.
func (s *State) Durability() string { return s.driver().Durability() }

// Pending returns how many changes of this client to the state have no verdict yet.
func (s *State) Pending() int { return s.driver().Pending() }

// Err returns nil while the state is connected, and after it has ended why.
func (s *State) Err() error { return s.driver().Err() }

// AddStateUpdateListener calls the listener with every update of the view from now on that touches one of the given
// top-level properties, or any when none is given. A listener with properties is told of those only. A listener with
// the same identifier is replaced, in its place.
//
// Updates come in order, also those of this client's own changes, one call at a time over all listeners of the client,
// on a goroutine of their own: a listener may call the client and wait for a verdict. A slow listener delays the
// listeners, nothing else: see [WithListenerBacklog]. A panic is reported to [Client.OnError].
func (s *State) AddStateUpdateListener(listenerIdentifier string, call func(Update), properties ...string) {
	s.driver().AddStateUpdateListener(listenerIdentifier, hearing(call), properties...)
}

// RemoveStateUpdateListener takes the listener away and reports whether it was there. When it returns no further call of
// the listener begins; one that is running goes on.
func (s *State) RemoveStateUpdateListener(listenerIdentifier string) bool {
	return s.driver().RemoveStateUpdateListener(listenerIdentifier)
}

// Leave gives the state up for one of those who connected to it. The last one ends it: its listeners are not called
// again, and changes that have no verdict settle with [ErrClosed], those that may have reached the server also with
// [ErrOutcomeUnknown]. Further calls do nothing.
func (s *State) Leave() { s.driver().Leave() }
