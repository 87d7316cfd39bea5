package driver

import "github.com/server-state-sync/server-state-sync/internal/transport"

// The defaults of the options.
const (
	defaultBackoffMin      = 500    // milliseconds
	defaultBackoffMax      = 20_000 // milliseconds
	defaultConnectTimeout  = 10_000 // milliseconds
	defaultPendingChanges  = 10_000
	defaultPendingBytes    = 16 << 20
	defaultListenerBacklog = 1024
)

// Options are the options of New. Only Clock must be set: zero means the default of the option of that name in package
// wasmclient.
type Options struct {
	Clock           func() Clock                  // makes the client's clock
	Token           func(b Bound) (string, error) // asked at every attempt to connect; nil: there is no token
	TokenInQuery    bool
	BackoffMin      int64 // milliseconds
	BackoffMax      int64 // milliseconds
	ConnectTimeout  int64 // milliseconds
	PendingChanges  int
	PendingBytes    int
	ListenerBacklog int
	Compact         bool // who uses the client takes values as text: see core.Config

	// Dial makes a connection to the endpoint and offers the token; nil: over a WebSocket.
	Dial func(b Bound, endpoint, token string) (transport.Conn, error)

	PlatformOptions
}

func (o *Options) setDefaults() {
	o.BackoffMin = orDefault(o.BackoffMin, defaultBackoffMin)
	o.BackoffMax = orDefault(o.BackoffMax, defaultBackoffMax)
	o.ConnectTimeout = orDefault(o.ConnectTimeout, defaultConnectTimeout)
	o.PendingChanges = orDefault(o.PendingChanges, defaultPendingChanges)
	o.PendingBytes = orDefault(o.PendingBytes, defaultPendingBytes)
	o.ListenerBacklog = orDefault(o.ListenerBacklog, defaultListenerBacklog)
	if o.Token == nil {
		o.Token = func(Bound) (string, error) { return "", nil }
	}
	if o.Dial == nil {
		platform := *o
		o.Dial = platform.dial
	}
}

func orDefault[T int | int64](value, standard T) T {
	if value == 0 {
		return standard
	}
	return value
}
