// Package storestest holds a store to the contract that package stores writes down.
package storestest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

// Run holds stores to the contract. begin is called for each part, and returns how the store of that part is opened: the
// first call opens an empty one, and after a Close the next call opens what was kept.
func Run(t *testing.T, begin func(t *testing.T) (open func() stores.Store)) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(*testing.T, func() stores.Store)
	}{
		{"a state is kept as it was told", keepsStates},
		{"create, open, read and remove say what is wrong", saysWhatIsWrong},
		{"a checkpoint takes the place of the former", checkpoints},
		{"a record or checkpoint that does not fit is refused", refusesWhatDoesNotFit},
		{"a closed log keeps what it was given", closedLogs},
		{"a closed store takes nothing", closedStores},
		{"sessions are kept, replaced and forgotten", keepsSessions},
		{"a state that is removed stays removed", removes},
		{"a state that is created again has nothing of the former", recreates},
		{"texts are the store's own copies", copies},
		{"names are any text", anyNames},
		{"commits are reported in order and from outside", reports},
		{"many states at once", manyStates},
		{"large texts", largeTexts},
		{"lineage and durability stay", lineage},
		{"a record may be empty", emptyRecords},
		{"one of those who create a state at once has it", createsAtOnce},
		{"a state is not opened and removed at once", opensAndRemovesAtOnce},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, begin(t)) })
	}
}

// nothing is a Committed that does not listen.
func nothing(uint64, error) {}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, s stores.Store, name string) stores.Log {
	t.Helper()
	l, err := s.Create(name, []byte("header of "+name), 0, []byte("{}"), nothing)
	must(t, err)
	return l
}

func appendTo(t *testing.T, l stores.Log, from, to uint64) {
	t.Helper()
	for version := from; version <= to; version++ {
		_, err := l.Append(version, record(version))
		must(t, err)
	}
}

func record(version uint64) []byte { return fmt.Appendf(nil, "record %d", version) }

// wantKept compares what is kept of a state. The records are those that record makes, from first to last.
func wantKept(t *testing.T, s stores.Store, name, header string, version uint64, checkpoint string, first, last uint64) {
	t.Helper()
	kept, err := s.Read(name)
	must(t, err)
	check(t, name, kept, header, version, checkpoint, first, last)
}

func check(t *testing.T, name string, kept stores.Kept, header string, version uint64, checkpoint string, first, last uint64) {
	t.Helper()
	if string(kept.Header) != header || kept.Version != version || string(kept.Checkpoint) != checkpoint {
		t.Errorf("%q: kept the header %q and at version %d %q, want %q, %d, %q", name, kept.Header, kept.Version, kept.Checkpoint, header, version, checkpoint)
	}
	if kept.First != first && !(kept.First < first && kept.Last() == last) || kept.Last() != last {
		t.Fatalf("%q: kept the records %d to %d, want %d to %d", name, kept.First, kept.Last(), first, last)
	}
	for i, got := range kept.Records {
		if want := record(kept.First + uint64(i)); !bytes.Equal(got, want) {
			t.Errorf("%q: the record of version %d is %q, want %q", name, kept.First+uint64(i), got, want)
		}
	}
}

func names(t *testing.T, s stores.Store) (list []string) {
	t.Helper()
	must(t, s.States(func(name string, header []byte, err error) {
		must(t, err)
		list = append(list, name)
	}))
	slices.Sort(list)
	return list
}

func keepsStates(t *testing.T, open func() stores.Store) {
	s := open()
	l, err := s.Create("a", []byte("h"), 7, []byte("c"), nothing)
	must(t, err)
	wantKept(t, s, "a", "h", 7, "c", 8, 7)
	appendTo(t, l, 8, 10)
	create(t, s, "b")
	must(t, s.Close())

	s = open()
	if got, want := names(t, s), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("the states are %q, want %q", got, want)
	}
	must(t, s.States(func(name string, header []byte, _ error) {
		if want := map[string]string{"a": "h", "b": "header of b"}[name]; string(header) != want {
			t.Errorf("the header of %q is %q, want %q", name, header, want)
		}
	}))
	wantKept(t, s, "a", "h", 7, "c", 8, 10)
	l, kept, err := s.Open("a", nothing)
	must(t, err)
	check(t, "a", kept, "h", 7, "c", 8, 10)
	appendTo(t, l, 11, 11)
	must(t, s.Close())

	s = open()
	wantKept(t, s, "a", "h", 7, "c", 8, 11)
	must(t, s.Close())
}

