package driver

import (
	"math/rand/v2"
	"sync"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
)

// Client is one client of one server. All methods may be called from any goroutine at any time, also from listeners.
type Client struct {
	endpoint string
	options  Options
	clock    Clock
	stopped  func() // ends the watch of the surroundings

	closed     chan struct{} // closed when the client closes
	goroutines sync.WaitGroup
	rewind     chan struct{} // holds one: the core wants to be woken earlier than the clock knows
	online     chan struct{} // holds one: the network is back

	// mu guards all that follows, the core with its states, and the fields of State, link, callbacks and hearing that
	// say so. It is never held while something waits or a function of the user runs.
	mu        sync.Mutex
	core      *core.Core
	wakeAt    core.Time // when the clock will tick; 0: it does not know of any time
	link      *link     // the one that the core knows; nil: none
	lossCause error     // while the core is told of a loss: its cause
	states    map[*core.State]*State
	last      *State                   // connected last; nil: none, or it was left
	ended     error                    // why the server ended the state connected last; nil: it did not, or was left
	early     []*listener              // added before any state was connected
	pending   map[core.Ticket]*Pending // changes without a verdict
	connected chan struct{}            // closed while the client is connected
	over      chan struct{}            // closed when the client has failed or was closed
	overErr   error                    // why, once over is closed
	callbacks callbacks
	followed  []*follower // those that have something to show
}

// New returns a client of the server at endpoint, a URL with the scheme ws, wss, http or https, and begins to connect.
// The error says which argument is wrong. The client must be closed in the end.
func New(endpoint, clientIdentifier string, o Options) (*Client, error) {
	url, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	o.setDefaults()
	session := make([]byte, 18)
	fillRandom(session)
	machine, err := core.New(core.Config{
		Session:          encodeToken(string(session)),
		ClientIdentifier: clientIdentifier,
		Random:           rand.Uint64,
		BackoffMin:       o.BackoffMin,
		BackoffMax:       o.BackoffMax,
		ConnectTimeout:   o.ConnectTimeout,
		MaxPending:       o.PendingChanges,
		MaxPendingBytes:  o.PendingBytes,
		MaxFrame:         maxFrame,
		Compact:          o.Compact,
	})
	if err != nil {
		return nil, err
	}
	c := newClient(url, o, machine)
	c.run()
	return c, nil
}

func newClient(endpoint string, o Options, machine *core.Core) *Client {
	return &Client{
		endpoint:  endpoint,
		options:   o,
		clock:     o.Clock(),
		closed:    make(chan struct{}),
		rewind:    make(chan struct{}, 1),
		online:    make(chan struct{}, 1),
		core:      machine,
		states:    map[*core.State]*State{},
		pending:   map[core.Ticket]*Pending{},
		connected: make(chan struct{}),
		over:      make(chan struct{}),
		callbacks: callbacks{wake: make(chan struct{}, 1)},
	}
}

func (c *Client) run() {
	c.stopped = watchSurroundings(func() { poke(c.online) })
	c.goroutines.Go(c.runClock)
	c.goroutines.Go(c.runCallbacks)
	c.event(c.core.Start)
}

// OnConnection waits until the client is connected.
func (c *Client) OnConnection(b Bound) error {
	c.mu.Lock()
	connected := c.connected
	c.mu.Unlock()
	select {
	case <-connected:
		return nil
	case <-c.over:
		return c.overErr
	case <-b.Done():
		return waitEnded(b, "the client is not connected yet")
	}
}

// ConnectToState connects to the state and returns it when its value is there, and the same State to each who connects
// to it. When b ends first the state is left again.
func (c *Client) ConnectToState(b Bound, identifier string) (*State, error) {
	s := c.State(identifier)
	if err := s.Ready(b); err != nil {
		if b.Err() != nil {
			s.Leave()
		}
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	c.last, c.ended = s, nil
	for _, l := range c.early {
		s.addListener(l)
	}
	c.early = nil
	return s, nil
}

// States returns how many states the client keeps account of.
func (c *Client) States() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.states)
}

