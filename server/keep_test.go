package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/stores"
)

// breaking is a store that fails where the test says so.
type breaking struct {
	stores.Store
	create, remove, keep, checkpoint, states, sessions error
}

func (b *breaking) Create(identifier string, header []byte, version uint64, checkpoint []byte, committed stores.Committed) (stores.Log, error) {
	if b.create != nil {
		return nil, b.create
	}
	log, err := b.Store.Create(identifier, header, version, checkpoint, committed)
	return breakingLog{log, b}, err
}

func (b *breaking) States(visit func(identifier string, header []byte, err error)) error {
	return errors.Join(b.Store.States(visit), b.states)
}

func (b *breaking) Sessions(visit func(id string, text []byte)) error {
	return errors.Join(b.Store.Sessions(visit), b.sessions)
}

func (b *breaking) Remove(identifiers ...string) error {
	if b.remove != nil {
		return b.remove
	}
	return b.Store.Remove(identifiers...)
}

func (b *breaking) KeepSession(id string, text []byte) error {
	if b.keep != nil {
		return b.keep
	}
	return b.Store.KeepSession(id, text)
}

type breakingLog struct {
	stores.Log
	store *breaking
}

func (l breakingLog) Checkpoint(header []byte, version uint64, checkpoint []byte, keep uint64) error {
	if l.store.checkpoint != nil {
		return l.store.checkpoint
	}
	return l.Log.Checkpoint(header, version, checkpoint, keep)
}

var errFull = fmt.Errorf("%w: no space left", stores.ErrFailed)