func saysWhatIsWrong(t *testing.T, open func() stores.Store) {
	s := open()
	defer func() { must(t, s.Close()) }()
	l := create(t, s, "a")
	if _, err := s.Create("a", nil, 0, nil, nothing); !errors.Is(err, stores.ErrExists) {
		t.Errorf("creating a state twice: %v, want ErrExists", err)
	}
	if _, err := s.Read("b"); !errors.Is(err, stores.ErrNotFound) {
		t.Errorf("reading no state: %v, want ErrNotFound", err)
	}
	if _, _, err := s.Open("b", nothing); !errors.Is(err, stores.ErrNotFound) {
		t.Errorf("opening no state: %v, want ErrNotFound", err)
	}
	if _, _, err := s.Open("a", nothing); err == nil {
		t.Error("a second log of a state was opened")
	}
	if err := s.Remove("b", "c"); err != nil {
		t.Errorf("removing no state: %v", err)
	}
	must(t, s.Remove())
	must(t, l.Close())
	if _, err := s.Create("a", nil, 0, nil, nothing); !errors.Is(err, stores.ErrExists) {
		t.Errorf("creating a state whose log is closed: %v, want ErrExists", err)
	}
	_, _, err := s.Open("a", nothing)
	must(t, err)
}

func checkpoints(t *testing.T, open func() stores.Store) {
	s := open()
	l := create(t, s, "a")
	drain := committedUpTo(t, s, "b", 0)
	appendTo(t, l, 1, 10)
	drain()
	must(t, l.Checkpoint([]byte("h5"), 5, []byte("c5"), 4))
	appendTo(t, l, 11, 12)
	must(t, s.Close())
	s = open()
	wantKept(t, s, "a", "h5", 5, "c5", 4, 12)
	l, _, err := s.Open("a", nothing)
	must(t, err)
	must(t, l.Checkpoint([]byte("h12"), 12, []byte("c12"), 13))
	must(t, l.Checkpoint([]byte("h12b"), 12, []byte("c12b"), 0))
	must(t, s.Close())
	s = open()
	wantKept(t, s, "a", "h12b", 12, "c12b", 13, 12)
	l, _, err = s.Open("a", nothing)
	must(t, err)
	appendTo(t, l, 13, 14)
	must(t, s.Close())
	s = open()
	wantKept(t, s, "a", "h12b", 12, "c12b", 13, 14)
	must(t, s.Close())
}

// committedUpTo returns a function that waits until all that was told before its call is kept.
func committedUpTo(t *testing.T, s stores.Store, name string, version uint64) func() {
	t.Helper()
	reported := make(chan uint64, 1<<10)
	l, err := s.Create(name, nil, version, nil, func(v uint64, _ error) { reported <- v })
	must(t, err)
	return func() {
		t.Helper()
		version++
		committed, err := l.Append(version, record(version))
		must(t, err)
		for !committed && <-reported < version {
		}
	}
}

func refusesWhatDoesNotFit(t *testing.T, open func() stores.Store) {
	s := open()
	defer func() { must(t, s.Close()) }()
	l := create(t, s, "a")
	drain := committedUpTo(t, s, "b", 0)
	appendTo(t, l, 1, 3)
	drain()
	must(t, l.Checkpoint([]byte("h"), 2, []byte("c"), 3))
	for _, version := range []uint64{0, 3, 5} {
		if _, err := l.Append(version, nil); err == nil {
			t.Errorf("version %d was appended after version 3", version)
		}
	}
	for _, c := range []struct{ version, keep uint64 }{{1, 1}, {4, 4}, {3, 5}} {
		if err := l.Checkpoint(nil, c.version, nil, c.keep); err == nil {
			t.Errorf("a checkpoint at version %d that keeps from %d was taken after one at 2, with records up to 3", c.version, c.keep)
		}
	}
}