// State begins to connect to the state and returns it without waiting, with one more user.
func (c *Client) State(identifier string) *State {
	c.mu.Lock()
	defer c.unlock()
	joined := c.core.Join(identifier)
	s := c.states[joined]
	if s == nil {
		s = &State{client: c, identifier: identifier, ready: make(chan struct{}), over: make(chan struct{}), core: joined}
		s.hearing.limit = c.options.ListenerBacklog
		c.states[joined] = s
	}
	s.users++
	c.eventLocked(func(core.Time) {}) // a state that cannot be joined is closed at once
	return s
}

// OnError calls the listener with every error that no caller waits for.
func (c *Client) OnError(listener func(error)) (unsubscribe func()) {
	return subscribe(c, &c.callbacks.errorListeners, listener)
}

// Close ends the client and waits for its goroutines, but not when it is called inside a listener. It returns nil.
func (c *Client) Close() error {
	c.event(c.core.Close)
	c.mu.Lock()
	first := !c.callbacks.closed
	c.callbacks.closed = true
	c.finish(ErrClosed)
	c.callbacks.poke()
	c.link.drop(0, "") // whatever the core has made of it
	c.mu.Unlock()
	if first {
		close(c.closed)
		c.stopped()
	}
	if !inUserCall() {
		c.goroutines.Wait()
	}
	return nil
}

// finish is called with mu held when the client has failed or was closed.
func (c *Client) finish(err error) {
	select {
	case <-c.over:
	default:
		c.overErr = err
		close(c.over)
	}
}

// Current returns the state that was connected last.
func (c *Client) Current() (*State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		return c.last, nil
	}
	select {
	case <-c.over:
		return nil, c.overErr
	default:
	}
	if c.ended != nil {
		return nil, c.ended
	}
	return nil, ErrNotConnectedToState
}

// UpdateState is [State.UpdateState] of the state connected last.
func (c *Client) UpdateState(b Bound, updates document.Value) (version uint64, err error) {
	s, err := c.Current()
	if err != nil {
		return 0, err
	}
	return s.UpdateState(b, updates)
}

// PatchState is [State.PatchState] of the state connected last.
func (c *Client) PatchState(b Bound, ops ...document.PatchOp) (version uint64, err error) {
	s, err := c.Current()
	if err != nil {
		return 0, err
	}
	return s.PatchState(b, ops...)
}

// Transact is [State.Transact] of the state connected last.
func (c *Client) Transact(b Bound, reads []string, update func(previous document.Value) (updates document.Value, err error)) (version uint64, err error) {
	s, err := c.Current()
	if err != nil {
		return 0, err
	}
	return s.Transact(b, reads, update)
}

// GetState is [State.GetState] of the state connected last; without one it is an empty object.
func (c *Client) GetState() document.Value {
	s, err := c.Current()
	if err != nil {
		return document.EmptyObject
	}
	return s.GetState()
}

// AddStateUpdateListener is [State.AddStateUpdateListener] of the state connected last. Before any was connected the
// listener is kept for the first.
func (c *Client) AddStateUpdateListener(listenerIdentifier string, call func(Update), properties ...string) {
	l := newListener(listenerIdentifier, call, properties)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		c.last.addListener(l)
		return
	}
	c.removeEarly(listenerIdentifier)
	c.early = append(c.early, l)
}

// RemoveStateUpdateListener is [State.RemoveStateUpdateListener] of the state connected last.
func (c *Client) RemoveStateUpdateListener(listenerIdentifier string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		return c.last.hearing.remove(listenerIdentifier)
	}
	return c.removeEarly(listenerIdentifier)
}

func (c *Client) removeEarly(identifier string) bool {
	for i, l := range c.early {
		if l.identifier == identifier {
			c.early = append(c.early[:i:i], c.early[i+1:]...)
			return true
		}
	}
	return false
}
