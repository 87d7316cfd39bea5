package wasmclient

import (
	"context"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// WithDial makes connections by the function, without a network.
func WithDial(dial func(ctx context.Context, endpoint, token string) (transport.Conn, error)) Option {
	return func(o *options) error {
		o.dial = dial
		return nil
	}
}

// What the tests look at from within.
var (
	Coalesce    = coalesce
	EncodeToken = encodeToken
	WithToken   = withToken
	Pointer     = pointer
)

// Only and After are how listeners see an update.
func (u Update) Only(properties ...string) Update { return u.only(properties) }

// Turns is the turns of a state without a client around it.
type Turns = turns