func closedLogs(t *testing.T, open func() stores.Store) {
	s := open()
	l := create(t, s, "a")
	appendTo(t, l, 1, 3)
	must(t, l.Close())
	if _, err := l.Append(4, nil); err == nil {
		t.Error("a closed log took a record")
	}
	if err := l.Checkpoint(nil, 3, nil, 4); err == nil {
		t.Error("a closed log took a checkpoint")
	}
	l, kept, err := s.Open("a", nothing)
	must(t, err)
	check(t, "a", kept, "header of a", 0, "{}", 1, 3)
	appendTo(t, l, 4, 4)
	must(t, l.Close())
	must(t, s.Close())
	s = open()
	wantKept(t, s, "a", "header of a", 0, "{}", 1, 4)
	must(t, s.Close())
}

func closedStores(t *testing.T, open func() stores.Store) {
	s := open()
	l := create(t, s, "a")
	must(t, s.Close())
	must(t, s.Close())
	_, appended := l.Append(1, nil)
	_, created := s.Create("b", nil, 0, nil, nothing)
	_, read := s.Read("a")
	_, _, opened := s.Open("a", nothing)
	for what, err := range map[string]error{
		"Append": appended, "Checkpoint": l.Checkpoint(nil, 0, nil, 1), "Create": created, "Read": read,
		"Open": opened, "Remove": s.Remove("a"), "KeepSession": s.KeepSession("s", nil),
	} {
		if !errors.Is(err, stores.ErrClosed) {
			t.Errorf("%s on a closed store: %v, want ErrClosed", what, err)
		}
	}
	must(t, l.Close())
}

func wantSessions(t *testing.T, s stores.Store, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	must(t, s.Sessions(func(id string, text []byte) { got[id] = string(text) }))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the sessions are %v, want %v", got, want)
	}
}

func keepsSessions(t *testing.T, open func() stores.Store) {
	s := open()
	must(t, s.KeepSession("a", []byte("1")))
	must(t, s.KeepSession("b", []byte("2")))
	must(t, s.KeepSession("a", []byte("3")))
	must(t, s.KeepSession("c", nil))
	must(t, s.ForgetSessions("b", "none"))
	must(t, s.Close())
	s = open()
	wantSessions(t, s, map[string]string{"a": "3", "c": ""})
	must(t, s.ForgetSessions("a", "c"))
	must(t, s.KeepSession("b", []byte("4")))
	must(t, s.Close())
	s = open()
	wantSessions(t, s, map[string]string{"b": "4"})
	must(t, s.Close())
}

func removes(t *testing.T, open func() stores.Store) {
	s := open()
	for _, name := range []string{"a", "b", "c"} {
		l := create(t, s, name)
		appendTo(t, l, 1, 2)
		must(t, l.Close())
	}
	must(t, s.Remove("a", "none", "c"))
	if _, err := s.Read("a"); !errors.Is(err, stores.ErrNotFound) {
		t.Errorf("reading a removed state: %v, want ErrNotFound", err)
	}
	must(t, s.Close())
	s = open()
	if got := names(t, s); !slices.Equal(got, []string{"b"}) {
		t.Errorf("the states are %q, want b alone", got)
	}
	must(t, s.Close())
}

func recreates(t *testing.T, open func() stores.Store) {
	s := open()
	l := create(t, s, "a")
	appendTo(t, l, 1, 9)
	must(t, l.Close())
	must(t, s.Remove("a"))
	l, err := s.Create("a", []byte("new"), 3, []byte("c"), nothing)
	must(t, err)
	appendTo(t, l, 4, 5)
	must(t, l.Close())
	must(t, s.Close())
	s = open()
	wantKept(t, s, "a", "new", 3, "c", 4, 5)
	must(t, s.Close())
}

func copies(t *testing.T, open func() stores.Store) {
	s := open()
	text := []byte("before")
	l, err := s.Create("a", text, 0, text, nothing)
	must(t, err)
	copy(text, "AFTER!")
	r := record(1)
	_, err = l.Append(1, r)
	must(t, err)
	copy(r, "scratch")
	copy(text, "before")
	must(t, s.KeepSession("s", text))
	copy(text, "AFTER!")
	must(t, s.Close())
	s = open()
	wantKept(t, s, "a", "before", 0, "before", 1, 1)
	wantSessions(t, s, map[string]string{"s": "before"})
	must(t, s.Close())
}

