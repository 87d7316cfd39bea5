package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/stores"
)

// lastRestart makes the random names of each server others.
var lastRestart byte

// restart ends the server and begins another one on the same store.
func (f *fixture) restart(options Options) *fixture {
	f.Helper()
	if err := f.Close(); err != nil {
		f.Fatal(err)
	}
	lastRestart++
	options.clock, options.random = f.clock, rand.NewChaCha8([32]byte{2, lastRestart})
	if options.Store == nil {
		options.Store = f.options.Store
	}
	return newFixture(f.TB, options)
}

// kept is a fixture on a store in memory, with a state.
func kept(t *testing.T, options StateOptions) *fixture {
	t.Helper()
	f := newFixture(t, Options{Store: stores.NewMemory()})
	options.Identifier = "s"
	f.create(options)
	return f
}

// stateOf returns a state, brought back into memory.
func (f *fixture) stateOf(identifier string) *state {
	f.Helper()
	s, err := f.find(context.Background(), identifier)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

// back connects a session of an earlier process and resumes its state.
func (f *fixture) back(name, epoch string, version, answered int) *wire {
	w := f.client(name)
	w.send(fmt.Sprintf(`["join",1,"s","%s",%d,%d]`, epoch, version, answered))
	return w
}

func TestRestartKeepsWhatAStateIs(t *testing.T) {
	f := kept(t, StateOptions{InitialValue: map[string]any{"n": 0}})
	f.update("s", map[string]any{"n": 1})
	f.update("s", map[string]any{"n": 2})
	before, made := f.state("s"), f.clock.Now()
	f.clock.advance(time.Hour)
	f = f.restart(Options{})
	if f.exists("s") {
		t.Error("the state was there before its rules were")
	}
	options := StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 99}}
	f.create(options)
	if _, err := f.CreateState(options); !errors.Is(err, ErrStateExists) {
		t.Errorf("a second time: got %v", err)
	}
	if got, want := f.value("s"), `{"n":2}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	after := f.state("s")
	if after.epoch != before.epoch || after.committed != 2 || !after.createdAt.Equal(made) {
		t.Errorf("got %s %d %v, want %s 2 %v", after.epoch, after.committed, after.createdAt, before.epoch, made)
	}
	if got := f.update("s", map[string]any{"n": 3}); got != 3 {
		t.Errorf("the next version is %d", got)
	}
}

func TestTimeToLiveCountsOverARestart(t *testing.T) {
	f := kept(t, StateOptions{TTL: 2 * time.Hour})
	f.update("s", map[string]any{"n": 1})
	epoch := f.state("s").epoch
	options := StateOptions{Identifier: "s", TTL: 2 * time.Hour, InitialValue: map[string]any{"new": true}}
	f.clock.advance(time.Hour)
	f = f.restart(Options{})
	f.create(options)
	f.clock.advance(time.Hour - 1)
	if !f.exists("s") {
		t.Fatal("the state ended too soon")
	}
	f.clock.advance(1)
	if f.exists("s") {
		t.Error("the state has not ended")
	}
	f.create(options)
	f = f.restart(Options{})
	f.clock.advance(2 * time.Hour)
	f.create(options)
	if got, want := f.value("s"), `{"new":true}`; got != want || f.state("s").epoch == epoch || f.state("s").committed != 0 {
		t.Errorf("after its time a state goes on with %s, want %s", got, want)
	}
}

func TestClientResumesAfterARestartWithWhatItMissed(t *testing.T) {
	for _, checkpointBytes := range []int{1, checkpointBytes} {
		f := newFixture(t, Options{Store: stores.NewMemory(), checkpointBytes: checkpointBytes})
		f.create(StateOptions{Identifier: "s"})
		a := f.joined("a", "s")
		a.send(`["merge",1,1,0,{"a":1}]`)
		a.expect(`["accepted",1,1,1]`)
		f.update("s", map[string]any{"b": 2})
		epoch, welcome := f.state("s").epoch, f.welcomeOf(sessionNamed("a"))
		f = f.restart(Options{})
		f.create(StateOptions{Identifier: "s"})
		if got := f.welcomeOf(sessionNamed("a")); got != welcome {
			t.Errorf("the session is another one: %s, was %s", got, welcome)
		}
		f.update("s", map[string]any{"c": 3})
		a = f.back("a", epoch, 1, 1)
		a.expect(`["joined",1,"`+epoch+`",1,1]`, `["entries",1,2,[["add",["b"],2]],[["add",["c"],3]]]`)
		a.send(`["merge",1,2,3,{"a":2}]`)
		a.expect(`["accepted",1,2,4]`)
	}
}

func TestResendAfterARestartIsAnsweredAndNotAppliedTwice(t *testing.T) {
	f := kept(t, StateOptions{InitialValue: map[string]any{"n": 0}})
	a := f.joined("a", "s")
	increment := `["patch",1,1,0,[["increment",["n"],1]]]`
	a.send(increment) // its answer is lost
	epoch := f.state("s").epoch
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	a = f.back("a", epoch, 0, 0)
	a.expect(`["joined",1,"`+epoch+`",0,1]`, `["accepted",1,1,1,[["increment",["n"],1]]]`)
	a.send(increment)
	a.expect()
	if got, want := f.value("s"), `{"n":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	a = f.client("a") // from scratch, as after a violation
	a.send(`["join",1,"s"]`)
	a.expect(`["joined",1,"` + epoch + `",1,1,[[1,1]],{"n":1}]`)
}