func TestStoreThatFailsLeavesStatesToRead(t *testing.T) {
	for name, fail := range map[string]func(b *breaking, s *state){
		"a session":    func(b *breaking, _ *state) { b.keep = errFull },
		"a checkpoint": func(b *breaking, s *state) { b.checkpoint = errFull; s.checkpoint() },
	} {
		t.Run(name, func(t *testing.T) {
			b := &breaking{Store: stores.NewMemory()}
			f := newFixture(t, Options{Store: b})
			f.create(StateOptions{Identifier: "s"})
			a := f.joined("a", "s")
			f.update("s", map[string]any{"n": 1})
			a.recv()
			fail(b, f.state("s"))
			a.send(`["merge",1,1,1,{"n":2}]`)
			a.expect(`["refused",1,1,4317,…`)
			if got, want := f.value("s"), `{"n":1}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			a.peer.disconnect()
			f.clock.advance(1 << 40)
			f.letRest()
			if f.rests("s") {
				t.Error("a state left memory that cannot be kept")
			}
			b.checkpoint, b.keep = nil, nil
		})
	}
}

// Damage somewhere in the store keeps nothing else from being served; a store that cannot be read does.
// A state that cannot be replaced is there as it was, in memory or at rest, for clients and for an export.
func TestReplaceThatTheStoreRefusesLeavesTheStateToRead(t *testing.T) {
	for name, rests := range map[string]bool{"in memory": false, "at rest": true} {
		t.Run(name, func(t *testing.T) {
			store := &breaking{Store: stores.NewMemory()}
			f := newFixture(t, Options{Store: store})
			f.create(StateOptions{Identifier: "s", TTL: time.Hour})
			f.update("s", map[string]any{"n": 1})
			epoch := f.state("s").epoch
			if f.letRest(); !rests {
				f.stateOf("s")
			}
			store.remove = errFull
			err := f.ReplaceState(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 2}})
			if !errors.Is(err, stores.ErrFailed) || !strings.Contains(err.Error(), `replace state "s"`) {
				t.Errorf("got %v", err)
			}
			if got := f.value("s"); got != `{"n":1}` {
				t.Errorf("the value is %s", got)
			}
			if s := f.stateOf("s"); s.epoch != epoch || s.committed != 1 {
				t.Errorf("the state is %s at %d, want %s at 1", s.epoch, s.committed, epoch)
			}
			shown := 0
			if err := f.EachState(func(StateValue) error { shown++; return nil }); err != nil || shown != 1 {
				t.Errorf("%d states are shown, error %v", shown, err)
			}
			store.remove = nil
			if err := f.ReplaceState(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 2}, TTL: time.Hour}); err != nil {
				t.Error(err)
			}
			if got := f.value("s"); got != `{"n":2}` || f.state("s").epoch == epoch {
				t.Errorf("the value is %s", got)
			}
			if f.clock.advance(time.Hour); f.exists("s") {
				t.Error("its time to live is over, and it is there")
			}
		})
	}
}

// pausing is a store whose removals wait for the test.
type pausing struct {
	stores.Store
	pause func()
}

func (s *pausing) Remove(identifiers ...string) error {
	s.pause()
	return s.Store.Remove(identifiers...)
}

// While a state is replaced it is there: who shows all states, reads it or joins it waits for the new one.
func TestStateThatIsBeingReplacedIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &pausing{Store: stores.NewMemory()}
		f := newFixture(t, Options{Store: store})
		f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 1}})
		var shown []string
		var read document.Value
		store.pause = func() {
			go func() {
				if err := f.EachState(func(v StateValue) error { shown = append(shown, v.Value.String()); return nil }); err != nil {
					t.Error(err)
				}
			}()
			go func() { read, _ = f.GetValueOfState("s") }()
			synctest.Wait()
		}
		if err := f.ReplaceState(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 2}}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if want := `{"n":2}`; !slices.Equal(shown, []string{want}) || read.String() != want {
			t.Errorf("shown %q, read %v, want %s", shown, read, want)
		}
	})
}

func TestDamageOfAStoreKeepsNothingElseFromBeingServed(t *testing.T) {
	for name, damage := range map[string]func(b *breaking, err error){
		"states": func(b *breaking, err error) { b.states = err }, "sessions": func(b *breaking, err error) { b.sessions = err },
	} {
		t.Run(name, func(t *testing.T) {
			b := &breaking{Store: stores.NewMemory()}
			f := newFixture(t, Options{Store: b})
			f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 1}})
			f.joined("a", "s").send(`["merge",1,1,0,{"n":2}]`)
			damage(b, fmt.Errorf("a session: %w", stores.ErrCorrupt))
			f = f.restart(Options{})
			f.create(StateOptions{Identifier: "s"})
			if got, want := f.value("s"), `{"n":2}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			damage(b, errors.New("the disk is gone"))
			if _, err := New(Options{Store: b}); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStateThatTheStoreDoesNotTakeIsNotMade(t *testing.T) {
	b := &breaking{Store: stores.NewMemory(), create: errFull}
	f := newFixture(t, Options{Store: b})
	if _, err := f.CreateState(StateOptions{Identifier: "s"}); !errors.Is(err, stores.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if f.exists("s") || len(f.opening) != 0 {
		t.Error("something is left of it")
	}
	b.create = nil
	f.create(StateOptions{Identifier: "s"})
	b.remove = errFull
	if !f.RemoveState("s") || f.exists("s") || len(f.opening) != 0 {
		t.Error("the state is still there for clients")
	}
}

func TestChangeCostsTheStoreNoMoreThanTwiceItsSize(t *testing.T) {
	for _, size := range []int{0, 1 << 20} {
		c := &counting{Store: stores.NewMemory()}
		f := newFixture(t, Options{Store: c})
		f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": string(make([]byte, size)), "log": []any{}}})
		a := f.joined("a", "s") // a checkpoint says that it was visited
		c.records, c.checkpoints = 0, 0
		for number := 1; number <= 5000; number++ {
			a.send(fmt.Sprintf(`["patch",1,%d,0,[["add",["log","-"],"line %d"],["add",["last"],"%0100d"]]]`, number, number, number))
			a.recv()
		}
		if c.checkpoints > c.records || size == 0 && c.checkpoints == 0 {
			t.Errorf("a state of %d bytes: %d bytes of records, %d of checkpoints", size, c.records, c.checkpoints)
		}
	}
}

// counting is a store that counts bytes.
type counting struct {
	stores.Store
	records, checkpoints int
}

func (c *counting) Create(identifier string, header []byte, version uint64, checkpoint []byte, committed stores.Committed) (stores.Log, error) {
	log, err := c.Store.Create(identifier, header, version, checkpoint, committed)
	return countingLog{log, c}, err
}

type countingLog struct {
	stores.Log
	c *counting
}

func (l countingLog) Append(version uint64, record []byte) (bool, error) {
	l.c.records += len(record)
	return l.Log.Append(version, record)
}

func (l countingLog) Checkpoint(header []byte, version uint64, checkpoint []byte, keep uint64) error {
	l.c.checkpoints += len(checkpoint)
	return l.Log.Checkpoint(header, version, checkpoint, keep)
}

// FuzzRestore reads what may stand in a store: it makes a state or is damage, and a state can be kept and read again.
func FuzzRestore(f *testing.F) {
	f.Add([]byte(`[{"a":1},[{"session":"s","epoch":"e","decided":3,"verdicts":[1,0],"refusals":[{"number":3,"position":1,"code":4300,"reason":"no"}]}]]`), []byte(`["s",5,[["add",["a"],2]],3,[]]`))
	f.Add([]byte(`[{},[]]`), []byte(`["s",1,[["add",["a"],2]],0,[],"e"]`))
	f.Add([]byte(`[{},[]]`), []byte(`["s",9007199254740993,[],9007199254740991,[{"number":1}]]`))
	f.Fuzz(func(t *testing.T, checkpoint, record []byte) {
		fx := newFixture(t, Options{Store: stores.NewMemory()})
		fx.sessions.byID["s"] = &session{id: "s", epoch: "e"}
		read := func(kept *stores.Kept) (*state, error) {
			s := newState(fx.StateSyncer, StateOptions{Identifier: "s"}, document.EmptyObject)
			return s, s.restore(kept)
		}
		h := header{Identifier: "s", Epoch: "e", Lineage: fx.options.Store.Lineage()}.text()
		s, err := read(&stores.Kept{Header: h, Version: 7, Checkpoint: checkpoint, First: 8, Records: [][]byte{record}})
		if err != nil {
			if !errors.Is(err, stores.ErrCorrupt) {
				t.Errorf("got %v", err)
			}
			return
		}
		now := s.image()
		again, err := read(&stores.Kept{Header: now.header.text(), Version: 8, Checkpoint: checkpointText(now.value, now.records), First: 9})
		if err != nil || !again.value.Equal(s.value) || string(mustEncode(again.image().records)) != string(mustEncode(now.records)) {
			t.Errorf("%s %s becomes %s %s: %v", s.value, mustEncode(now.records), again.value, mustEncode(again.image().records), err)
		}
	})
}
