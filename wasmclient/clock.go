package wasmclient

import (
	"context"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// clock is the driver's clock by package time.
type clock struct {
	began time.Time
	timer *time.Timer
	rings chan struct{}
}

func newClock() driver.Clock {
	c := &clock{began: time.Now().Add(-time.Millisecond), rings: make(chan struct{}, 1)}
	c.timer = time.AfterFunc(time.Hour, c.ring)
	return c
}

func (c *clock) ring() {
	select {
	case c.rings <- struct{}{}:
	default:
	}
}

func (c *clock) Now() int64             { return time.Since(c.began).Milliseconds() }
func (c *clock) Rings() <-chan struct{} { return c.rings }
func (c *clock) Stop()                  { c.timer.Stop() }

func (c *clock) Reset(after int64) {
	if after < 0 {
		c.timer.Stop()
		return
	}
	c.timer.Reset(time.Duration(after) * time.Millisecond)
}

// contextOf returns the bound as a context, which natively it is.
func contextOf(b driver.Bound) context.Context {
	if ctx, ok := b.(context.Context); ok {
		return ctx
	}
	return boundContext{b}
}

// boundContext is a context that is nothing but a bound.
type boundContext struct{ driver.Bound }

func (boundContext) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (boundContext) Value(any) any                           { return nil }

func (c boundContext) Err() error {
	if c.Bound.Err() != nil {
		return context.Canceled
	}
	return nil
}
