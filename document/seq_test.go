package document

import (
	"slices"
	"testing"
)

// cell is an entry of a seq under test.
type cell struct{ size, depth int }

func (c cell) weight() int { return c.size }
func (c cell) height() int { return c.depth }

// TestSeqFollowsASlice does the same random writes to a seq and to a slice, and looks at older versions now and then.
func TestSeqFollowsASlice(t *testing.T) {
	r := newRandom(t)
	type version struct {
		got  seq[cell]
		want []cell
	}
	for round := range rounds(40) {
		n := []int{0, 1, 63, 64, 65, 500, 4096, 5000}[round%8]
		want := make([]cell, n)
		for i := range want {
			want[i] = cell{r.IntN(100), r.IntN(9)}
		}
		got := newSeq(slices.Clone(want))
		versions := []version{{got, slices.Clone(want)}}
		growing := 0
		for step := range 1500 {
			if step%300 == 0 {
				growing = r.IntN(3) - 1 // shrinking, neither, growing
			}
			got, want = writeBoth(r, got, want, growing)
			if step%100 == 0 {
				versions = append(versions, version{got, slices.Clone(want)})
			}
		}
		for _, v := range versions {
			checkSeq(t, v.got, v.want)
		}
	}
}

func writeBoth(r random, got seq[cell], want []cell, growing int) (seq[cell], []cell) {
	item := cell{r.IntN(100), r.IntN(9)}
	switch kind := r.IntN(6) + growing; {
	case len(want) == 0 || kind >= 4:
		i := r.IntN(len(want) + 1)
		if r.IntN(2) == 0 {
			i = len(want)
		}
		return got.insert(i, item), slices.Insert(want, i, item)
	case kind >= 2:
		i := r.IntN(len(want))
		want[i] = item
		return got.set(i, item), want
	default:
		i := r.IntN(len(want))
		return got.remove(i), slices.Delete(want, i, i+1)
	}
}

func checkSeq(t *testing.T, got seq[cell], want []cell) {
	t.Helper()
	size, depth := 0, 0
	for i, item := range want {
		size, depth = size+item.size, max(depth, item.depth)
		if got.at(i) != item {
			t.Fatalf("entry %d: got %v, want %v", i, got.at(i), item)
		}
	}
	if got.count() != len(want) || got.size() != size || got.depth() != depth {
		t.Fatalf("got count %d, size %d, depth %d, want %d, %d, %d",
			got.count(), got.size(), got.depth(), len(want), size, depth)
	}
	i := 0
	for index, item := range got.all() {
		if index != i || item != want[i] {
			t.Fatalf("got %d, %v in a loop, want %d, %v", index, item, i, want[i])
		}
		i++
	}
	if got.root != nil {
		checkBlock(t, got.root, true)
	}
}

// checkBlock fails unless the tree is one: no empty block, none too wide, all leaves on one level, sums right.
func checkBlock(t *testing.T, b *block[cell], root bool) (levels int) {
	t.Helper()
	if b.slots() == 0 || b.slots() > width || (root && len(b.blocks) == 1) {
		t.Fatalf("got a block with %d slots", b.slots())
	}
	if b.blocks == nil {
		return 1
	}
	count := 0
	for i, below := range b.blocks {
		count += below.count
		if b.ends[i] != count {
			t.Fatalf("got the end %d, want %d", b.ends[i], count)
		}
		if n := checkBlock(t, below, false); levels != 0 && n != levels {
			t.Fatalf("got %d levels next to %d", n, levels)
		} else {
			levels = n
		}
	}
	return levels + 1
}

func TestSeqKeepsLeavesFull(t *testing.T) {
	var s seq[cell]
	for range 10_000 {
		s = s.insert(s.count(), cell{1, 0})
	}
	leaves := 0
	var count func(b *block[cell])
	count = func(b *block[cell]) {
		if b.blocks == nil {
			leaves++
		}
		for _, below := range b.blocks {
			count(below)
		}
	}
	count(s.root)
	if want := 10_000/width + 1; leaves != want {
		t.Errorf("got %d leaves after appends, want %d", leaves, want)
	}
	for i := range 9_990 {
		s = s.remove(i % s.count())
	}
	leaves = 0
	count(s.root)
	if leaves > 4 {
		t.Errorf("got %d leaves for 10 entries, want few", leaves)
	}
}

func TestSeqStopsALoop(t *testing.T) {
	s := newSeq(make([]cell, 1000))
	seen := 0
	for i := range s.all() {
		seen++
		if i == 100 {
			break
		}
	}
	if seen != 101 {
		t.Errorf("got %d entries before the break, want 101", seen)
	}
}
