package driver

import "github.com/server-state-sync/server-state-sync/internal/core"

// Status describes the connection, with times in milliseconds: NextRetry is one of the client's clock.
type Status = core.Status

// Waiting is the phase between two attempts.
const Waiting = core.Waiting

// Status returns the status of the connection.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Status()
}

// Clock returns the client's clock.
func (c *Client) Clock() Clock { return c.clock }

// OnStatus calls the listener when the phase of the connection, the attempt or the last error changes. A listener that
// is slow misses those between. The returned function takes the listener off again.
func (c *Client) OnStatus(listener func(Status)) (unsubscribe func()) {
	return subscribe(c, &c.callbacks.statusListeners, listener)
}

// statusChanged is called with mu held. It lets those go who wait for the connection, and tells the listeners.
func (c *Client) statusChanged() {
	status := c.core.Status()
	select {
	case <-c.connected:
		if status.Phase != core.Connected {
			c.connected = make(chan struct{})
		}
	default:
		if status.Phase == core.Connected {
			close(c.connected)
		}
	}
	if status.Phase == core.Failed {
		c.finish(status.LastError)
	}
	c.callbacks.statusChanged = true
	c.callbacks.poke()
}
