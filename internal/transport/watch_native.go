//go:build !js

package transport

import (
	"context"
	"sync"
)

// watch ends an operation when its context ends. It stays registered between
// operations, so that a context that is used again and again costs no
// allocation for each.
type watch struct {
	interrupt func()

	mu     sync.Mutex
	done   <-chan struct{} // of the context that is watched
	stop   func() bool
	active bool
}

// begin is called before an operation. An error means that ctx has ended.
func (w *watch) begin(ctx context.Context) error {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done != done {
		w.forget()
		w.done = done
		w.stop = context.AfterFunc(ctx, func() { w.fire(done) })
	}
	// Asked under the lock: a context that ends later finds active set.
	err := ctx.Err()
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