// A client may be ahead of a folder that was copied back. It begins anew, in place of being told that it is broken.
func TestClientAheadOfTheStoreBeginsAnew(t *testing.T) {
	f := kept(t, StateOptions{})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.expect(`["accepted",1,1,1]`)
	epoch := f.state("s").epoch
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	got := f.back("a", epoch, 7, 5).recv()
	if len(got) != 1 || !strings.HasPrefix(got[0], fmt.Sprintf(`["joined",1,"%s",1,0,[],{"a":1}`, epoch)) {
		t.Errorf("got %q", got)
	}
}

func TestRefusalsOverARestart(t *testing.T) {
	f := kept(t, StateOptions{InitialValue: map[string]any{"n": 0}})
	a := f.joined("a", "s")
	no := func(number int) string { return fmt.Sprintf(`["patch",1,%d,0,[["remove",["none"]]]]`, number) }
	a.send(no(1), `["merge",1,2,0,{"n":1}]`, no(3))
	answers := a.recv()
	if len(answers) != 3 {
		t.Fatalf("got %q", answers)
	}
	epoch := f.state("s").epoch

	untold := f.restart(Options{})
	untold.create(StateOptions{Identifier: "s"})
	a = untold.back("a", epoch, 0, 0)
	// 1 is known because 2 was kept after it; 3 is judged anew.
	a.expect(`["joined",1,"`+epoch+`",0,2]`, answers[0], `["accepted",1,2,1,[["add",["n"],1]]]`)
	a.send(no(3))
	a.expect(answers[2])

	told := untold.restart(Options{})
	told.create(StateOptions{Identifier: "s"})
	a = told.back("a", epoch, 1, 3)
	a.expect(`["joined",1,"` + epoch + `",1,3]`)
	a.send(`["merge",1,4,1,{"n":2}]`)
	a.expect(`["accepted",1,4,2]`)

	again := told.restart(Options{})
	again.create(StateOptions{Identifier: "s"})
	a = again.back("a", epoch, 1, 3)
	a.expect(`["joined",1,"`+epoch+`",1,4]`, `["accepted",1,4,2,[["add",["n"],2]]]`)
}

