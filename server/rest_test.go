package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/stores"
)

// letRest lets every state rest that nobody uses.
func (f *fixture) letRest() {
	f.restAll()
	f.clock.advance(f.options.RestAfter)
	f.restAll()
}

// rests reports whether the state is in the store and not in memory.
func (f *fixture) rests(identifier string) bool {
	return f.stored[identifier] != nil && f.state(identifier) == nil
}

func TestStateThatNobodyUsesRestsAndComesBack(t *testing.T) {
	f := kept(t, StateOptions{InitialValue: map[string]any{"n": 0}})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"n":1}]`)
	a.recv()
	epoch := f.state("s").epoch
	f.letRest()
	if f.rests("s") {
		t.Fatal("the state rests while a client follows it")
	}
	a.peer.disconnect()
	f.restAll()
	f.clock.advance(time.Minute) // the grace is over
	f.letRest()
	if !f.rests("s") || f.Stats().Resting != 1 || f.Stats().States != 1 {
		t.Fatalf("the state does not rest: %+v", f.Stats())
	}
	if _, err := f.CreateState(StateOptions{Identifier: "s"}); !errors.Is(err, ErrStateExists) {
		t.Errorf("made again: got %v", err)
	}
	a = f.back("a", epoch, 0, 0)
	a.expect(`["joined",1,"`+epoch+`",0,1]`, `["accepted",1,1,1,[["add",["n"],1]]]`)
	a.peer.disconnect()
	f.clock.advance(time.Minute)
	f.letRest()
	if got := f.update("s", map[string]any{"n": 2}); !f.rests("s") && got != 2 {
		t.Errorf("the version after a rest is %d", got)
	}
	f.clock.advance(f.options.RestAfter - 1)
	if f.value("s") != `{"n":2}` {
		t.Error("another value came back")
	}
	f.letRest()
	if f.value("s") != `{"n":2}` {
		t.Error("another value came back")
	}
}

func TestSessionThatIsForgottenWhileTheStateRestsBeginsAtOne(t *testing.T) {
	f := kept(t, StateOptions{})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"n":1}]`)
	a.peer.disconnect()
	f.clock.advance(time.Minute)
	f.letRest()
	f.clock.advance(10 * time.Minute)
	a = f.client("a")
	a.send(`["join",1,"s"]`)
	a.expect(`["joined",1,"` + f.state("s").epoch + `",1,0,[],{"n":1}]`)
	a.send(`["merge",1,1,0,{"n":2}]`)
	a.expect(`["accepted",1,1,2]`)
}

func TestRestingStateEndsWithoutBeingRead(t *testing.T) {
	for name, end := range map[string]func(f *fixture){
		"ttl":          func(f *fixture) { f.clock.advance(time.Hour) },
		"selfDestruct": func(f *fixture) { f.clock.advance(20 * time.Minute); f.askAll() },
		"removed":      func(f *fixture) { f.RemoveState("s") },
	} {
		t.Run(name, func(t *testing.T) {
			store := &unreadable{Store: stores.NewMemory()}
			f := newFixture(t, Options{Store: store})
			f.create(StateOptions{Identifier: "s", TTL: time.Hour, SelfDestruct: func(clients int, createdAt time.Time) bool {
				return f.clock.Now().Sub(createdAt) > 15*time.Minute
			}})
			f.letRest()
			if !f.rests("s") {
				t.Fatal("the state does not rest")
			}
			store.err = errors.New("it was read")
			end(f)
			if f.stored["s"] != nil || f.state("s") != nil {
				t.Error("the state has not ended")
			}
			if _, err := store.Store.Read("s"); !errors.Is(err, stores.ErrNotFound) {
				t.Errorf("the store: got %v", err)
			}
			f.create(StateOptions{Identifier: "s"})
		})
	}
}

// unreadable is a store that reads nothing when err is set.
type unreadable struct {
	stores.Store
	err   error
	opens int
}

func (s *unreadable) Open(identifier string, committed stores.Committed) (stores.Log, stores.Kept, error) {
	s.opens++
	if s.err != nil {
		return nil, stores.Kept{}, fmt.Errorf("state %q: %w", identifier, s.err)
	}
	return s.Store.Open(identifier, committed)
}

