package wasmclient

import (
	"context"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// Client is one client of one server. All methods may be called from any goroutine at any time, also from listeners.
//
// The methods of the original package (UpdateState, GetState, AddStateUpdateListener and such) act on the state that
// was connected last. Programs that connect to several states use the [State] that ConnectToState returns.
type Client driver.Client

// New returns a client of the server at endpoint, a URL with the scheme ws, wss, http or https, and begins to connect.
// It never waits: [Client.OnConnection] does. The clientIdentifier names this client to the server; it need not be
// unique. The accessToken is sent at every attempt to connect, and none when it is empty; see [WithTokenSource] for
// tokens that expire. The error says which argument is wrong. The client must be closed in the end.
func New(endpoint, clientIdentifier, accessToken string, opts ...Option) (*Client, error) {
	o, err := newOptions(accessToken, opts)
	if err != nil {
		return nil, err
	}
	c, err := driver.New(endpoint, clientIdentifier, o.Options)
	return (*Client)(c), err
}

func (c *Client) driver() *driver.Client { return (*driver.Client)(c) }

// OnConnection waits until the client is connected and returns nil; at once if it is. The error is that of a client that
// has given up for good, such as [ErrUnauthorized]; [ErrClosed]; or that of ctx. While the client tries again it waits
// on: [Client.OnError] hears of every attempt that failed.
func (c *Client) OnConnection(ctx context.Context) error { return c.driver().OnConnection(ctx) }

// ConnectToState connects to the state and returns it when its value is there. It may be called while the client is not
// connected yet, and for several states: each stays connected until [State.Leave]. A second call for the same state
// returns the same State and counts one more user of it.
//
// The error is an [Error] with the server's code, such as [ErrStateNotFound] and [ErrNotAllowed]; that of a client that
// has given up; or that of ctx, and then the state is left again.
func (c *Client) ConnectToState(ctx context.Context, identifier string) (*State, error) {
	s, err := c.driver().ConnectToState(ctx, identifier)
	return (*State)(s), err
}

// State begins to connect to the state and returns it without waiting; [State.Ready] waits. Until then its value is an
// empty object, and changes wait to be sent. Like [Client.ConnectToState] it counts one more user of the state, but the
// state does not become the one connected last.
func (c *Client) State(identifier string) *State { return (*State)(c.driver().State(identifier)) }

// OnError calls the listener with every error that no caller waits for: lost and refused connections, a token source
// that failed, states that the server ended, a panic in a listener, and the refusal of a change whose caller had
// stopped waiting. It may be called any number of times; every listener hears every error. Up to 64 errors that came
// before there was a listener are kept for the first. The returned function takes the listener off again.
func (c *Client) OnError(listener func(error)) (unsubscribe func()) {
	return c.driver().OnError(listener)
}

// Close ends the client: every pending change settles, with [ErrClosed] or, if it may have reached the server, also
// with [ErrOutcomeUnknown]; states and the connection close; listeners are not called again. It waits until that is
// done and the goroutines of the client have ended, so it waits for a listener that is running; called inside a listener
// it does not wait. It may be called more than once and returns nil.
func (c *Client) Close() error { return c.driver().Close() }

// UpdateState is [State.UpdateState] of the state connected last.
func (c *Client) UpdateState(ctx context.Context, updates any) (version uint64, err error) {
	s, err := c.driver().Current()
	if err != nil {
		return 0, err
	}
	return (*State)(s).UpdateState(ctx, updates)
}

// PatchState is [State.PatchState] of the state connected last.
func (c *Client) PatchState(ctx context.Context, ops ...document.PatchOp) (version uint64, err error) {
	return c.driver().PatchState(ctx, ops...)
}

// Transact is [State.Transact] of the state connected last.
func (c *Client) Transact(ctx context.Context, reads []string, update func(previous document.Value) (updates any, err error)) (version uint64, err error) {
	return c.driver().Transact(ctx, reads, valued(update))
}

// GetState is [State.GetState] of the state connected last; without one it is an empty object.
func (c *Client) GetState() document.Value { return c.driver().GetState() }

// AddStateUpdateListener is [State.AddStateUpdateListener] of the state connected last. Before any was connected the
// listener is kept for the first.
func (c *Client) AddStateUpdateListener(listenerIdentifier string, call func(Update), properties ...string) {
	c.driver().AddStateUpdateListener(listenerIdentifier, hearing(call), properties...)
}

// RemoveStateUpdateListener is [State.RemoveStateUpdateListener] of the state connected last.
func (c *Client) RemoveStateUpdateListener(listenerIdentifier string) bool {
	return c.driver().RemoveStateUpdateListener(listenerIdentifier)
}
