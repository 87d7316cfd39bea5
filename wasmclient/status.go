package wasmclient

import (
	"time"

	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// Phase is the phase of the connection.
type Phase uint8

// The phases of a connection.
const (
	Connecting Phase = iota + 1 // dialing, or waiting for the server's welcome
	Connected                   // the server has welcomed the client
	Waiting                     // the connection was lost or could not be made; the next attempt is due at NextRetry
	Closed                      // the client was closed
	Failed                      // given up for good: LastError says why
)

var phaseNames = [...]string{
	Connecting: "connecting",
	Connected:  "connected",
	Waiting:    "waiting",
	Closed:     "closed",
	Failed:     "failed",
}

// String returns the phase's name: connecting, connected, waiting, closed or failed.
func (p Phase) String() string {
	if int(p) < len(phaseNames) && p != 0 {
		return phaseNames[p]
	}
	return "unknown"
}

// Status describes the connection, as a user may want to see it.
type Status struct {
	Phase         Phase
	EverConnected bool          // the server has welcomed the client at least once
	Attempt       int           // attempts to connect since the last connection that lasted
	NextRetry     time.Time     // in phase Waiting: when the next attempt is due
	Pending       int           // changes without a verdict, over all states
	Latency       time.Duration // of the last change that was answered; 0: unknown
	LastError     error         // why the last connection was lost or could not be made; nil: none was
}

// Status returns the status of the connection.
func (c *Client) Status() Status { return c.statusOf(c.driver().Status()) }

// OnStatus calls the listener when the phase of the connection, the attempt or the last error changes. A listener that
// is slow is told of the last status and misses those between. The returned function takes the listener off again.
func (c *Client) OnStatus(listener func(Status)) (unsubscribe func()) {
	return c.driver().OnStatus(func(status driver.Status) { listener(c.statusOf(status)) })
}

var phases = map[core.Phase]Phase{
	core.Idle:       Connecting,
	core.Connecting: Connecting,
	core.Connected:  Connected,
	core.Waiting:    Waiting,
	core.Ended:      Closed,
	core.Failed:     Failed,
}

// statusOf gives the driver's status its times.
func (c *Client) statusOf(of driver.Status) Status {
	status := Status{
		Phase:         phases[of.Phase],
		EverConnected: of.EverConnected,
		Attempt:       of.Attempt,
		Pending:       of.Pending,
		Latency:       time.Duration(of.Latency) * time.Millisecond,
	}
	if clock, ok := c.driver().Clock().(*clock); ok && of.Phase == core.Waiting {
		status.NextRetry = clock.began.Add(time.Duration(of.NextRetry) * time.Millisecond)
	}
	if of.LastError != nil {
		status.LastError = of.LastError
	}
	return status
}
