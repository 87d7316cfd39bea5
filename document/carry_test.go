package document

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// positions reads operations such as "move /l/1 /m/0; add /a/-": digits are indexes, everything else is a name.
func positions(t testing.TB, text string) []Op {
	t.Helper()
	var ops []Op
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		kind, ok := ParseOpKind(words[0])
		if !ok || (len(words) != 2) != kind.HasFrom() {
			t.Fatalf("positions: %q is no operation", part)
		}
		op := Op{Kind: kind, Path: pathOf(words[len(words)-1])}
		if kind.HasFrom() {
			op.From = pathOf(words[1])
		}
		ops = append(ops, op)
	}
	return ops
}

func pathOf(pointer string) Path {
	path := Path{}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if i, err := strconv.Atoi(token); err == nil {
			path = append(path, Elem(i))
		} else if token != "" {
			path = append(path, Key(token))
		}
	}
	return path
}

// show writes operations as positions reads them.
func show(ops []Op) string {
	var parts []string
	for _, op := range ops {
		part := op.Kind.String() + " "
		if op.Kind.HasFrom() {
			part += "/" + strings.TrimPrefix(op.From.String(), "/") + " "
		}
		parts = append(parts, part+"/"+strings.TrimPrefix(op.Path.String(), "/"))
	}
	return strings.Join(parts, "; ")
}

const conflicts = "conflict"

// carryRow is one line of a table: the change carried over the entry, and the entry over the change.
type carryRow struct{ change, entry, carried, after string }

func testCarry(t *testing.T, rows []carryRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.change+" over "+row.entry, func(t *testing.T) {
			change, entry := positions(t, row.change), positions(t, row.entry)
			carried, after, err := Carry(change, entry)
			got := show(carried)
			if err != nil {
				got = conflicts
			}
			if got != row.carried {
				t.Errorf("carried: got %q, want %q", got, row.carried)
			}
			if got := show(after); got != row.after {
				t.Errorf("entry after: got %q, want %q", got, row.after)
			}
			if show(change) != row.change || show(entry) != row.entry {
				t.Errorf("arguments were changed to %q and %q", show(change), show(entry))
			}
		})
	}
}

func TestCarryShiftsByInsertsAndRemovals(t *testing.T) {
	testCarry(t, []carryRow{
		{"increment /l/2", "add /l/1", "increment /l/3", "add /l/1"},
		{"increment /l/2", "add /l/2", "increment /l/3", "add /l/2"},
		{"increment /l/2", "add /l/3", "increment /l/2", "add /l/3"},
		{"increment /l/2", "remove /l/1", "increment /l/1", "remove /l/1"},
		{"increment /l/2", "remove /l/3", "increment /l/2", "remove /l/3"},
		{"test /l/2/a", "add /l/0; add /l/0; remove /l/4", conflicts, ""},
		{"test /l/2/a", "add /l/0; add /l/0; remove /l/3", "test /l/3/a", "add /l/0; add /l/0; remove /l/3"},
		{"add /l/2/a", "remove /l/0", "add /l/1/a", "remove /l/0"},
		{"replace /l/2", "add /l/0", "replace /l/3", "add /l/0"},
		{"remove /l/2", "add /l/0", "remove /l/3", "add /l/0"},
		{"remove /l/2", "add /l/2", "remove /l/3", "add /l/2"},
		{"remove /l/2", "add /l/3", "remove /l/2", "add /l/2"},
		{"remove /l/2", "remove /l/4", "remove /l/2", "remove /l/3"},
		{"add /l/2", "increment /l/4", "add /l/2", "increment /l/4"},
		{"remove /2", "add /0", "remove /3", "add /0"},
		{"increment /l/2", "add /m/0", "increment /l/2", "add /m/0"},
		{"increment /l/2", "copy /l/4 /l/0", "increment /l/3", "add /l/0"},
		{"increment /l/2", "copy /l/2 /l/3", "increment /l/2", "add /l/3"},
	})
}

