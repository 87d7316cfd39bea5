//go:build js

package driver

import "github.com/server-state-sync/server-state-sync/internal/pageclock"

// pageClock is the page's clock.
type pageClock struct {
	*pageclock.Timer
	began int64
}

// PageClock returns a clock over the page's timers.
func PageClock() Clock { return pageClock{pageclock.New(), pageclock.Now() - 1} }

// Now returns the milliseconds since the clock was made.
func (c pageClock) Now() int64 { return pageclock.Now() - c.began }
