package wasmclient

import (
	"context"

	"github.com/server-state-sync/server-state-sync/internal/driver"
	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// WithDial makes connections by the function, without a network.
func WithDial(dial func(ctx context.Context, endpoint, token string) (transport.Conn, error)) Option {
	return func(o *options) error {
		o.Dial = func(b driver.Bound, endpoint, token string) (transport.Conn, error) {
			return dial(contextOf(b), endpoint, token)
		}
		return nil
	}
}

// States is how many states the client keeps account of.
func (c *Client) States() int { return c.driver().States() }