func TestRefusalsAreInACheckpoint(t *testing.T) {
	f := kept(t, StateOptions{})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"n":1}]`, `["patch",1,2,0,[["remove",["none"]]]]`)
	answers := a.recv()
	f.state("s").checkpoint()
	epoch := f.state("s").epoch
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	f.back("a", epoch, 1, 1).expect(`["joined",1,"`+epoch+`",1,2]`, answers[1])
}

func TestTransactionsOverARestart(t *testing.T) {
	for _, checkpoint := range []bool{false, true} {
		f := kept(t, StateOptions{InitialValue: map[string]any{"mine": 0, "other": 0}})
		a := f.joined("a", "s")
		a.send(`["merge",1,1,0,{"mine":1}]`)
		f.update("s", map[string]any{"other": 1})
		a.recv()
		if checkpoint {
			f.state("s").checkpoint()
		}
		epoch := f.state("s").epoch
		f = f.restart(Options{})
		f.create(StateOptions{Identifier: "s"})
		a = f.back("a", epoch, 2, 1)
		a.expect(`["joined",1,"` + epoch + `",2,1]`)
		// Based on version 1: of what was changed then nothing is known where a checkpoint is all there is.
		a.send(`["transaction",1,2,1,{"mine":2},["mine"],1]`)
		got := a.recv()
		a.send(`["transaction",1,3,1,{"x":1},["other"],2]`)
		got = append(got, a.recv()...)
		a.send(`["transaction",1,4,2,{"mine":3},null,3]`)
		got = append(got, a.recv()...)
		stale := func(number int, name string) string {
			return fmt.Sprintf(`["refused",1,%d,4401,"property \"%s\" was changed by another"]`, number, name)
		}
		if len(got) != 3 || checkpoint != (got[0] == stale(2, "mine")) || !slices.Contains(got, stale(3, "other")) || !strings.HasPrefix(got[len(got)-1], `["accepted",1,4,`) {
			t.Errorf("checkpoint %v: got %q", checkpoint, got)
		}
	}
}

// The record of a change may write the root: what it touched is known after a restart, too.
func TestAWriteOfTheRootIsKnownAfterARestart(t *testing.T) {
	f := kept(t, StateOptions{InitialValue: map[string]any{"b": []any{1}, "c": 1, "same": 1}})
	if _, err := f.PatchState(t.Context(), "s", patchOf(t, `[{"op":"add","path":"","value":{"e":1,"same":1}}]`)); err != nil {
		t.Fatal(err)
	}
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	if names, known := f.stateOf("s").properties.changedSince(0); !known || fmt.Sprint(names) != "[b c e]" {
		t.Errorf("a catch-up would have %q, %t", names, known)
	}
}

func TestClientThatLeftBeforeACrashBeginsAnew(t *testing.T) {
	f := kept(t, StateOptions{})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"n":1}]`, `["merge",1,2,0,{"n":2}]`, `["leave",1]`)
	a.send(`["join",2,"s"]`)
	a.recv()
	a.send(`["patch",2,1,2,[["remove",["none"]]]]`) // refused: the store does not hear of it
	a.recv()
	epoch := f.state("s").epoch
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	a = f.back("a", epoch, 2, 1)
	a.expect(`["joined",1,"` + epoch + `",2,1]`)
	a.send(`["merge",1,2,2,{"n":3}]`)
	a.expect(`["accepted",1,2,3]`)
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	f.back("a", epoch, 2, 1).expect(`["joined",1,"`+epoch+`",2,2]`, `["accepted",1,2,3,[["add",["n"],3]]]`)
}

