package pageclock

import (
	"syscall/js"
	_ "unsafe" // for linkname
)

// longest is the longest time that a page sets a timer for, in milliseconds.
const longest = 1<<31 - 1

// nanotime is the runtime's monotonic clock, which package time reads too, and that package is 30 KB of the browser's
// download. Every event asks for the time, and the runtime asks performance.now without a js.Value.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

// Now returns the page's time in milliseconds. It never goes back; where it begins has no meaning.
func Now() int64 { return nanotime() / 1e6 }

// Timer rings once after each Reset. It is for one goroutine.
type Timer struct {
	rings   chan struct{}
	handler js.Func
	set     js.Value // what the page knows the next ring by; undefined: none is set
}

// New returns a timer that is not set. It must be stopped in the end.
func New() *Timer {
	t := &Timer{rings: make(chan struct{}, 1)}
	t.handler = js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case t.rings <- struct{}{}:
		default:
		}
		return nil
	})
	return t
}

// Rings returns the channel that gets the rings. It holds one.
func (t *Timer) Rings() <-chan struct{} { return t.rings }

// Reset lets the timer ring after so many milliseconds, in the place of a ring that was set before and of one that was
// not taken. A negative number sets none; after 24 days the timer rings too early.
func (t *Timer) Reset(after int64) {
	t.clear()
	select {
	case <-t.rings:
	default:
	}
	if after >= 0 {
		t.set = js.Global().Call("setTimeout", t.handler, min(after, longest))
	}
}

func (t *Timer) clear() {
	if !t.set.IsUndefined() {
		js.Global().Call("clearTimeout", t.set)
		t.set = js.Undefined()
	}
}

// Stop ends the timer for good.
func (t *Timer) Stop() {
	t.clear()
	t.handler.Release()
}
