package driver

import "github.com/server-state-sync/server-state-sync/internal/transport"

// Bound says how long a call may wait. Every context.Context is one.
type Bound = transport.Bound

// Forever is the bound of a call that waits as long as it takes.
var Forever Bound = forever{}

type forever struct{}

func (forever) Done() <-chan struct{} { return nil }
func (forever) Err() error            { return nil }

// Clock tells a client the time and wakes it. A client stops its clock when it has closed.
type Clock interface {
	// Now returns the milliseconds since some time before the client was made. It is more than 0 and never goes back.
	Now() int64

	// Reset has the clock ring once after so many milliseconds, in the place of a ring that was set before. A negative
	// number sets none. A ring too many does no harm.
	Reset(after int64)

	// Rings returns the channel of the rings, which holds one.
	Rings() <-chan struct{}

	// Stop ends the clock.
	Stop()
}
