package server

import (
	"context"
	"sync"
)

// gauge counts what is under way, and lets somebody wait until nothing is. Unlike a sync.WaitGroup it may grow from
// zero while somebody waits.
type gauge struct {
	mu   sync.Mutex // guards everything below
	n    int
	zero chan struct{} // closed when n is zero; nil while nobody waits
}

// add changes the count, which must not become negative.
func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n += n
	if g.n == 0 && g.zero != nil {
		close(g.zero)
		g.zero = nil
	}
}

// count returns how much is under way.
func (g *gauge) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n
}

// wait returns nil when the count is zero, or the error of ctx.
func (g *gauge) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.zero == nil {
		g.zero = make(chan struct{})
	}
	zero := g.zero
	g.mu.Unlock()
	select {
	case <-zero:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
