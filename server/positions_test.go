package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// decoded returns how many entries of a state were decoded and are kept.
func (f *fixture) decoded(identifier string) (n int) {
	for _, segment := range f.state(identifier).history.segments {
		for _, ops := range segment.positions {
			if ops != nil {
				n++
			}
		}
	}
	return n
}

func TestChangeIsCarriedOverUnrelatedEntriesWithoutDecoding(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{CarryWork: 1}})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"list": []any{0, 0}}})
	w := f.joined("w", "s")
	for i := range 4000 {
		f.update("s", map[string]any{"x": i})
	}
	w.send(`["patch",1,1,0,[["increment",["list",1],1]]]`)
	if got := w.recv(); got[len(got)-1] != `["accepted",1,1,4001]` {
		t.Errorf("got %s", got[len(got)-1])
	}
	if n := f.decoded("s"); n != 0 {
		t.Errorf("%d entries were decoded", n)
	}
}

func TestEntryIsDecodedOnceHoweverManyChangesAreCarriedOverIt(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"list": []any{0, 1, 2, 3}}})
	w := f.joined("w", "s")
	for i := range 100 {
		f.update("s", map[string]any{"x": i})
		if _, err := f.PatchState(t.Context(), "s", patchOf(t, `[{"op":"add","path":"/list/0","value":"new"}]`)); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for number := range 500 {
		all = append(all, fmt.Sprintf(`["patch",1,%d,0,[["test",["list",3],3]]]`, number+1))
	}
	w.send(strings.Join(all, "\n"))
	if n := f.decoded("s"); n != 100 {
		t.Errorf("%d entries are kept decoded", n)
	}
	s := f.state("s")
	first, err := s.history.positionsOf(2)
	if err != nil || len(first) != 1 || first[0].Value.Exists() {
		t.Fatalf("got %v, %v", first, err)
	}
	if again, _ := s.history.positionsOf(2); &again[0] != &first[0] {
		t.Error("it was decoded again")
	}
}

// What is passed over must be what Carry would not have looked at.
func TestEntriesThatArePassedOverMoveNothing(t *testing.T) {
	names := []string{"a", "b", "c"}
	var ops []document.Op
	path := func(names ...string) (p document.Path) {
		for _, name := range names {
			p = append(p, document.Key(name))
		}
		return p
	}
	for _, name := range names {
		for _, other := range names {
			ops = append(ops,
				document.Op{Kind: document.Add, Path: path(name, other)}, document.Op{Kind: document.Remove, Path: path(name)},
				document.Op{Kind: document.Move, From: path(name), Path: path(other)},
				document.Op{Kind: document.Copy, From: path(name, other), Path: path(other, name)},
				document.Op{Kind: document.Test, Path: path(name)})
		}
	}
	ops = append(ops, document.Op{Kind: document.Add})
	for _, entry := range ops {
		for _, change := range ops {
			passed := aboutOf([]document.Op{entry}).moves&propertiesOf([]document.Op{change}) == 0
			writes, all := document.Properties([]document.Op{entry})
			related := all || len(change.Path) == 0 && len(writes) > 0
			for _, name := range writes {
				related = related || len(change.Path) > 0 && change.Path[0].Name == name || len(change.From) > 0 && change.From[0].Name == name
			}
			if passed == related {
				t.Errorf("%v over %v: passed over %v, related %v", change, entry, passed, related)
			}
		}
	}
}
