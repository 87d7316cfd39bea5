package server

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestTransactionIsStale(t *testing.T) {
	for _, test := range []struct {
		name   string
		before func(f *fixture, a *wire) // after version 1, which a has
		change string
		want   string
	}{
		{"nothing came between", func(*fixture, *wire) {}, `1,{"a":2},["b"],1`, "accepted"},
		{"another property was changed", func(f *fixture, _ *wire) { f.update("s", map[string]any{"c": 1}) }, `1,{"a":2},["b"],1`, "accepted"},
		{"what it read was changed", func(f *fixture, _ *wire) { f.update("s", map[string]any{"b": 1}) }, `1,{"a":2},["b"],1`,
			`4401,"property \"b\" was changed by another"`},
		{"what it wrote was changed", func(f *fixture, _ *wire) { f.update("s", map[string]any{"a": 1}) }, `1,{"a":2},["b"],1`,
			`4401,"property \"a\" was changed by another"`},
		{"it read everything", func(f *fixture, _ *wire) { f.update("s", map[string]any{"c": 1}) }, `1,{"a":2},null,1`,
			`4401,"the state was changed by another"`},
		{"what it read was set to the same", func(f *fixture, _ *wire) { f.update("s", map[string]any{"b": 0}) }, `1,{"a":2},["b"],1`, "accepted"},
		{"what it read was removed", func(f *fixture, _ *wire) {
			if _, err := f.PatchState(f.Context(), "s", patchOf(f, `[{"op":"remove","path":"/b"}]`)); err != nil {
				f.Fatal(err)
			}
		}, `1,{"a":2},["b"],1`, `4401,"property \"b\" was changed by another"`},
		{"it changed it itself", func(_ *fixture, a *wire) { a.send(`["merge",1,2,1,{"b":1}]`) }, `1,{"a":2},["b"],1`, "accepted"},
		{"another changed it before it did", func(f *fixture, a *wire) {
			f.update("s", map[string]any{"b": 1})
			a.send(`["merge",1,2,1,{"b":2}]`)
		}, `1,{"a":2},["b"],1`, `4401,"property \"b\" was changed by another"`},
		{"an own change was refused that it counted on", func(_ *fixture, a *wire) { a.send(`["patch",1,2,1,[["remove",["no"]]]]`) },
			`1,{"a":2},["b"],1`, `4401,"own change 2 had another result than the transaction expected"`},
		{"an own refusal was known", func(_ *fixture, a *wire) { a.send(`["patch",1,2,1,[["remove",["no"]]]]`); a.recv() },
			`1,{"a":2},["b"],2`, "accepted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"b": 0}})
			a := f.joined("a", "s")
			a.send(`["merge",1,1,0,{"a":0}]`)
			a.recv()
			test.before(f, a)
			number := f.state("s").records[a.peer.session].mark + 1
			a.send(fmt.Sprintf(`["transaction",1,%d,%s]`, number, test.change))
			got := a.recv()
			if last := got[len(got)-1]; !strings.Contains(last, test.want) {
				t.Errorf("got %s, want %s", last, test.want)
			}
		})
	}
}

func TestTransactionIsStaleWhereRemovalsAreForgotten(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	f.state("s").properties.floor = 1
	f.update("s", map[string]any{"x": 1})
	a.recv()
	a.send(`["transaction",1,1,0,{},["a"],0]`)
	a.expect(`["refused",1,1,4401,"property \"a\" was changed by another"]`)
	a.send(`["transaction",1,2,1,{},["a"],1]`)
	a.expect(`["accepted",1,2,2]`)
}

// Each writer sends its transaction again when it was stale. Without the line, one of them could lose every time.
func TestEveryTransactionLandsSoon(t *testing.T) {
	const writers, each, most = 20, 50, 8
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0}})
	type writer struct {
		*wire
		value, version, number, stale, done int
		waiting                             bool
	}
	all := make([]*writer, writers)
	for i := range all {
		all[i] = &writer{wire: f.joined(fmt.Sprint("w", i), "s")}
	}
	for busy := true; busy; {
		busy = false
		for _, w := range all { // all decide on what they know, then all hear
			if w.done < each && !w.waiting {
				w.number++
				w.send(fmt.Sprintf(`["transaction",1,%d,%d,{"n":%d},["n"],%d]`, w.number, w.version, w.value+1, w.number-1))
				w.waiting = true
			}
			busy = busy || w.done < each
		}
		for _, w := range all {
			for _, m := range w.recv() {
				var n int
				switch {
				case scan(m, `["accepted",1,%d,%d]`, &n, &w.version):
					w.value, w.stale, w.waiting = w.value+1, 0, false
					w.done++
				case strings.HasPrefix(m, `["refused"`):
					w.waiting = false
					if w.stale++; w.stale > most {
						t.Fatalf("a transaction was stale %d times", w.stale)
					}
				default:
					first := 0
					scan(m, `["entries",1,%d,`, &first)
					for range strings.Count(m, `["add",["n"],`) {
						w.version++
					}
					last := m[strings.LastIndex(m, `["add",["n"],`)+len(`["add",["n"],`):]
					scan(last, `%d]`, &w.value)
				}
			}
		}
	}
	if got, want := f.value("s"), fmt.Sprintf(`{"n":%d}`, writers*each); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func scan(text, format string, into ...any) bool {
	n, err := fmt.Sscanf(text, format, into...)
	return err == nil && n == len(into)
}

