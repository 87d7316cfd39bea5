package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// evicting is a server whose states remember few changes.
func evicting(t *testing.T) *fixture {
	return newFixture(t, Options{Limits: Limits{HistoryEntries: 4}})
}

func TestCursorOutsideTheHistoryGetsACatchup(t *testing.T) {
	f := evicting(t)
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": strings.Repeat("x", 1000), "gone": 1}})
	w := f.joined("w", "s")
	if _, err := f.PatchState(t.Context(), "s", patchOf(t, `[{"op":"remove","path":"/gone"}]`)); err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		f.update("s", map[string]any{fmt.Sprint("p", i%2): i})
	}
	w.expect(`["catchup",1,0,10,{"p0":8,"p1":7},["gone"],0,[]]`)
	f.update("s", map[string]any{"p0": 9})
	w.expect(`["entries",1,11,[["add",["p0"],9]]]`)
}

func TestCursorOutsideTheHistoryGetsASnapshotWhereThatIsSmaller(t *testing.T) {
	f := evicting(t)
	f.create(StateOptions{Identifier: "s"})
	w := f.joined("w", "s")
	for i := range 9 {
		f.update("s", map[string]any{"p": i})
	}
	w.expect(`["snapshot",1,9,{"p":8},0,[]]`)
}

func TestForgottenRemovalsMakeASnapshot(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{HistoryEntries: 8}})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": strings.Repeat("x", 1000)}})
	w := f.joined("w", "s")
	many := map[string]any{}
	var removals strings.Builder
	for i := range maxTombstones + 1 {
		many[fmt.Sprint("p", i)] = i
		fmt.Fprintf(&removals, `,{"op":"remove","path":"/p%d"}`, i)
	}
	f.update("s", many)
	if _, err := f.PatchState(t.Context(), "s", patchOf(t, "["+removals.String()[1:]+"]")); err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		f.update("s", map[string]any{"n": i})
	}
	if got := w.recv(); len(got) != 1 || !strings.HasPrefix(got[0], `["snapshot",1,11,{"big":`) {
		t.Errorf("got %.100q, want a snapshot", got)
	}
	if got := len(f.state("s").properties.byName); got > maxTombstones+1 {
		t.Errorf("%d properties are remembered", got)
	}
}

func TestJumpCarriesTheVerdictsThatItCovers(t *testing.T) {
	f := evicting(t)
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.expect(`["accepted",1,1,1]`)
	a.send(`["merge",1,2,0,{"a":2}]`, `["patch",1,3,0,[["remove",["no"]]]]`)
	a.peer.disconnect()
	for i := range 9 {
		f.update("s", map[string]any{"p": i})
	}
	a = f.resume("a", "s", 1, 1)
	a.expectResumed(f, "s", 1, 3, `["snapshot",1,11,{"a":2,"p":8},3,[[2,2],[3,0,4313,…`)
	a.send(`["merge",1,4,11,{"a":3}]`)
	a.expect(`["accepted",1,4,12]`)
}

func TestPositionsFromBeforeTheHistoryAreRefused(t *testing.T) {
	f := evicting(t)
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"l": []any{1, 2}}})
	a := f.joined("a", "s")
	for i := range 9 {
		f.update("s", map[string]any{"p": i})
	}
	a.send(`["patch",1,1,0,[["remove",["l",0]]]]`, `["patch",1,2,0,[["add",["l","-"],3]]]`)
	a.expect(`["snapshot",1,10,{"l":[1,2,3],"p":8},2,[[1,0,4402,"version 0 is too old to carry positions forward"],[2,10]]]`)
}

func TestTooMuchWorkToCarryPositionsIsRefused(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{CarryWork: 5}})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"l": []any{1, 2}}})
	a := f.joined("a", "s")
	for range 3 {
		if _, err := f.PatchState(t.Context(), "s", patchOf(t, `[{"op":"add","path":"/l/-","value":3}]`)); err != nil {
			t.Fatal(err)
		}
	}
	a.send(`["patch",1,1,0,[["remove",["l",0]],["remove",["l",0]]]]`)
	if got := a.recv(); got[len(got)-1] != `["refused",1,1,4402,"too much was changed since version 0 to carry positions forward"]` {
		t.Errorf("got %q", got)
	}
}

// An author computes the result of its own change from the entries between its base and its acceptance. After a jump it
// has not seen them all.
func TestAnswerAfterAJumpCarriesOperations(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{HistoryEntries: 16}})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"l": []any{1, 2, 3}}})
	a := f.joined("a", "s")
	for i := range 20 {
		f.update("s", map[string]any{"p": i})
	}
	a.recv() // a jump to 20
	a.send(`["patch",1,1,17,[["remove",["l",0]]]]`, `["merge",1,2,17,{"x":1}]`, `["patch",1,3,20,[["remove",["l",1]]]]`)
	a.expect(`["accepted",1,1,21,[["remove",["l",0]]]]`, `["accepted",1,2,22]`, `["accepted",1,3,23]`)
}