func TestChangeThatIsJudgedAfterItsAuthorHasLeftBelongsToNobody(t *testing.T) {
	f := kept(t, StateOptions{})
	turn, a := f.joined("turn", "s"), f.joined("a", "s")
	a.send(`["merge",1,1,0,{"n":1}]`)
	f.update("s", map[string]any{"m": 1})
	turn.send(`["transaction",1,1,0,{"m":2},["m"],0]`) // is stale, and has the turn: a's transaction waits
	a.recv()
	turn.recv()
	a.send(`["transaction",1,2,2,{"late":1},[],1]`, `["leave",1]`, `["join",2,"s"]`)
	a.recv()
	a.send(`["merge",2,1,1,{"n":2}]`)
	f.clock.advance(time.Minute) // no turn is that long
	a.recv()
	if got, want := f.value("s"), `{"late":1,"m":1,"n":2}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	epoch := f.state("s").epoch
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	if got := f.stateOf("s").records[f.sessions.byID[sessionNamed("a")]].mark; got != 1 {
		t.Errorf("the mark is %d, want 1", got)
	}
	f.back("a", epoch, 4, 1).expect(`["joined",1,"` + epoch + `",4,1]`)
}

func TestSessionThatExpiresIsForgottenByTheStore(t *testing.T) {
	f := kept(t, StateOptions{})
	a := f.joined("a", "s")
	f.joined("reader", "s").peer.disconnect()
	a.send(`["merge",1,1,0,{"n":1}]`)
	a.peer.disconnect()
	if got, want := f.sessionsInStore(), []string{sessionNamed("a")}; !slices.Equal(got, want) {
		t.Errorf("the store has %q, want %q", got, want)
	}
	f = f.restart(Options{})
	f.clock.advance(10*time.Minute - 1)
	if len(f.sessionsInStore()) != 1 {
		t.Error("the session was forgotten too soon")
	}
	f.clock.advance(1)
	if got := f.sessionsInStore(); len(got) != 0 {
		t.Errorf("the store still has %q", got)
	}
	f.create(StateOptions{Identifier: "s"})
	if n := len(f.stateOf("s").records); n != 0 {
		t.Errorf("the state has %d records of it", n)
	}
}

func (f *fixture) sessionsInStore() (ids []string) {
	if err := f.options.Store.Sessions(func(id string, _ []byte) { ids = append(ids, id) }); err != nil {
		f.Error(err)
	}
	return ids
}

func TestSessionIsAnotherOnesAfterARestartToo(t *testing.T) {
	f := kept(t, StateOptions{})
	w := f.dial(user("ann"))
	w.send(`["hello","`+sessionNamed("x")+`","page",{}]`, `["join",1,"s"]`)
	w.recv()
	w.send(`["merge",1,1,0,{"n":1}]`)
	f = f.restart(Options{})
	w = f.dial(user("bob"))
	w.send(`["hello","` + sessionNamed("x") + `","page",{}]`)
	w.expect(`["bye",4107,"the session belongs to another client",0]`)
}

func TestNoMoreSessionsAreTakenOverThanThereMayBe(t *testing.T) {
	f := kept(t, StateOptions{})
	for _, name := range []string{"a", "b", "c"} {
		f.joined(name, "s").send(`["merge",1,1,0,{"n":1}]`)
	}
	f = f.restart(Options{Limits: Limits{Sessions: 2}})
	if f.sessions.count() != 2 || len(f.sessionsInStore()) != 2 {
		t.Errorf("%d sessions are known, and %q are kept", f.sessions.count(), f.sessionsInStore())
	}
}

func TestRemovedStaysRemoved(t *testing.T) {
	f := kept(t, StateOptions{})
	f.create(StateOptions{Identifier: "all"})
	f.RemoveState("s")
	f = f.restart(Options{})
	f.RemoveAllStates() // which nobody has named
	f = f.restart(Options{})
	if n := len(f.stored); n != 0 {
		t.Errorf("%d states are back", n)
	}
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"new": 1}})
	if got, want := f.value("s"), `{"new":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRestoreStateNamesWhatWasMadeOnDemand(t *testing.T) {
	f := kept(t, StateOptions{})
	f.create(StateOptions{Identifier: "over"})
	f.create(StateOptions{Identifier: "unknown"})
	f.update("s", map[string]any{"n": 1})
	f.clock.advance(time.Minute)
	f = f.restart(Options{RestoreState: func(identifier string) (StateOptions, error) {
		switch identifier {
		case "over":
			return StateOptions{TTL: time.Second}, nil
		case "unknown":
			return StateOptions{}, errors.New("what is that?")
		}
		return StateOptions{TTL: time.Hour, InitialValue: 5}, nil
	}})
	if got, want := f.value("s"), `{"n":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if f.exists("over") || f.exists("unknown") || f.stored["unknown"] == nil || f.stored["over"] != nil {
		t.Error("a state is there that should not be, or the other way")
	}
	f.clock.advance(time.Hour)
	if f.exists("s") {
		t.Error("the state has outlived its time")
	}
}

func TestSelfDestructWaitsForClientsOfAnEarlierProcess(t *testing.T) {
	f := kept(t, StateOptions{SelfDestruct: empty})
	f.joined("a", "s")
	f.state("s").checkpoint()
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s", SelfDestruct: empty})
	f.clock.advance(30*time.Second - 1)
	f.askAll()
	if f.stored["s"] == nil {
		t.Fatal("the state ended before its clients could come back")
	}
	f.stateOf("s")
	f.askAll()
	if !f.exists("s") {
		t.Fatal("the state ended before its clients could come back, in memory")
	}
	f.clock.advance(1)
	f.askAll()
	if f.exists("s") {
		t.Error("the state has not ended: that it was visited is forgotten")
	}
}

func TestStoreThatMayHaveLostSomethingBeginsAnotherEpoch(t *testing.T) {
	f := kept(t, StateOptions{})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"n":1}]`)
	epoch := f.state("s").epoch
	f = f.restart(Options{Store: lineage{f.options.Store, "another"}})
	f.create(StateOptions{Identifier: "s"})
	a = f.back("a", epoch, 1, 1)
	next := f.state("s").epoch
	a.expect(`["joined",1,"` + next + `",1,0,[],{"n":1}]`)
	a.send(`["merge",1,1,1,{"n":2}]`)
	a.expect(`["accepted",1,1,2]`)
	f = f.restart(Options{})
	f.create(StateOptions{Identifier: "s"})
	if got := f.stateOf("s"); got.epoch != next || next == epoch || got.committed != 2 {
		t.Errorf("got %s at %d, want %s, which is not %s", got.epoch, got.committed, next, epoch)
	}
}

// lineage is a store with another lineage.
type lineage struct {
	stores.Store
	name string
}

func (l lineage) Lineage() string { return l.name }

func TestStateThatCameFromElsewhereKeepsItsTime(t *testing.T) {
	f := newFixture(t, Options{Store: stores.NewMemory()})
	made := f.clock.Now().Add(-time.Hour)
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 1}, CreatedAt: made, TTL: 90 * time.Minute})
	err := f.EachState(func(v StateValue) error {
		if v.Identifier != "s" || v.Value.String() != `{"n":1}` || v.Version != 0 || !v.CreatedAt.Equal(made) {
			t.Errorf("got %+v", v)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	f.clock.advance(30 * time.Minute)
	if f.exists("s") {
		t.Error("the state has not ended")
	}
}
