package server

import (
	"context"
	"sync/atomic"
)

// ask calls a callback of the program, on a goroutine of its own and with a deadline, and hands its answer to then:
// errDeadline when it was too late, a *panicError when it panicked. then is called once, without a lock. With a negative
// InterceptTimeout everything happens before ask returns.
func ask[T any](s *StateSyncer, base context.Context, callback func(context.Context) (T, error), then func(T, error)) {
	if s.options.InterceptTimeout < 0 {
		then(safely(base, callback))
		return
	}
	ctx, cancel := context.WithTimeout(base, s.options.InterceptTimeout)
	var answered atomic.Bool
	stop := context.AfterFunc(ctx, func() {
		if answered.CompareAndSwap(false, true) {
			var none T
			then(none, s.whyLate())
		}
	})
	s.later(func() {
		defer cancel()
		if base.Done() == nil {
			defer context.AfterFunc(s.ctx, cancel)()
		}
		answer, err := safely(ctx, callback)
		if stop(); ctx.Err() != nil {
			err = s.whyLate()
		}
		if answered.CompareAndSwap(false, true) {
			then(answer, err)
		}
	})
}

// whyLate returns the error for a callback whose context has ended.
func (s *StateSyncer) whyLate() error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	return errDeadline
}

// safely turns a panic of the callback into an error.
func safely[T any](ctx context.Context, callback func(context.Context) (T, error)) (answer T, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value}
		}
	}()
	return callback(ctx)
}

// aside runs f without holding up the caller; with a negative InterceptTimeout before it returns.
func (s *StateSyncer) aside(f func()) {
	if s.options.InterceptTimeout < 0 {
		f()
		return
	}
	s.later(f)
}

// later runs f on a goroutine that Shutdown and Close wait for.
func (s *StateSyncer) later(f func()) {
	s.goroutines.add(1)
	go func() {
		defer s.goroutines.add(-1)
		f()
	}()
}
