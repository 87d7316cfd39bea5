package document

import (
	"math"
	"slices"
	"strconv"
	"testing"
)

// fuzzOps makes operations of bytes: any bytes are some operations.
func fuzzOps(data []byte) (ops []Op) {
	next := func() (b byte) {
		if len(data) > 0 {
			b, data = data[0], data[1:]
		}
		return b
	}
	path := func() Path {
		p := make(Path, next()%6)
		for i := range p {
			switch b := next(); {
			case b == math.MaxUint8:
				p[i] = Elem(math.MaxInt)
			case b%2 == 0:
				p[i] = Key([]string{"l", "m", "-", "0"}[b/2%4])
			default:
				p[i] = Elem(int(b / 2 % 6))
			}
		}
		return p
	}
	for len(data) > 0 && len(ops) < 12 {
		op := Op{Kind: OpKind(next()%7) + Add, Path: path()}
		if op.Kind.HasFrom() {
			op.From = path()
		}
		ops = append(ops, op)
	}
	return ops
}

func FuzzCarry(f *testing.F) {
	f.Add([]byte{0, 2, 0, 5}, []byte{0, 2, 0, 3})
	f.Fuzz(func(t *testing.T, changeData, entryData []byte) {
		change, entry := fuzzOps(changeData), fuzzOps(entryData)
		carried, after, err := Carry(change, entry)
		requirePositions(t, after)
		if err != nil {
			if CodeOf(err) != CodeConflict || !HasIndex(change) || carried != nil || after != nil {
				t.Fatalf("%s over %s: got %v", show(change), show(entry), err)
			}
		} else if requirePositions(t, carried); len(carried) != len(change) || HasIndex(carried) != HasIndex(change) {
			t.Fatalf("%s over %s: got %s", show(change), show(entry), show(carried))
		}
		requirePositions(t, Invert(entry))
		want := show(carried) + strconv.FormatBool(err == nil)
		if got := carryInParts(change, entry, len(change), len(entry)/2); got != want {
			t.Errorf("%s over %s: got %s, and over two entries %s", show(change), show(entry), want, got)
		}
		froms := slices.DeleteFunc(slices.Clone(change), func(op Op) bool { return !op.Kind.HasFrom() })
		if len(froms) > 3 { // the bound on families holds for each change on its own
			return
		}
		if got := carryInParts(change, entry, len(change)/2, 0); got != want {
			t.Errorf("%s over %s: got %s, and in two changes %s", show(change), show(entry), want, got)
		}
	})
}

// carryInParts carries a change as two, over an entry as two.
func carryInParts(change, entry []Op, changeAt, entryAt int) string {
	var all []Op
	ok := true
	parts := [][]Op{entry[:entryAt], entry[entryAt:]}
	for _, part := range [][]Op{change[:changeAt], change[changeAt:]} {
		for i := range parts {
			var err error
			if part, parts[i], err = Carry(part, parts[i]); err != nil {
				ok, all = false, nil
				return show(all) + strconv.FormatBool(ok)
			}
		}
		all = append(all, part...)
	}
	return show(all) + strconv.FormatBool(ok)
}

// requirePositions fails when an operation has a token that is neither a name nor an index.
func requirePositions(t *testing.T, ops []Op) {
	t.Helper()
	for _, op := range ops {
		for _, token := range append(slices.Clone(op.From), op.Path...) {
			if token.Index < nameToken || op.Kind < Add || op.Kind > Increment {
				t.Fatalf("impossible operation %v in %s", op, show(ops))
			}
		}
	}
}

func BenchmarkCarry(b *testing.B) {
	change := []Op{{Kind: Increment, Path: Path{Key("messages"), Elem(500), Key("likes")}}}
	entries := func(at func(i int) Path) (ops []Op) {
		for i := range 1000 {
			ops = append(ops, Op{Kind: Add, Path: at(i)})
		}
		return ops
	}
	rows := []struct {
		name  string
		entry []Op
	}{
		{"over 1000 appends", entries(func(i int) Path { return Path{Key("messages"), Elem(1000 + i)} })},
		{"over 1000 inserts before it", entries(func(int) Path { return Path{Key("messages"), Elem(0)} })},
		{"over 1000 writes beside it", entries(func(i int) Path { return Path{Key("names"), Key(strconv.Itoa(i))} })},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Carry(change, row.entry); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(row.name+", one by one", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				carried := change
				for i := range row.entry {
					carried, _, _ = Carry(carried, row.entry[i:i+1])
				}
			}
		})
	}
}
