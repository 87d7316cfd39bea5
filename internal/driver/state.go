package driver

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// State is a state that the client is connected to. All methods may be called from any goroutine, also from listeners.
type State struct {
	client     *Client
	identifier string
	ready      chan struct{} // closed when the value is there for the first time, or the state is over
	over       chan struct{} // closed when the state is over

	// Guarded by Client.mu.
	core      *core.State
	users     int
	err       error // why the state is over; nil: it is not
	hearing   hearing
	followers []*follower
	room      line // those who wait for room for a change
	turns     turns
}

// Identifier returns the state's identifier.
func (s *State) Identifier() string { return s.identifier }

// Ready waits until the state's value is there for the first time.
func (s *State) Ready(b Bound) error {
	select {
	case <-s.ready:
		return s.Err()
	case <-b.Done():
		return waitEnded(b, "the state "+quote(s.identifier)+" is not connected yet")
	}
}

// Joined reports whether the state's value has been there, and the state is not over.
func (s *State) Joined() bool { return s.isReady() && s.Err() == nil }

// Done is closed when the state is over.
func (s *State) Done() <-chan struct{} { return s.over }

// GetState returns the state as this client sees it.
func (s *State) GetState() document.Value {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.core.View()
}

// Confirmed returns the value that the server has confirmed, and its version.
func (s *State) Confirmed() (value document.Value, version uint64) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.core.Confirmed(), s.core.Version()
}

// Version returns the version that the server has confirmed.
func (s *State) Version() uint64 {
	_, version := s.Confirmed()
	return version
}

// Durability returns what it means that a change is accepted, as the server said when the state was joined.
func (s *State) Durability() string {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.core.Durability()
}

// Pending returns how many changes of this client to the state have no verdict yet.
func (s *State) Pending() int {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.core.Pending()
}

// Err returns nil while the state is connected, and after it has ended why.
func (s *State) Err() error {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.err
}

// AddStateUpdateListener calls the listener with every update of the view from now on that touches one of the given
// top-level properties, or any when none is given. A listener with the same identifier is replaced, in its place.
func (s *State) AddStateUpdateListener(listenerIdentifier string, call func(Update), properties ...string) {
	l := newListener(listenerIdentifier, call, properties)
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	s.addListener(l)
}

func newListener(identifier string, call func(Update), properties []string) *listener {
	return &listener{identifier: identifier, call: call, properties: slices.Clone(properties)}
}

// addListener is called with mu held.
func (s *State) addListener(l *listener) {
	if s.err != nil {
		return
	}
	l.seen, l.version = s.core.View(), s.core.Version()
	s.hearing.add(l)
}

// RemoveStateUpdateListener takes the listener away and reports whether it was there.
func (s *State) RemoveStateUpdateListener(listenerIdentifier string) bool {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.hearing.remove(listenerIdentifier)
}

// Leave gives the state up for one of those who connected to it. The last one ends it.
func (s *State) Leave() {
	c := s.client
	c.mu.Lock()
	defer c.unlock()
	if s.users == 0 {
		return
	}
	s.users--
	c.eventLocked(func(core.Time) { s.core.Leave() })
	if s.users == 0 && s.err == nil {
		s.end(&Error{Code: protocol.CodeClosed, Reason: "the state " + quote(s.identifier) + " was left"})
	}
}

// end is called with mu held when the state is over, after its changes have settled.
func (s *State) end(err error) {
	s.err = err
	close(s.over)
	if !s.isReady() {
		close(s.ready)
	}
	s.hearing.end()
	s.room.letAll()
	delete(s.client.states, s.core)
	if s.client.last == s {
		s.client.last = nil
		if s.users > 0 {
			s.client.ended = err
		}
	}
}

func (s *State) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// joined is called with mu held when the server has let the client into the state.
func (c *Client) joined(e core.Joined) {
	if s := c.states[e.State]; s != nil && !s.isReady() {
		close(s.ready)
	}
}

// stateClosed is called with mu held when the server or the end of the client has ended the state.
func (c *Client) stateClosed(e core.Closed) {
	s := c.states[e.State]
	if s == nil {
		return
	}
	err := &Error{Code: e.Code, Reason: e.Reason}
	if s.isReady() && e.Code != protocol.CodeClosed && c.core.Status().Phase != core.Failed { // the client's own end is told by itself
		c.callbacks.report(&stateProblem{s.identifier, err})
	}
	s.end(err)
}

// stateProblem reports to OnError that the server ended a state.
type stateProblem struct {
	identifier string
	cause      *Error
}

func (e *stateProblem) Error() string {
	return "the state " + quote(e.identifier) + " has ended: " + e.cause.Error()
}
func (e *stateProblem) Unwrap() error { return e.cause }

// changed is called with mu held when the view of a state is another than before.
func (c *Client) changed(e core.Changed) {
	if s := c.states[e.State]; s != nil {
		s.tellFollowers(e.Update)
		c.callbacks.listen(s, e.Update)
	}
}
