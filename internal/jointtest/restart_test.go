//go:build !js

package jointtest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// Writers append over real sockets while the server ends without a word and begins again on its store, again and again.
// Nobody has to do anything: the clients come back by themselves, every line is there once, and versions never go back.
func TestWritersGoOnOverRestarts(t *testing.T) {
	memory := stores.NewMemory()
	for name, store := range map[string]stores.Store{"at once": memory, "late": lateStore{stores.NewMemory()}} {
		t.Run(name, func(t *testing.T) { writeOverRestarts(t, store) })
	}
}

func writeOverRestarts(t *testing.T, store stores.Store) {
	const writers, restarts, between = 6, 8, 10
	options := server.Options{Store: store}
	state := server.StateOptions{Identifier: "s", InitialValue: map[string]any{"log": []any{}}}
	h := open(t, options, state)
	first, _ := h.server.GetValueOfState("s")
	var replicas []*wasmclient.State
	var told atomic.Int64
	for i := range writers {
		s := h.join(fmt.Sprint("writer", i), "s")
		replicas = append(replicas, s)
		var last uint64
		s.AddStateUpdateListener("versions", func(u wasmclient.Update) {
			told.Add(1)
			if u.To < last {
				t.Errorf("version %d came after %d", u.To, last)
			}
			last = u.To
		})
	}
	var all sync.WaitGroup
	var accepted atomic.Int64
	over := make(chan struct{})
	var mu sync.Mutex
	lines := map[string]bool{} // that were accepted, or may have been
	for i, s := range replicas {
		append := func(n int) {
			line := fmt.Sprint(i, "-", n)
			_, err := s.Append(within(t), "log", line)
			mu.Lock()
			defer mu.Unlock()
			if lines[line] = err == nil; err != nil && !errors.Is(err, wasmclient.ErrOutcomeUnknown) {
				t.Errorf("line %s: %v", line, err)
			}
			accepted.Add(1)
		}
		append(0) // from now on the store knows the session
		all.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-over:
					return
				default:
					append(n)
				}
			}
		})
	}
	for range restarts {
		before := accepted.Load()
		await(t, "some lines", func() bool { return accepted.Load() >= before+between })
		h.server.Close()
		h.start(h.addr, options, state)
	}
	close(over)
	all.Wait()
	h.settle("s", replicas...)
	value, _ := h.server.GetValueOfState("s")
	seen := map[string]int{}
	for _, line := range value.Get("log").Elements() {
		seen[line.Text()]++
	}
	for line, sure := range lines {
		if n := seen[line]; n > 1 || sure && n == 0 || !sure {
			t.Errorf("line %s is there %d times; accepted: %v", line, n, sure)
		}
	}
	if first.Equal(value) || told.Load() == 0 {
		t.Error("nothing was written")
	}
}

func TestClientIsToldTheDurability(t *testing.T) {
	h := open(t, server.Options{Store: synced{stores.NewMemory()}}, server.StateOptions{Identifier: "s"})
	if got, want := h.join("a", "s").Durability(), "synced"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	h = open(t, server.Options{}, server.StateOptions{Identifier: "s"})
	if got, want := h.join("b", "s").Durability(), "memory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// synced says of a store that it syncs.
type synced struct{ stores.Store }

func (synced) Durability() stores.Durability { return stores.Synced }
