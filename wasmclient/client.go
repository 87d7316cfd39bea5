package wasmclient

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
)

// Client is one client of one server. All methods may be called from any goroutine at any time, also from listeners.
//
// The methods of the original package (UpdateState, GetState, AddStateUpdateListener and such) act on the state that
// was connected last. Programs that connect to several states use the [State] that ConnectToState returns.
type Client struct {
	endpoint string
	options  options
	began    time.Time
	stopped  func() // ends the watch of the surroundings

	ctx        context.Context // ends when the client closes
	cancel     context.CancelFunc
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
}

// New returns a client of the server at endpoint, a URL with the scheme ws, wss, http or https, and begins to connect.
// It never waits: [Client.OnConnection] does. The clientIdentifier names this client to the server; it need not be
// unique. The accessToken is sent at every attempt to connect, and none when it is empty; see [WithTokenSource] for
// tokens that expire. The error says which argument is wrong. The client must be closed in the end.
func New(endpoint, clientIdentifier, accessToken string, opts ...Option) (*Client, error) {
	url, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	o, err := newOptions(accessToken, opts)
	if err != nil {
		return nil, err
	}
	session := make([]byte, 18)
	fillRandom(session)
	machine, err := core.New(core.Config{
		Session:          encodeToken(string(session)),
		ClientIdentifier: clientIdentifier,
		Random:           rand.Uint64,
		BackoffMin:       o.backoffMin.Milliseconds(),
		BackoffMax:       o.backoffMax.Milliseconds(),
		ConnectTimeout:   o.connectTimeout.Milliseconds(),
		MaxPending:       o.pendingChanges,
		MaxPendingBytes:  o.pendingBytes,
		MaxFrame:         maxFrame,
	})
	if err != nil {
		return nil, err
	}
	c := newClient(url, o, machine)
	c.run()
	return c, nil
}

func newClient(endpoint string, o options, machine *core.Core) *Client {
	c := &Client{
		endpoint:  endpoint,
		options:   o,
		began:     time.Now().Add(-time.Millisecond), // the core's clock starts above 0
		rewind:    make(chan struct{}, 1),
		online:    make(chan struct{}, 1),
		core:      machine,
		states:    map[*core.State]*State{},
		pending:   map[core.Ticket]*Pending{},
		connected: make(chan struct{}),
		over:      make(chan struct{}),
		callbacks: callbacks{wake: make(chan struct{}, 1)},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

func (c *Client) run() {
	c.stopped = watchSurroundings(func() { poke(c.online) })
	c.goroutines.Go(c.runClock)
	c.goroutines.Go(c.runCallbacks)
	c.event(c.core.Start)
}

// OnConnection waits until the client is connected and returns nil; at once if it is. The error is that of a client that
// has given up for good, such as [ErrUnauthorized]; [ErrClosed]; or that of ctx. While the client tries again it waits
// on: [Client.OnError] hears of every attempt that failed.
func (c *Client) OnConnection(ctx context.Context) error {
	c.mu.Lock()
	connected := c.connected
	c.mu.Unlock()
	select {
	case <-connected:
		return nil
	case <-c.over:
		return c.overErr
	case <-ctx.Done():
		return waitEnded(ctx, "the client is not connected yet")
	}
}

// ConnectToState connects to the state and returns it when its value is there. It may be called while the client is not
// connected yet, and for several states: each stays connected until [State.Leave]. A second call for the same state
// returns the same State and counts one more user of it.
//
// The error is an [Error] with the server's code, such as [ErrStateNotFound] and [ErrNotAllowed]; that of a client that
// has given up; or that of ctx, and then the state is left again.
func (c *Client) ConnectToState(ctx context.Context, identifier string) (*State, error) {
	s := c.State(identifier)
	if err := s.Ready(ctx); err != nil {
		if ctx.Err() != nil {
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

// State begins to connect to the state and returns it without waiting; [State.Ready] waits. Until then its value is an
// empty object, and changes wait to be sent. Like [Client.ConnectToState] it counts one more user of the state, but the
// state does not become the one connected last.
func (c *Client) State(identifier string) *State { return c.join(identifier) }

// join returns the state with one more user.
func (c *Client) join(identifier string) *State {
	c.mu.Lock()
	defer c.mu.Unlock()
	joined := c.core.Join(identifier)
	s := c.states[joined]
	if s == nil {
		s = &State{client: c, identifier: identifier, ready: make(chan struct{}), over: make(chan struct{}), core: joined}
		s.hearing.limit = c.options.listenerBacklog
		c.states[joined] = s
	}
	s.users++
	c.eventLocked(func(core.Time) {}) // a state that cannot be joined is closed at once
	return s
}

// OnError calls the listener with every error that no caller waits for: lost and refused connections, a token source
// that failed, states that the server ended, a panic in a listener, and the refusal of a change whose caller had
// stopped waiting. It may be called any number of times; every listener hears every error. Up to 64 errors that came
// before there was a listener are kept for the first. The returned function takes the listener off again.
func (c *Client) OnError(listener func(error)) (unsubscribe func()) {
	return subscribe(c, &c.callbacks.errorListeners, listener)
}

// Close ends the client: every pending change settles, with [ErrClosed] or, if it may have reached the server, also
// with [ErrOutcomeUnknown]; states and the connection close; listeners are not called again. It waits until that is
// done and the goroutines of the client have ended, so it waits for a listener that is running; called inside a listener
// it does not wait. It may be called more than once and returns nil.
func (c *Client) Close() error {
	c.event(c.core.Close)
	c.mu.Lock()
	first := !c.callbacks.closed
	c.callbacks.closed = true
	c.finish(ErrClosed)
	c.callbacks.poke()
	c.mu.Unlock()
	c.cancel()
	if first {
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

// current returns the state that was connected last.
func (c *Client) current() (*State, error) {
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
func (c *Client) UpdateState(ctx context.Context, updates any) (version uint64, err error) {
	s, err := c.current()
	if err != nil {
		return 0, err
	}
	return s.UpdateState(ctx, updates)
}

// PatchState is [State.PatchState] of the state connected last.
func (c *Client) PatchState(ctx context.Context, ops ...document.PatchOp) (version uint64, err error) {
	s, err := c.current()
	if err != nil {
		return 0, err
	}
	return s.PatchState(ctx, ops...)
}

// Transact is [State.Transact] of the state connected last.
func (c *Client) Transact(ctx context.Context, reads []string, update func(previous document.Value) (updates any, err error)) (version uint64, err error) {
	s, err := c.current()
	if err != nil {
		return 0, err
	}
	return s.Transact(ctx, reads, update)
}

// GetState is [State.GetState] of the state connected last; without one it is an empty object.
func (c *Client) GetState() document.Value {
	s, err := c.current()
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