func TestCarryPutsTheEntryLeftAtEqualGaps(t *testing.T) {
	testCarry(t, []carryRow{
		{"add /l/2", "add /l/1", "add /l/3", "add /l/1"},
		{"add /l/2", "add /l/2", "add /l/3", "add /l/2"},
		{"add /l/2", "add /l/3", "add /l/2", "add /l/4"},
		{"add /l/0", "add /l/0; add /l/1; add /l/0", "add /l/3", "add /l/0; add /l/1; add /l/0"},
		{"add /l/0; add /l/1", "add /l/0", "add /l/1; add /l/2", "add /l/0"},
		{"copy /a /l/2", "add /l/2", "copy /a /l/3", "add /l/2"},
		{"add /l/2", "copy /a /l/2", "add /l/3", "add /l/2"},
		{"move /a /l/2", "move /b /l/2", "move /a /l/3", "move /b /l/2"},
		{"add /l/2", "remove /l/1", "add /l/1", "remove /l/1"},
		{"add /l/2", "remove /l/2", "add /l/2", "remove /l/3"},
		{"add /l/2", "remove /l/1; add /l/1", "add /l/2", "remove /l/1; add /l/1"},
		{"remove /l/1; add /l/1", "add /l/2", "remove /l/1; add /l/2", "add /l/1"},
		{"add /l/1; remove /l/2", "add /l/2", "add /l/1; remove /l/2", "add /l/2"},
	})
}

func TestCarryFollowsMovesWithinTheArray(t *testing.T) {
	testCarry(t, []carryRow{
		{"increment /l/1", "move /l/1 /l/4", "increment /l/4", "move /l/1 /l/4"},
		{"increment /l/1/a/0", "move /l/1 /l/0", "increment /l/0/a/0", "move /l/1 /l/0"},
		{"increment /l/2", "move /l/1 /l/4", "increment /l/1", "move /l/1 /l/4"},
		{"increment /l/4", "move /l/1 /l/4", "increment /l/3", "move /l/1 /l/4"},
		{"increment /l/5", "move /l/1 /l/4", "increment /l/5", "move /l/1 /l/4"},
		{"increment /l/2", "move /l/4 /l/2", "increment /l/3", "move /l/4 /l/2"},
		{"remove /l/1", "move /l/1 /l/4", "remove /l/4", ""},
		{"replace /l/1", "move /l/1 /l/4", "replace /l/4", "move /l/1 /l/4"},
		{"add /l/1/a", "move /l/1 /l/4", "add /l/4/a", "move /l/1 /l/4"},
		{"add /l/1/a/2", "move /l/1 /l/4", "add /l/4/a/2", "move /l/1 /l/4"},
		{"increment /l/1/a/2", "move /l/1/a/2 /l/1/a/0", "increment /l/1/a/0", "move /l/1/a/2 /l/1/a/0"},
		{"increment /l/1", "move /l/1 /l/4; remove /l/0; move /l/3 /l/0", "increment /l/0", "move /l/1 /l/4; remove /l/0; move /l/3 /l/0"},
		{"move /l/1 /a", "move /l/1 /l/4", "move /l/4 /a", ""},
		{"copy /l/1 /l/0", "move /l/1 /l/4", "copy /l/4 /l/0", "move /l/2 /l/5"},
		// The gap stays where it was, beside the neighbors that stayed.
		{"add /l/1", "move /l/1 /l/4", "add /l/1", "move /l/2 /l/5"},
		{"add /l/2", "move /l/1 /l/4", "add /l/1", "move /l/1 /l/5"},
		// An element is moved into another one of the same array.
		{"increment /l/2", "move /l/1 /l/1/a/0", "increment /l/1", "move /l/1 /l/1/a/0"},
		{"increment /l/2/a/0", "move /l/1 /l/1/a/0", "increment /l/1/a/1", "move /l/1 /l/1/a/0"},
		{"increment /l/1", "move /l/1 /l/1/a/0", conflicts, ""},
	})
}

func TestCarryLetsTheLaterMoveWin(t *testing.T) {
	testCarry(t, []carryRow{
		{"move /l/1 /l/4", "move /l/1 /l/0", "move /l/0 /l/4", ""},
		{"move /l/1 /l/0", "move /l/1 /l/4", "move /l/4 /l/0", ""},
		{"move /l/1 /l/3", "move /l/2 /l/0", "move /l/2 /l/3", "move /l/1 /l/0"},
		{"move /l/1 /m/0", "move /l/1 /l/0", "move /l/0 /m/0", ""},
		{"move /l/1 /l/0", "move /l/1 /m/0", conflicts, ""},
		{"move /a /b", "move /a /c", "move /a /b", "add /c; add /b"},
	})
}

