package storestest

import (
	"errors"
	"sync"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

// emptyRecords opens a state again as soon as its log is closed: a record without a byte is one, also before storage has it.
func emptyRecords(t *testing.T, open func() stores.Store) {
	s := open()
	l := create(t, s, "a")
	for version := uint64(1); version <= 100; version++ {
		_, err := l.Append(version, nil)
		must(t, err)
		must(t, l.Close())
		var kept stores.Kept
		l, kept, err = s.Open("a", nothing)
		must(t, err)
		if kept.Last() != version {
			t.Fatalf("kept up to version %d, want %d", kept.Last(), version)
		}
	}
	must(t, s.Close())
}

// createsAtOnce lets several create the same states: each is made by one of them, and what that one appends is kept.
func createsAtOnce(t *testing.T, open func() stores.Store) {
	const writers, rounds = 8, 20
	s := open()
	for round := range rounds {
		name := string(rune('a' + round))
		var all sync.WaitGroup
		logs := make([]stores.Log, writers)
		errs := make([]error, writers)
		for i := range writers {
			all.Go(func() { logs[i], errs[i] = s.Create(name, []byte("h"), 0, []byte("c"), nothing) })
		}
		all.Wait()
		made := 0
		for i, err := range errs {
			switch {
			case err == nil:
				made++
				appendTo(t, logs[i], 1, 1)
			case !errors.Is(err, stores.ErrExists):
				t.Errorf("creating %q a second time: %v, want ErrExists", name, err)
			}
		}
		if made != 1 {
			t.Errorf("%q was created %d times", name, made)
		}
	}
	must(t, s.Close())
	s = open()
	for round := range rounds {
		wantKept(t, s, string(rune('a'+round)), "h", 0, "c", 1, 1)
	}
	must(t, s.Close())
}

// opensAndRemovesAtOnce lets one open a state while another removes it: one of them is refused, and a log that was opened
// is one of a state that is there.
func opensAndRemovesAtOnce(t *testing.T, open func() stores.Store) {
	s := open()
	for range 200 {
		must(t, create(t, s, "a").Close())
		var all sync.WaitGroup
		var removed, opened error
		var l stores.Log
		all.Go(func() { removed = s.Remove("a") })
		all.Go(func() { l, _, opened = s.Open("a", nothing) })
		all.Wait()
		switch {
		case opened == nil && removed == nil:
			t.Fatal("the state was removed, and its log is open")
		case opened == nil:
			appendTo(t, l, 1, 1)
			must(t, l.Close())
			must(t, s.Remove("a"))
		case removed != nil:
			t.Fatalf("neither was done: %v, %v", removed, opened)
		}
	}
	must(t, s.Close())
}
