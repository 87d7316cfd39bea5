package wasmclient

import (
	"context"
	"errors"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// TokenSource returns the access token for one attempt to connect. It is asked again at every attempt, so a token that
// expired is replaced by the next. It runs on a goroutine of the client, never twice at a time; ctx ends when the
// connect timeout passes or the client closes. An error fails the attempt: it is reported, and the next attempt
// follows after the backoff. The empty token means none.
type TokenSource func(ctx context.Context) (string, error)

// Option changes one default of [New].
type Option func(*options) error

type options struct{ driver.Options }

func newOptions(accessToken string, opts []Option) (options, error) {
	o := options{driver.Options{
		Clock: newClock,
		Token: func(driver.Bound) (string, error) { return accessToken, nil },
	}}
	for _, option := range opts {
		if err := option(&o); err != nil {
			return options{}, err
		}
	}
	return o, nil
}

// WithTokenSource asks source for the access token at every attempt to connect, in place of the fixed token given to
// [New].
func WithTokenSource(source TokenSource) Option {
	return func(o *options) error {
		if source == nil {
			return errors.New("the token source is nil")
		}
		o.Token = func(b driver.Bound) (string, error) { return source(contextOf(b)) }
		return nil
	}
}

// WithTokenInQuery sends the access token as the query parameter "token" of the endpoint, for servers or proxies that
// see neither headers nor subprotocols. Its price: URLs are written to logs. By default the token is sent in the
// Authorization header, and in a browser, which cannot set one, as an offered subprotocol.
func WithTokenInQuery() Option {
	return func(o *options) error {
		o.TokenInQuery = true
		return nil
	}
}

// WithBackoff sets between which bounds the wait before a new attempt to connect grows, 500 milliseconds and 20 seconds
// by default. The wait is drawn at random below the bound that has been reached (full jitter), so that clients that
// lost their server together do not come back together.
func WithBackoff(shortest, longest time.Duration) Option {
	return func(o *options) error {
		if shortest < time.Millisecond || longest < shortest {
			return errors.New("the backoff must be at least a millisecond, and its longest wait not below its shortest")
		}
		o.BackoffMin, o.BackoffMax = shortest.Milliseconds(), longest.Milliseconds()
		return nil
	}
}

// WithConnectTimeout limits one attempt to connect, the token source's time included; 10 seconds by default.
func WithConnectTimeout(limit time.Duration) Option {
	return func(o *options) error {
		if limit < time.Millisecond {
			return errors.New("the connect timeout must be at least a millisecond")
		}
		o.ConnectTimeout = limit.Milliseconds()
		return nil
	}
}

// WithPendingLimit bounds, for each state, the changes that have no verdict yet, in number and in bytes of their JSON
// text: 10,000 and 16 MiB by default. At the bound [State.Submit] and the methods that wait for a verdict block until
// there is room. A higher bound keeps more edits while offline, and costs memory and replay.
func WithPendingLimit(changes, bytes int) Option {
	return func(o *options) error {
		if changes < 1 || bytes < 1 {
			return errors.New("the pending limit must be at least one change and one byte")
		}
		o.PendingChanges, o.PendingBytes = changes, bytes
		return nil
	}
}

// WithListenerBacklog bounds, for each state, the updates that wait because a listener is slow; 1,024 by default. At the
// bound all that wait become one [Update] with origin [CatchUp] that leads to the same view.
func WithListenerBacklog(updates int) Option {
	return func(o *options) error {
		if updates < 1 {
			return errors.New("the listener backlog must be at least one update")
		}
		o.ListenerBacklog = updates
		return nil
	}
}