func TestCarryTakesTheEntryAlongWithMoves(t *testing.T) {
	testCarry(t, []carryRow{
		{"move /l/1 /l/3", "add /l/2", "move /l/1 /l/4", "add /l/1"},
		{"move /l/1 /l/3", "add /l/4", "move /l/1 /l/4", "add /l/3"},
		{"move /l/3 /l/0", "remove /l/1", "move /l/2 /l/0", "remove /l/2"},
		{"move /l/1 /m/2", "add /l/1/a/0", "move /l/1 /m/2", "add /m/2/a/0"},
		{"move /l/1 /b", "add /l/1/a", "move /l/1 /b", "add /b/a"},
		{"move /l/1 /m/2", "move /l/1/a/0 /l/1/a/3", "move /l/1 /m/2", "move /m/2/a/0 /m/2/a/3"},
		{"move /l/1 /m/2", "move /l/1/a/0 /c", "move /l/1 /m/2", "move /m/2/a/0 /c"},
		{"move /l/1 /m/2", "move /c /l/1/a/0", "move /l/1 /m/2", "move /c /m/2/a/0"},
		{"move /a /b", "add /a/0", "move /a /b", "add /b/0"},
		{"move /a /b", "add /b/0", "move /a /b", ""},
		{"move /a /b", "move /b/0 /c/0", "move /a /b", "add /c/0"},
		{"move /a /b", "move /c/0 /b/0", "move /a /b", "remove /c/0"},
		{"move /a /l/-", "add /a/0", "move /a /l/-", "add /l"},
		{"move /a /l/-", "add /l/0", "move /a /l/-", "add /l/0"},
		{"move /a /l/-", "add /a/1; increment /a/0; copy /a/0 /l/2", "move /a /l/-", "add /l; add /l/2"},
	})
}

func TestCarryRefusesWhatTheEntryEnded(t *testing.T) {
	testCarry(t, []carryRow{
		{"increment /l/1", "remove /l/1", conflicts, ""},
		{"increment /l/1/a", "replace /l/1", conflicts, ""},
		{"increment /l/1", "move /l/1 /m/0", conflicts, ""},
		{"increment /l/1", "move /l/1 /a", conflicts, ""},
		{"remove /l/1", "remove /l/1", conflicts, ""},
		{"replace /l/1", "replace /l/1", conflicts, ""},
		{"increment /l/1/a/2", "add /l", conflicts, ""},
		{"increment /l/1/a/2", "remove /l/1/a", conflicts, ""},
		{"increment /l/1/a/2", "replace /l/1/a/2", conflicts, ""},
		{"increment /o/l/1", "add /o", conflicts, ""},
		{"increment /o/l/1", "move /o /p", conflicts, ""},
		{"increment /o/l/1", "move /p /o", conflicts, ""},
		{"increment /o/l/1", "copy /p /o", conflicts, ""},
		{"increment /o/l/1", "add /", conflicts, ""},
		{"add /l/1", "add /l", conflicts, ""},
		{"add /l/1", "remove /l", conflicts, ""},
		{"move /a /l/1", "add /l", conflicts, ""},
		{"copy /l/1 /a", "remove /l/1", conflicts, ""},
		{"test /l/1", "remove /l/1", conflicts, ""},
		// The last operation refuses the whole change.
		{"add /a; increment /l/1", "remove /l/1", conflicts, ""},
	})
}

func TestCarryLeavesNamesAlone(t *testing.T) {
	testCarry(t, []carryRow{
		{"add /a", "add /a", "add /a", ""},
		{"add /a", "remove /a", "add /a", ""},
		{"add /a", "add /a/b", "add /a", ""},
		{"add /a/b", "add /a", "add /a/b", "add /a"},
		{"remove /a/b/c", "move /a /b", "remove /a/b/c", "move /a /b"},
		{"add /l/-", "add /l/5", "add /l/-", "add /l/5"},
		{"add /l/-", "add /l", "add /l/-", "add /l"},
		{"add /", "add /l/5", "add /", ""},
		{"add /l/1/a", "add /l/1/a", "add /l/1/a", ""},
		{"add /l/1/a/b", "add /l/1/a", "add /l/1/a/b", "add /l/1/a"},
		{"add /l/1/a/b", "move /l/1/a /l/1/c", "add /l/1/a/b", "move /l/1/a /l/1/c"},
		{"increment /l/1/n", "increment /l/1/n", "increment /l/1/n", "increment /l/1/n"},
	})
}