func TestStateThatCannotBeReadIsUnavailableAndLeftAsItIs(t *testing.T) {
	f := kept(t, StateOptions{})
	f.create(StateOptions{Identifier: "well"})
	store := &unreadable{Store: f.options.Store, err: stores.ErrCorrupt}
	f = f.restart(Options{Store: store})
	f.create(StateOptions{Identifier: "s"})
	a := f.client("a")
	for n := range 2 {
		a.send(fmt.Sprintf(`["join",%d,"s"]`, n+1))
		a.expect(fmt.Sprintf(`["closed",%d,4205,"the server cannot read what it has kept of the state"]`, n+1))
	}
	if store.opens != 1 {
		t.Errorf("it was read %d times", store.opens)
	}
	if f.exists("s") {
		t.Error("the state is there")
	}
	_, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{}})
	var ours *Error
	if !errors.As(err, &ours) || ours.Code != protocol.CodeStateUnavailable {
		t.Errorf("a change: got %v", err)
	}
	_, err = f.CreateState(StateOptions{Identifier: "s"})
	want := `create state "s": what was kept of the state cannot be read and was left as it is; import the state with --replace, or remove it, to have it again: state "s": what was kept is damaged`
	if !errors.Is(err, stores.ErrCorrupt) || err.Error() != want {
		t.Errorf("made again:\n got %v\nwant %s", err, want)
	}
	store.err = nil
	f.create(StateOptions{Identifier: "well"})
	if !f.exists("well") {
		t.Error("another state is not there")
	}
	if !f.RemoveState("s") {
		t.Error("it could not be removed")
	}
	f.create(StateOptions{Identifier: "s"})
}

func TestTextsThatMakeNoSenseAreDamage(t *testing.T) {
	header := header{Identifier: "s", Epoch: "e"}.text()
	for name, kept := range map[string]stores.Kept{
		"header":              {Header: []byte(`{`), Checkpoint: []byte(`[{},[]]`), First: 1},
		"header of another":   {Header: []byte(`{"identifier":"t","epoch":"e"}`), Checkpoint: []byte(`[{},[]]`), First: 1},
		"checkpoint":          {Header: header, Checkpoint: []byte(`[{}]`), First: 1},
		"no checkpoint":       {Header: header, First: 1},
		"value":               {Header: header, Checkpoint: []byte(`[[],[]]`), First: 1},
		"sessions":            {Header: header, Checkpoint: []byte(`[{},5]`), First: 1},
		"a gap":               {Header: header, Checkpoint: []byte(`[{},[]]`), First: 2, Records: [][]byte{[]byte(`["",0,[]]`)}},
		"record":              {Header: header, Checkpoint: []byte(`[{},[]]`), First: 1, Records: [][]byte{[]byte(`["",0]`)}},
		"number":              {Header: header, Checkpoint: []byte(`[{},[]]`), First: 1, Records: [][]byte{[]byte(`["",-1,[]]`)}},
		"operations":          {Header: header, Checkpoint: []byte(`[{},[]]`), First: 1, Records: [][]byte{[]byte(`["",0,[["add"]]]`)}},
		"operation of no use": {Header: header, Checkpoint: []byte(`[{},[]]`), First: 1, Records: [][]byte{[]byte(`["",0,[["remove",["x"]]]]`)}},
	} {
		f := newFixture(t, Options{Store: stores.NewMemory()})
		if err := newState(f.StateSyncer, StateOptions{Identifier: "s"}, document.EmptyObject).restore(&kept); !errors.Is(err, stores.ErrCorrupt) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := shownOf("s", &kept); !errors.Is(err, stores.ErrCorrupt) {
			t.Errorf("%s, only to look: got %v", name, err)
		}
	}
}

// What was refused, and who has left, is known after a rest as it was before.
func TestRestKeepsRefusalsAndLeaves(t *testing.T) {
	f := newFixture(t, Options{Store: stores.NewMemory()})
	f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(context.Context, *Update) error { return Refuse("no") }})
	epoch := f.state("s").epoch
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.expect(`["refused",1,1,4300,"no"]`)
	b := f.joined("b", "s")
	b.send(`["merge",1,1,0,{"b":1}]`)
	b.expect(`["refused",1,1,4300,"no"]`)
	b.send(`["leave",1]`)
	a.peer.disconnect()
	f.clock.advance(time.Minute) // the grace is over
	f.letRest()
	if !f.rests("s") {
		t.Fatal("the state does not rest")
	}
	b.send(`["join",2,"s"]`)
	if got := b.recv(); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf(`["joined",2,"%s",0,0,[]`, epoch)) {
		t.Errorf("who has left: %q", got)
	}
	back := f.back("a", epoch, 0, 1)
	if got := back.recv(); len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf(`["joined",1,"%s",0,1`, epoch)) {
		t.Errorf("who was refused: %q", got)
	}
}

