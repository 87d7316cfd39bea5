package driver

import (
	"runtime"
	"slices"
	"strings"
)

// mostProblems bounds the errors that wait for an OnError listener; those beyond are counted and reported as one.
const mostProblems = 64

// callbacks is what waits for the callback goroutine, the only one that runs the listeners of a client: one call at a
// time, outside of the lock. All of it is guarded by Client.mu but wake.
type callbacks struct {
	wake chan struct{} // holds one: there is something to do, or the client has closed

	ready           []*State // states with updates that wait, each once; served in turn
	problems        []error
	dropped         int // problems that did not fit
	errorListeners  []*subscription[error]
	statusChanged   bool
	statusListeners []*subscription[Status]
	closed          bool
}

// A subscription is a listener that is known by its address.
type subscription[T any] struct {
	call        func(T)
	unsubscribe func()
	gone        bool // guarded by Client.mu
}

func (b *callbacks) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// report keeps the error for the OnError listeners.
func (b *callbacks) report(err error) {
	if len(b.problems) >= mostProblems {
		b.dropped++
		return
	}
	b.problems = append(b.problems, err)
	b.poke()
}

// takeProblem returns the oldest error if somebody listens.
func (b *callbacks) takeProblem() (error, bool) {
	if len(b.errorListeners) == 0 {
		return nil, false
	}
	if len(b.problems) > 0 {
		err := b.problems[0]
		b.problems = slices.Delete(b.problems, 0, 1)
		return err, true
	}
	if n := b.dropped; n > 0 {
		b.dropped = 0
		return &droppedProblems{n}, true
	}
	return nil, false
}

// listen queues the update for the state's listeners.
func (b *callbacks) listen(s *State, u Update) {
	if !s.hearing.put(u) || s.hearing.scheduled {
		return
	}
	s.hearing.scheduled = true
	b.ready = append(b.ready, s)
	b.poke()
}

// takeUpdate returns the oldest update of the state whose turn it is.
func (b *callbacks) takeUpdate() (*State, queued, bool) {
	for len(b.ready) > 0 {
		s := b.ready[0]
		b.ready = slices.Delete(b.ready, 0, 1)
		q, ok := s.hearing.next()
		if s.hearing.scheduled = len(s.hearing.queue) > 0; s.hearing.scheduled {
			b.ready = append(b.ready, s)
		}
		if ok {
			return s, q, true
		}
	}
	return nil, queued{}, false
}

// runCallbacks is the callback goroutine. It ends after Close, when the last status and the errors have been told.
func (c *Client) runCallbacks() {
	for range c.callbacks.wake {
		for c.callBack() {
		}
		c.mu.Lock()
		closed := c.callbacks.closed
		c.mu.Unlock()
		if closed {
			return
		}
	}
}

// callBack makes the calls of one thing that waits: an error, the status, or one update of one state. It reports
// whether there was any.
func (c *Client) callBack() bool {
	c.mu.Lock()
	if err, ok := c.callbacks.takeProblem(); ok {
		subscribers := c.callbacks.errorListeners
		c.mu.Unlock()
		publish(c, "an OnError listener", subscribers, err)
		return true
	}
	if c.callbacks.statusChanged {
		c.callbacks.statusChanged = false
		status, subscribers := c.core.Status(), c.callbacks.statusListeners
		c.mu.Unlock()
		publish(c, "an OnStatus listener", subscribers, status)
		return true
	}
	state, q, ok := c.callbacks.takeUpdate()
	if !ok {
		c.mu.Unlock()
		return false
	}
	listeners := state.hearing.listeners
	c.mu.Unlock()
	c.deliver(listeners, q)
	return true
}

func (c *Client) deliver(listeners []*listener, q queued) {
	for _, l := range listeners {
		c.mu.Lock()
		u, ok := l.take(q)
		c.mu.Unlock()
		if !ok {
			continue
		}
		if problem := guard(func() { l.call(u) }); problem != nil {
			problem.In = "the listener " + quote(l.identifier)
			c.report(problem)
		}
	}
}

// publish calls the subscribers. One that panics is not called again: a broken OnError listener would be told of its
// own panic for ever.
func publish[T any](c *Client, what string, subscribers []*subscription[T], v T) {
	for _, s := range subscribers {
		c.mu.Lock()
		gone := s.gone
		c.mu.Unlock()
		if gone {
			continue
		}
		if problem := guard(func() { s.call(v) }); problem != nil {
			s.unsubscribe()
			problem.In = what
			c.report(problem)
		}
	}
}

// guard makes a call of the user's function and returns its panic, if any.
func guard(call func()) (problem *PanicError) {
	defer func() {
		if v := recover(); v != nil {
			stack := make([]byte, 16<<10)
			problem = &PanicError{Value: v, Stack: stack[:runtime.Stack(stack, false)]}
		}
	}()
	call()
	return nil
}

// inUserCall reports whether the caller runs inside a listener or a token source, on whose end Close must not wait.
func inUserCall() bool {
	callers := make([]uintptr, 64)
	for skip := 2; ; skip += len(callers) {
		n := runtime.Callers(skip, callers)
		frames := runtime.CallersFrames(callers[:n])
		for {
			frame, more := frames.Next()
			if strings.HasSuffix(frame.Function, "server-state-sync/internal/driver.guard") {
				return true
			}
			if !more {
				break
			}
		}
		if n < len(callers) {
			return false
		}
	}
}

func (c *Client) report(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.callbacks.report(err)
}

// subscribe adds to the list under the client's lock and returns what takes it off again.
func subscribe[T any](c *Client, list *[]*subscription[T], call func(T)) (unsubscribe func()) {
	s := &subscription[T]{call: call}
	s.unsubscribe = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		s.gone = true
		*list = slices.DeleteFunc(slices.Clone(*list), func(other *subscription[T]) bool { return other == s })
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*list = append(slices.Clip(*list), s)
	c.callbacks.poke()
	return s.unsubscribe
}