func TestCarryDropsFromTheEntryWhatTheChangeEnded(t *testing.T) {
	testCarry(t, []carryRow{
		{"remove /l/1", "increment /l/1/n", "remove /l/1", "increment /l/1/n"},
		{"remove /l/1", "add /l/1/a/0", "remove /l/1", ""},
		{"remove /l/1", "move /l/1/a/0 /m/2", "remove /l/1", "add /m/2"},
		{"remove /l/1", "add /l/0; copy /l/2/a/0 /m/2", "remove /l/2", "add /l/0; add /m/2"},
		{"remove /l/1", "move /m/2 /l/1/a/0", "remove /l/1", "remove /m/2"},
		{"replace /l/1", "add /l/1/a/0; add /l/0", "replace /l/2", "add /l/0"},
		{"add /l", "add /l/1; remove /l/0", "add /l", ""},
		{"add /l", "move /l/1 /m/0", "add /l", "add /m/0"},
		{"remove /o", "add /o/l/1", "remove /o", ""},
		{"copy /p /o", "add /o/l/1", "copy /p /o", ""},
	})
}

// What the change copies or moves by name is the current value: if the entry changed it, it did so in the copy, too.
func TestCarryRepeatsTheEntryInCopies(t *testing.T) {
	testCarry(t, []carryRow{
		{"copy /l /m", "add /l/1", "copy /l /m", "add /l/1; add /m/1"},
		{"copy /l /m", "move /l/1 /l/3", "copy /l /m", "move /l/1 /l/3; move /m/1 /m/3"},
		{"copy /l /m", "move /l/1 /a", "copy /l /m", "move /l/1 /a; remove /m/1"},
		{"copy /l /m", "move /a /l/1", "copy /l /m", "move /a /l/1; add /m/1"},
		{"copy /l /m", "copy /a /l/1", "copy /l /m", "add /l/1; add /m/1"},
		{"copy /l /m; remove /m/2", "add /l/1", "copy /l /m; remove /m/3", "add /l/1; add /m/1"},
		{"copy /l /m; remove /m/2", "remove /l/2", conflicts, ""},
		{"copy /l/1 /l/3", "add /l/1/a/0; add /l/0", "copy /l/2 /l/4", "add /l/1/a/0; add /l/3/a/0; add /l/0"},
		{"copy /l/3 /m", "move /l/0 /l/2/a/0", "copy /l/2 /m", "move /l/0 /l/2/a/0; add /m/a/0"},
		{"copy /l /o/l", "add /o/l", "copy /l /o/l", ""},
		{"copy /o /o/p", "add /o/l/0", "copy /o /o/p", "add /o/l/0; add /o/p/l/0"},
		{"copy /o/l /m", "add /o", "copy /o/l /m", "add /o; add /m"},
		{"copy /o/l /m/0", "add /o", "copy /o/l /m/0", "add /o; replace /m/0"},
		{"copy /o/l /m/-", "add /o", "copy /o/l /m/-", "add /o; add /m"},
		{"move /o/l /m/0", "add /o", "move /o/l /m/0", "add /o; replace /m/0"},
		{"move /o/l /m/0", "add /o/l", "move /o/l /m/0", "replace /m/0"},
		{"move /o/l /m/0", "move /c /o/l", "move /o/l /m/0", "remove /c; replace /m/0"},
	})
}

func TestCarryAddressesWhatTheChangeInserted(t *testing.T) {
	testCarry(t, []carryRow{
		{"add /l/2; add /l/2/a; remove /l/3", "add /l/2", "add /l/3; add /l/3/a; remove /l/4", "add /l/2"},
		{"add /l/2; increment /l/2", "remove /l/2; remove /l/0", "add /l/1; increment /l/1", "remove /l/3; remove /l/0"},
		{"add /l/2; move /l/2 /l/0", "remove /l/2", "add /l/2; move /l/2 /l/0", "remove /l/3"},
		{"add /l; increment /l/1", "remove /l/1", "add /l; increment /l/1", ""},
		// Refused although the element lives: where the entry wrote, only a write of the same or more clears it.
		{"add /o/l; increment /o/l/1", "add /o", conflicts, ""},
	})
}

