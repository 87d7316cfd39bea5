package driver

import "github.com/server-state-sync/server-state-sync/internal/core"

// now is the core's clock.
func (c *Client) now() core.Time { return c.clock.Now() }

// event hands an event to the core, does what it asks for, and wakes the writer.
func (c *Client) event(handle func(now core.Time)) {
	c.mu.Lock()
	defer c.unlock()
	c.eventLocked(handle)
}

// eventLocked is event for callers that hold mu.
func (c *Client) eventLocked(handle func(now core.Time)) {
	c.step(handle)
	if c.core.HasOutput() {
		c.link.poke()
	}
}

// step hands an event to the core and begins what it asks for, which waits for nothing. It is called with mu held.
func (c *Client) step(handle func(now core.Time)) {
	handle(c.now())
	for _, effect := range c.core.Effects() {
		c.perform(effect)
	}
	if wake := c.core.NextWake(); wake != 0 && (c.wakeAt == 0 || wake < c.wakeAt) {
		c.wakeAt = wake
		poke(c.rewind)
	}
}

func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// perform begins what the core asks for.
func (c *Client) perform(effect core.Effect) {
	switch e := effect.(type) {
	case core.Dial:
		c.openLink()
	case core.Disconnect:
		c.link.drop(e.Code, e.Reason)
		c.link = nil
	case core.Settled:
		c.settle(e)
	case core.Changed:
		c.changed(e)
	case core.Joined:
		c.joined(e)
	case core.Closed:
		c.stateClosed(e)
	case core.StatusChanged:
		c.statusChanged()
	case core.Problem:
		c.problem(e)
	}
}

// problem reports an error about the connection with its cause.
func (c *Client) problem(e core.Problem) {
	if c.lossCause == nil {
		c.callbacks.report(e.Error)
		return
	}
	c.callbacks.report(&connectionProblem{e.Error, c.lossCause})
}

// runClock ticks the core when it asked to be woken, and when the network came back.
func (c *Client) runClock() {
	defer c.clock.Stop()
	for {
		c.clock.Reset(c.untilWake())
		select {
		case <-c.closed:
			return
		case <-c.rewind:
		case <-c.online:
			c.event(c.core.Online)
		case <-c.clock.Rings():
			c.event(c.core.Tick)
		}
	}
}

// untilWake returns how many milliseconds the core wants to sleep; a negative number means for ever.
func (c *Client) untilWake() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wakeAt = c.core.NextWake(); c.wakeAt == 0 {
		return -1
	}
	return max(0, c.wakeAt-c.now())
}