func TestJoinUsesASharedSnapshotAndTheEntriesSince(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": strings.Repeat("x", 2*smallSnapshot)}})
	f.joined("a", "s")
	f.update("s", map[string]any{"n": 1})
	w := f.client("b")
	w.send(`["join",1,"s"]`)
	got := w.recv()
	if len(got) != 2 || !strings.HasPrefix(got[0], `["joined",1,"`+f.state("s").epoch+`",0,0,[],{"big":"xxx`) || got[1] != `["entries",1,1,[["add",["n"],1]]]` {
		t.Errorf("got %.80q", got)
	}
	for range 300 {
		f.update("s", map[string]any{"n": strings.Repeat("y", 50)})
		f.update("s", map[string]any{"n": strings.Repeat("z", 50)})
	}
	w = f.client("c")
	w.send(`["join",1,"s"]`)
	if got := w.recv(); len(got) != 1 || !strings.HasPrefix(got[0], `["joined",1,"`+f.state("s").epoch+`",601,`) {
		t.Errorf("got %d messages, %.80q; want a new snapshot", len(got), got)
	}
}

func TestSlowReaderHoldsNothingAndMissesNothing(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{HistoryBytes: 8 << 10}})
	f.create(StateOptions{Identifier: "s"})
	slow, quick := f.joined("slow", "s"), f.joined("quick", "s")
	for i := range 1000 {
		f.update("s", map[string]any{fmt.Sprint("p", i%3): strings.Repeat("x", i%100)})
		if got := quick.recv(); len(got) != 1 {
			t.Fatalf("version %d: got %q", i+1, got)
		}
	}
	history := &f.state("s").history
	if history.bytes > 8<<10 {
		t.Errorf("the history has %d bytes", history.bytes)
	}
	got := slow.recv()
	if want := `["snapshot",1,1000,` + f.value("s") + `,0,[]]`; len(got) != 1 || got[0] != want {
		t.Errorf("got %.200q, want %.200s", got, want)
	}
	f.update("s", map[string]any{"n": 1})
	slow.expect(`["entries",1,1001,[["add",["n"],1]]]`)
}

func TestWhoJoinsSeesWhatWasAnsweredBefore(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": strings.Repeat("x", 1<<20)}})
	first := f.client("first")
	first.send(`["join",1,"s"]`)
	first.recv() // made the snapshot that the next ones get
	version := f.update("s", map[string]any{"new": strings.Repeat("y", 100<<10)})
	late := f.client("late")
	late.send(`["join",1,"s"]`)
	frame := string(late.peer.take(nil, 64<<10))
	if !strings.HasPrefix(frame, `["joined",1,`) || !strings.Contains(frame, fmt.Sprintf("\n[\"entries\",1,%d,", version)) {
		t.Errorf("the first frame, of %d bytes, does not lead to version %d", len(frame), version)
	}
}

// A write of the root touches every property that differs, also where it is one operation because that is shorter: of
// them a catch-up, a transaction and an interceptor must know.
func TestAWriteOfTheRootTouchesWhatDiffers(t *testing.T) {
	f := evicting(t)
	var told [][]string
	f.create(StateOptions{
		Identifier:           "s",
		InitialValue:         map[string]any{"b": []any{1}, "c": 1, "same": 1},
		InterceptStateUpdate: func(_ context.Context, u *Update) error { told = append(told, u.Properties()); return nil },
	})
	a := f.joined("a", "s")
	a.peer.disconnect()
	w := f.joined("w", "s")
	w.send(`["patch",1,1,0,[["add",[],{"e":1,"same":1}]]]`)
	w.expect(`["accepted",1,1,1]`)
	if got := fmt.Sprint(told); got != "[[b c e]]" {
		t.Errorf("the interceptor was told of %s", got)
	}
	if names, known := f.state("s").properties.changedSince(0); !known || fmt.Sprint(names) != "[b c e]" {
		t.Errorf("a catch-up would have %q, %t", names, known)
	}
	w.send(`["transaction",1,2,0,{"x":1},["b"],1]`)
	w.expect(`["accepted",1,2,2]`)
	v := f.joined("v", "s")
	v.send(`["transaction",1,1,0,{"x":2},["b"],0]`)
	if got := v.recv(); len(got) != 1 || !strings.HasPrefix(got[0], `["refused",1,1,`) {
		t.Errorf("a transaction that has read what the root took away got %q", got)
	}
}
