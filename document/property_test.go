package document

import "testing"

// checkBookkeeping fails unless the size and depth that v carries, and its text, are those of the text read again.
func checkBookkeeping(tb testing.TB, v Value) {
	tb.Helper()
	text := v.String()
	again, err := Parse([]byte(text), Limits{Bytes: MaxBytes, Depth: MaxDepth})
	if err != nil {
		tb.Fatalf("parse of %s: %v", text, err)
	}
	if again.String() != text {
		tb.Fatalf("got %s, want it canonical: %s", text, again)
	}
	if v.Size() != len(text) || v.Depth() != again.Depth() || v.Len() != again.Len() {
		tb.Fatalf("got size %d, depth %d, length %d, want %d, %d, %d: %s",
			v.Size(), v.Depth(), v.Len(), len(text), again.Depth(), again.Len(), text)
	}
	if !v.Equal(again) || !again.Equal(v) || !v.Equal(again.Expanded()) || !again.Expanded().Equal(v) {
		tb.Fatalf("got unequal values of the same text %s", text)
	}
}

// TestApplyKeepsItsPromises writes random patches to documents that grow out of each other.
func TestApplyKeepsItsPromises(t *testing.T) {
	r := newRandom(t)
	type root struct {
		value Value
		text  string
	}
	var roots []root
	v := r.object(4)
	for i := range rounds(30_000) {
		if i%50 == 0 {
			v = r.object(4)
		}
		before := v.String()
		ops, err := Resolve(v, r.patch(v))
		if err != nil {
			continue
		}
		next, entry, err := Apply(v, ops, NoLimits)
		if err != nil {
			t.Fatalf("resolved operations %v on %s: %v", ops, before, err)
		}
		if v.String() != before {
			t.Fatalf("got the old root %s, want %s", v, before)
		}
		checkBookkeeping(t, next)
		checkEntry(t, v, next, entry)
		roots = append(roots, root{v, before})
		if len(roots) == 64 {
			for _, old := range roots {
				if got := old.value.String(); got != old.text {
					t.Fatalf("got an older root %s, want %s", got, old.text)
				}
			}
			roots = roots[:0]
		}
		if next.Kind() == Object && next.Size() < 20_000 {
			v = next
		}
	}
}

// checkEntry fails unless the entry is normalized and makes next of v.
func checkEntry(t *testing.T, v, next Value, entry []Op) {
	t.Helper()
	for _, op := range entry {
		last := Token{Index: nameToken}
		if len(op.Path) > 0 {
			last = op.Path[len(op.Path)-1]
		}
		if op.Kind == Test || (op.Kind == Replace && !last.IsIndex()) {
			t.Fatalf("got %v in an entry", op)
		}
	}
	replayed, again, err := Apply(v, entry, NoLimits)
	if err != nil || !replayed.Equal(next) || replayed.String() != next.String() {
		t.Fatalf("entry %v on %s: got %s, %v, want %s", entry, v, replayed, err, next)
	}
	if len(entry) > 0 && len(entry[0].Path) > 0 && len(again) != len(entry) {
		t.Fatalf("entry %v: got another entry %v", entry, again)
	}
	if next.Equal(v) && len(entry) == 0 && next != v {
		t.Fatalf("got a new value for an empty entry")
	}
}

func TestDiffMakesTheNewValue(t *testing.T) {
	r := newRandom(t)
	for range rounds(30_000) {
		old := r.object(4)
		new := old
		for range r.IntN(4) {
			if ops, err := Resolve(new, r.patch(new)); err == nil {
				new, _, _ = Apply(new, ops, NoLimits)
			}
		}
		ops := Diff(nil, old, r.form(new))
		got, _, err := Apply(old, ops, NoLimits)
		if err != nil || !got.Equal(new) {
			t.Fatalf("%v on %s: got %s, %v, want %s", ops, old, got, err, new)
		}
		checkShorter(t, ops, Path{}, new)
	}
}

// checkShorter fails when the operations are longer than setting the whole value.
func checkShorter(t *testing.T, ops []Op, at Path, whole Value) {
	t.Helper()
	size := 0
	for _, op := range ops {
		size += wireSize(op.Kind, op.Path, op.Value)
	}
	if most := wireSize(Add, at, whole); size > most && len(at)+whole.Len() > 0 {
		t.Fatalf("got %d bytes, want no more than %d: %v for %s", size, most, ops, whole)
	}
}

func TestMergeIsAShallowMerge(t *testing.T) {
	r := newRandom(t)
	for range rounds(30_000) {
		v, updates := r.object(4), r.object(4)
		if r.IntN(2) == 0 {
			updates = v
			for key, member := range v.Members() {
				if r.IntN(2) == 0 {
					updates = updates.With(key, r.value(2))
				} else if ops, err := Resolve(member, r.patch(member)); err == nil {
					changed, _, _ := Apply(member, ops, NoLimits)
					updates = updates.With(key, changed)
				}
			}
		}
		want, whole := v, 0
		for key, member := range updates.Members() {
			want = want.With(key, member)
			if !v.Get(key).Equal(member) {
				whole += wireSize(Add, Path{Key(key)}, member)
			}
		}
		ops := Merge(v, updates)
		got, entry, err := Apply(v, ops, NoLimits)
		if err != nil || !got.Equal(want) {
			t.Fatalf("%v on %s: got %s, %v, want %s", ops, v, got, err, want)
		}
		if len(entry) != len(ops) {
			t.Fatalf("got the entry %v of %v, want it the same", entry, ops)
		}
		size := 0
		for _, op := range ops {
			size += wireSize(op.Kind, op.Path, op.Value)
		}
		if size > whole {
			t.Fatalf("got %d bytes, want no more than %d: %v", size, whole, ops)
		}
	}
}

func TestReadsOfTextAndOfExpandedValuesAgree(t *testing.T) {
	r := newRandom(t)
	for range rounds(10_000) {
		v := r.value(5)
		text := newText(v.String(), v.Depth())
		pointer := r.pointer(v)
		got, want := text.At(pointer), v.At(pointer)
		if !got.Equal(want) || got.String() != want.String() {
			t.Fatalf("at %s of %s: got %q, want %q", pointer, v, got, want)
		}
		checkBookkeeping(t, text)
		back := MustOf(text.Any())
		if back.String() != v.String() {
			t.Fatalf("got %s through Go values, want %s", back, v)
		}
	}
}
