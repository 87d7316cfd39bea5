//go:build js

package driver

import (
	"errors"
	"sync"
)

var errScopeEnded = errors.New("the client has ended this")

// scope is a bound that is ended once.
type scope struct {
	done chan struct{}
	once sync.Once
}

// newScope returns a bound and the function that ends it.
func newScope() (b Bound, end func()) {
	s := &scope{done: make(chan struct{})}
	return s, s.end
}

func (s *scope) end() { s.once.Do(func() { close(s.done) }) }

func (s *scope) Done() <-chan struct{} { return s.done }

func (s *scope) Err() error {
	select {
	case <-s.done:
		return errScopeEnded
	default:
		return nil
	}
}