// An end of the server is no end of the states: what was not visited is not taken for all there is.
func TestEachStateOfAServerThatEndsIsAnError(t *testing.T) {
	f := newFixture(t, Options{})
	for _, identifier := range []string{"a", "b", "c"} {
		f.create(StateOptions{Identifier: identifier})
	}
	visited := 0
	err := f.EachState(func(StateValue) error {
		visited++
		return f.Close()
	})
	if visited != 1 || !errors.Is(err, ErrClosed) {
		t.Errorf("visited %d, %v", visited, err)
	}
	if err := f.EachState(func(StateValue) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("a server that has ended shows no states, and says %v", err)
	}
}

func TestEachStateShowsWhatRestsWithoutWakingIt(t *testing.T) {
	f := kept(t, StateOptions{})
	f.update("s", map[string]any{"n": 1})
	f.create(StateOptions{Identifier: "unnamed"})
	f.update("unnamed", map[string]any{"n": 2})
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	f.create(StateOptions{Identifier: "here", InitialValue: map[string]any{"n": 3}})
	var got string
	show := func(v StateValue) error {
		got += fmt.Sprintf("%s %s %d ", v.Identifier, v.Value, v.Version)
		return nil
	}
	if err := f.EachState(show); err != nil {
		t.Error(err)
	}
	if want := `here {"n":3} 0 s {"n":1} 1 unnamed {"n":2} 1 `; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !f.rests("s") {
		t.Error("it was woken")
	}
	stop := errors.New("stop")
	if err := f.EachState(func(StateValue) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// States leave memory all the time while changes are made, values read and clients join: nothing is lost, and nothing
// waits for ever.
func TestRestingUnderLoad(t *testing.T) {
	const states, writers, changes = 4, 8, 300
	s, err := New(Options{Store: stores.NewMemory(), RestAfter: time.Nanosecond, Logger: discard, checkpointBytes: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	name := func(i int) string { return fmt.Sprint("state", i%states) }
	for i := range states {
		if _, err := s.CreateState(StateOptions{Identifier: name(i), InitialValue: map[string]any{"n": 0}}); err != nil {
			t.Fatal(err)
		}
	}
	var all, resters sync.WaitGroup
	var over atomic.Bool
	var rested atomic.Int64
	resters.Go(func() {
		for !over.Load() {
			s.restAll()
			rested.Add(int64(s.Stats().Resting))
			_ = s.EachState(func(StateValue) error { return nil })
		}
	})
	for w := range writers {
		all.Go(func() {
			for i := range changes {
				_, err := s.PatchState(context.Background(), name(w+i), patchOf(t, `[{"op":"increment","path":"/n","value":1}]`))
				if err != nil {
					t.Error(err)
					return
				}
				if _, found := s.GetValueOfState(name(i)); !found {
					t.Errorf("state %s is not there", name(i))
				}
			}
		})
	}
	all.Wait()
	over.Store(true)
	resters.Wait()
	sum := 0.0
	for i := range states {
		value, _ := s.GetValueOfState(name(i))
		sum += value.Get("n").Number()
	}
	if sum != writers*changes || rested.Load() == 0 {
		t.Errorf("the sum is %v, want %d; states rested %d times", sum, writers*changes, rested.Load())
	}
}

func TestJoinOfAStateThatGoesToRestFindsItAgain(t *testing.T) {
	f := kept(t, StateOptions{})
	f.RemoveState("s")
	asked := 0
	f.create(StateOptions{Identifier: "s", AllowConnectingClient: func(context.Context, any) bool {
		if asked++; asked == 1 {
			f.letRest() // while the program is asked
		}
		return true
	}})
	a := f.client("a")
	a.send(`["join",1,"s"]`)
	a.expect(`["joined",1,"` + f.state("s").epoch + `",0,0,[],{}]`)
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}