// staleFixture has a state at version 1 that a and b do not know yet, and the turn is a's.
func staleFixture(t *testing.T) (f *fixture, a, b *wire) {
	f = newFixture(t, Options{TransactionTurn: time.Second})
	f.create(StateOptions{Identifier: "s"})
	a, b = f.joined("a", "s"), f.joined("b", "s")
	f.update("s", map[string]any{"n": 1})
	a.send(`["transaction",1,1,0,{"n":2},["n"],0]`)
	a.expect(`["entries",1,1,[["add",["n"],1]]]`, `["refused",1,1,4401,"property \"n\" was changed by another"]`)
	b.expect(`["entries",1,1,[["add",["n"],1]]]`)
	return f, a, b
}

func TestTurnDelaysTransactionsOfOthersAndWhatTheySentBehind(t *testing.T) {
	f, a, b := staleFixture(t)
	c := f.joined("c", "s")
	b.send(`["transaction",1,1,1,{"n":5},["n"],0]`, `["merge",1,2,1,{"b":1}]`)
	b.expect()
	c.send(`["merge",1,1,1,{"c":1}]`) // no transaction is before it
	c.expect(`["accepted",1,1,2]`)
	a.send(`["transaction",1,2,1,{"n":2},["n"],1]`)
	a.expect(`["entries",1,2,[["add",["c"],1]]]`, `["accepted",1,2,3]`, `["entries",1,4,[["add",["b"],1]]]`)
	b.expect(
		`["entries",1,2,[["add",["c"],1]],[["add",["n"],2]]]`,
		`["refused",1,1,4401,"property \"n\" was changed by another"]`,
		`["accepted",1,2,4]`)
}

func TestNobodyHasTwoTurnsWhileOthersWait(t *testing.T) {
	_, a, b := staleFixture(t)
	b.send(`["transaction",1,1,1,{"n":5},["n"],0]`)
	a.send(`["transaction",1,2,0,{"n":2},["n"],1]`) // still on the old version
	b.expect(`["accepted",1,1,2]`)
	a.expect(`["refused",1,2,4401,"property \"n\" was changed by another"]`, `["entries",1,2,[["add",["n"],5]]]`)
}

func TestTurnEndsByTime(t *testing.T) {
	f, _, b := staleFixture(t)
	b.send(`["transaction",1,1,1,{"n":5},["n"],0]`)
	f.clock.advance(time.Second - 1)
	b.expect()
	f.clock.advance(1)
	b.expect(`["accepted",1,1,2]`)
}

func TestTurnEndsWhenItsSessionGoesAway(t *testing.T) {
	for name, goAway := range map[string]func(a *wire){
		"leaves":      func(a *wire) { a.send(`["leave",1]`) },
		"disconnects": func(a *wire) { a.peer.disconnect() },
	} {
		f, a, b := staleFixture(t)
		b.send(`["transaction",1,1,1,{"n":5},["n"],0]`)
		b.expect()
		goAway(a)
		if got := b.recv(); len(got) != 1 || got[0] != `["accepted",1,1,2]` {
			t.Errorf("%s: got %q", name, got)
		}
		f.clock.advance(time.Minute)
	}
}

func TestStateThatIsRemovedEndsItsLine(t *testing.T) {
	f, _, b := staleFixture(t)
	b.send(`["transaction",1,1,1,{"n":5},["n"],0]`)
	f.RemoveState("s")
	b.expect(`["closed",1,4202,"the server removed it"]`)
	if n := f.inFlight.count(); n != 0 {
		t.Errorf("%d changes are still under way", n)
	}
	f.clock.advance(time.Minute)
}

func TestSessionsCannotPassTheTurnAmongThemselves(t *testing.T) {
	for name, leaves := range map[string]int{"silent": -1, "leaving in time": 5} {
		f := newFixture(t, Options{TransactionTurn: time.Second})
		f.create(StateOptions{Identifier: "s"})
		var evil []*wire
		for i := range 40 {
			evil = append(evil, f.joined(fmt.Sprint("evil", i), "s"))
		}
		honest := f.joined("honest", "s")
		f.update("s", map[string]any{"n": 1})
		honest.recv()
		for _, w := range evil {
			w.send(`["transaction",1,1,0,{"n":2},null,0]`)
		}
		f.clock.advance(100 * time.Millisecond)
		honest.send(`["transaction",1,1,1,{"mine":1},["mine"],0]`, `["merge",1,2,1,{"mine":2}]`)
		for i := range 10 {
			if owner := f.state("s").line.turn; i == leaves && owner != nil {
				owner.subscription.peer.disconnect()
			}
			f.clock.advance(100 * time.Millisecond)
		}
		if got := honest.recv(); len(got) != 2 || got[0] != `["accepted",1,1,2]` || got[1] != `["accepted",1,2,3]` {
			t.Errorf("%s: after one turn's time got %q", name, got)
		}
		f.clock.advance(time.Minute)
	}
}