func anyNames(t *testing.T, open func() stores.Store) {
	s := open()
	list := []string{"../../etc/x", "/", ".", "a/b\\c", "\x00\xff", "name with spaces\n", "ü", string(bytes.Repeat([]byte("n"), 256))}
	for _, name := range list {
		create(t, s, name)
	}
	must(t, s.Close())
	s = open()
	slices.Sort(list)
	if got := names(t, s); !slices.Equal(got, list) {
		t.Errorf("the states are %q, want %q", got, list)
	}
	must(t, s.Close())
}

func reports(t *testing.T, open func() stores.Store) {
	s := open()
	var mu sync.Mutex // held during Append, so that a report from inside would never return
	var highest uint64
	done := make(chan struct{})
	const records = 1000
	l, err := s.Create("a", nil, 0, nil, func(version uint64, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || version <= highest || version > records {
			t.Errorf("version %d was reported after %d, with the error %v", version, highest, err)
		}
		if highest = version; highest == records {
			close(done)
		}
	})
	must(t, err)
	already := uint64(0)
	for version := uint64(1); version <= records; version++ {
		mu.Lock()
		committed, err := l.Append(version, record(version))
		mu.Unlock()
		must(t, err)
		if committed {
			already = version
		}
	}
	if already < records {
		<-done
	}
	wantKept(t, s, "a", "", 0, "", 1, records)
	must(t, s.Close())
}

func manyStates(t *testing.T, open func() stores.Store) {
	const states, records = 32, 200
	s := open()
	name := func(i int) string { return fmt.Sprintf("state %d", i) }
	var all sync.WaitGroup
	for i := range states {
		all.Go(func() { oneOfMany(t, s, name(i), records) })
	}
	all.Wait()
	must(t, s.Close())
	s = open()
	for i := range states {
		wantKept(t, s, name(i), "h", records, "c", records-10, records)
	}
	must(t, s.Close())
}

func oneOfMany(t *testing.T, s stores.Store, name string, records uint64) {
	kept := make(chan uint64, records)
	l, err := s.Create(name, []byte("h"), 0, []byte("c"), func(v uint64, _ error) { kept <- v })
	if err != nil {
		t.Error(err)
		return
	}
	for version := uint64(1); version <= records; version++ {
		committed, err := l.Append(version, record(version))
		for err == nil && !committed && version%50 == 0 && <-kept < version {
		}
		if err == nil && version%50 == 0 {
			err = errors.Join(l.Checkpoint([]byte("h"), version, []byte("c"), version-10), s.KeepSession(name, record(version)))
		}
		if err == nil && version%70 == 0 {
			_, err = s.Read(name)
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func largeTexts(t *testing.T, open func() stores.Store) {
	s := open()
	large := bytes.Repeat([]byte("0123456789abcdef"), 10<<16)
	l, err := s.Create("a", large, 0, large, nothing)
	must(t, err)
	for version := uint64(1); version <= 3; version++ {
		_, err = l.Append(version, large)
		must(t, err)
	}
	must(t, s.Close())
	s = open()
	must(t, s.States(func(_ string, header []byte, err error) {
		if !bytes.Equal(header, large) || err != nil {
			t.Errorf("a large header came back with %d bytes, error %v", len(header), err)
		}
	}))
	kept, err := s.Read("a")
	must(t, err)
	if !bytes.Equal(kept.Header, large) || !bytes.Equal(kept.Checkpoint, large) || len(kept.Records) != 3 {
		t.Fatalf("large texts came back as %d, %d bytes and %d records", len(kept.Header), len(kept.Checkpoint), len(kept.Records))
	}
	for _, r := range kept.Records {
		if !bytes.Equal(r, large) {
			t.Error("a large record came back changed")
		}
	}
	must(t, s.Close())
}

func lineage(t *testing.T, open func() stores.Store) {
	s := open()
	was, durability := s.Lineage(), s.Durability()
	if was == "" {
		t.Error("the lineage has no name")
	}
	must(t, s.Close())
	s = open()
	if got := s.Lineage(); got != was {
		t.Errorf("after a Close the lineage is %q, want %q", got, was)
	}
	if got := s.Durability(); got != durability {
		t.Errorf("the durability is %q, was %q", got, durability)
	}
	must(t, s.Close())
}
