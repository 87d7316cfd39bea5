//go:build !js

package transport

import (
	"context"
	"sync"
	"time"
)

// watch ends an operation when its bound ends. It stays registered between
// operations, so that a bound that is used again and again costs no
// allocation for each.
type watch struct {
	interrupt func()

	mu     sync.Mutex
	done   <-chan struct{} // of the bound that is watched
	stop   func() bool
	active bool
}

// begin is called before an operation. An error means that b has ended.
func (w *watch) begin(b Bound) error {
	done := b.Done()
	if done == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done != done {
		w.forget()
		w.done = done
		w.stop = context.AfterFunc(contextOf(b), func() { w.fire(done) })
	}
	// Asked under the lock: a bound that ends later finds active set.
	err := b.Err()
	w.active = err == nil
	return err
}

// end is called after an operation that began.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active = false
}

func (w *watch) fire(done <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.active && w.done == done {
		w.interrupt()
	}
}

// close ends the watching.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget()
	w.done = nil
}

func (w *watch) forget() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// contextOf returns the bound as a context, which it mostly is.
func contextOf(b Bound) context.Context {
	if ctx, ok := b.(context.Context); ok {
		return ctx
	}
	return boundContext{b}
}

// boundContext is a context that is nothing but a bound.
type boundContext struct{ Bound }

func (boundContext) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }
func (boundContext) Value(any) any                           { return nil }
