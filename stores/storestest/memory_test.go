package storestest_test

import (
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/stores"
	"github.com/server-state-sync/server-state-sync/stores/storestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMemoryKeepsTheContract stands here because imports point down: a test of stores cannot import the suite.
func TestMemoryKeepsTheContract(t *testing.T) {
	storestest.Run(t, func(*testing.T) func() stores.Store {
		memory := stores.NewMemory()
		return func() stores.Store { return &run{Store: memory} }
	})
}

// run is what a process has of a store in memory that outlives it: its Close ends it and its logs.
type run struct {
	stores.Store
	mu     sync.Mutex
	closed bool
	logs   []stores.Log
}

func (r *run) usable() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return stores.ErrClosed
	}
	return nil
}

func (r *run) remember(l stores.Log, err error) (stores.Log, error) {
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.logs = append(r.logs, l)
	}
	return l, err
}

func (r *run) Create(name string, header []byte, version uint64, checkpoint []byte, committed stores.Committed) (stores.Log, error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	return r.remember(r.Store.Create(name, header, version, checkpoint, committed))
}

func (r *run) Open(name string, committed stores.Committed) (stores.Log, stores.Kept, error) {
	if err := r.usable(); err != nil {
		return nil, stores.Kept{}, err
	}
	l, kept, err := r.Store.Open(name, committed)
	_, _ = r.remember(l, err)
	return l, kept, err
}

func (r *run) Read(name string) (stores.Kept, error) {
	if err := r.usable(); err != nil {
		return stores.Kept{}, err
	}
	return r.Store.Read(name)
}

func (r *run) Remove(names ...string) error {
	if err := r.usable(); err != nil {
		return err
	}
	return r.Store.Remove(names...)
}

func (r *run) KeepSession(id string, text []byte) error {
	if err := r.usable(); err != nil {
		return err
	}
	return r.Store.KeepSession(id, text)
}

func (r *run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, l := range r.logs {
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

func TestAClosedStoreInMemoryTakesNothing(t *testing.T) {
	s := stores.NewMemory()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepSession("a", nil); err == nil {
		t.Error("a closed store kept a session")
	}
}