func TestCarryKeepsValuesAndSaysWhatEnded(t *testing.T) {
	change := []Op{{Kind: Add, Path: Path{Key("a~/b"), Elem(1)}, Value: MustOf("x")}}
	carried, _, err := Carry(change, positions(t, "add /a~/b/0"))
	if err != nil || carried[0].Value.String() != `"x"` {
		t.Errorf("got %v, %v", carried, err)
	}
	entry := []Op{{Kind: Remove, Path: change[0].Path[:1]}}
	_, _, err = Carry(change, entry)
	want := "conflict: a change accepted earlier removed or replaced the element, moved it away, or wrote over its array (at /a~0~1b/1)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeConflict {
		t.Errorf("got %v, want an *Error with conflict", err)
	}
	for entry, want := range map[string]string{"add /a/0; remove /a/3": "/a/2", "add /a/0; add /b": "/b/1"} {
		_, _, err = Carry(positions(t, "move /a/2 /b/1"), positions(t, entry))
		if !errors.As(err, &e) || e.Path != want {
			t.Errorf("%s: got %v, want %s, as the change has it", entry, err, want)
		}
	}
}

// Copies of copies must not double the entry without end; what is given up is given up safely.
func TestCarryBoundsWhatCopiesMake(t *testing.T) {
	var change []Op
	for i := range 40 {
		change = append(change, positions(t, "copy /o /o/c"+strconv.Itoa(i)+"x")...)
	}
	change = slices.Clip(change)
	_, after, err := Carry(change, positions(t, "add /o/l/0"))
	if err != nil || len(after) > familyLimit {
		t.Fatalf("got %d operations, %v", len(after), err)
	}
	if _, _, err := Carry(append(change, positions(t, "remove /l/0")...), positions(t, "add /o/l/0")); err == nil {
		t.Error("got no conflict for an index after the bound was met")
	}
	if _, _, err := Carry(append(change, positions(t, "add /;remove /l/0")...), positions(t, "add /o/l/0")); err != nil {
		t.Errorf("got %v after a write of the root", err)
	}
}

func TestInvert(t *testing.T) {
	rows := []struct{ entry, want string }{
		{"", ""},
		{"add /l/1", "remove /l/1"},
		{"add /a", "add /a"},
		{"add /", "add /"},
		{"remove /l/1", "add /l/1"},
		{"remove /a", "add /a"},
		{"replace /l/1", "replace /l/1"},
		{"replace /a", "add /a"},
		{"move /l/1 /l/4", "move /l/4 /l/1"},
		{"move /l/1 /a", "move /a /l/1"},
		{"move /a /l/1", "move /l/1 /a"},
		{"move /l/1 /l/1/a/0", "move /l/1/a/0 /l/1"},
		{"copy /a /l/1", "remove /l/1"},
		{"copy /l/1 /a", "add /a"},
		{"increment /n; test /n", ""},
		{"add /l/-", "add /l"},
		{"move /a /l/-", "add /l; add /a"},
		{"add /l/1; remove /l/0; add /a", "add /a; add /l/0; remove /l/1"},
	}
	for _, row := range rows {
		if got := show(Invert(positions(t, row.entry))); got != row.want {
			t.Errorf("%s: got %q, want %q", row.entry, got, row.want)
		}
	}
}

func TestCarryOverTheUndoingOfARefusedChange(t *testing.T) {
	testRefused := func(refused, next, want string) {
		t.Helper()
		carried, _, err := Carry(positions(t, next), Invert(positions(t, refused)))
		got := show(carried)
		if err != nil {
			got = conflicts
		}
		if got != want {
			t.Errorf("%s after %s: got %q, want %q", next, refused, got, want)
		}
	}
	testRefused("add /l/1", "increment /l/3", "increment /l/2")
	testRefused("add /l/1", "increment /l/1", conflicts)
	testRefused("add /l/1", "add /l/1", "add /l/1")
	testRefused("add /l/1", "add /l/2", "add /l/1")
	testRefused("remove /l/1", "increment /l/1", "increment /l/2")
	testRefused("remove /l/1", "add /l/1", "add /l/2")
	testRefused("move /l/1 /l/4", "increment /l/4", "increment /l/1")
	testRefused("move /l/1 /m/0", "increment /m/0", conflicts)
	testRefused("replace /l/1", "increment /l/1", conflicts)
	testRefused("add /l", "increment /l/1", conflicts)
	testRefused("increment /l/1", "increment /l/1", "increment /l/1")
}
