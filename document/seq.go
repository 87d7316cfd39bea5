package document

import (
	"iter"
	"slices"
)

// width bounds the entries of a leaf and the blocks of a branch. A write copies one of each per level.
const width = 64

// entry is what a seq holds: it takes a number of bytes of text and has a number of levels.
type entry interface {
	weight() int
	height() int
}

// seq is a persistent sequence: a write returns a new one which shares with the old one all but O(width) entries per
// level, and the old one stays as it is. It is a B-tree by position whose blocks carry the sums of what is below them.
// The zero seq is empty.
type seq[T entry] struct{ root *block[T] }

// block is a leaf, which has items, or a branch, which has blocks, none of them empty and all of one level. It is never
// changed after it was made.
type block[T entry] struct {
	items  []T
	blocks []*block[T]
	ends   []int // of a branch: how many entries there are up to the end of each of its blocks
	count  int   // entries
	size   int   // sum of their weights
	depth  int   // the largest of their heights
}

// newSeq returns a seq of the items, in full leaves. The slice is the seq's from now on, and is copied but where it is one
// leaf without room to spare.
func newSeq[T entry](items []T) seq[T] {
	switch {
	case len(items) == 0:
		return seq[T]{}
	case len(items) <= width && len(items) == cap(items):
		return seq[T]{newLeaf(items)}
	}
	level := make([]*block[T], 0, len(items)/width+1)
	for part := range slices.Chunk(items, width) {
		level = append(level, newLeaf(slices.Clone(part)))
	}
	for len(level) > 1 {
		above := level[:0:0]
		for part := range slices.Chunk(level, width) {
			above = append(above, newBranch(slices.Clone(part)))
		}
		level = above
	}
	return seq[T]{level[0]}
}

func (s seq[T]) count() int {
	if s.root == nil {
		return 0
	}
	return s.root.count
}

// size returns the sum of the entries' weights.
func (s seq[T]) size() int {
	if s.root == nil {
		return 0
	}
	return s.root.size
}

// depth returns the largest of the entries' heights.
func (s seq[T]) depth() int {
	if s.root == nil {
		return 0
	}
	return s.root.depth
}

// at returns entry i, which must be there.
func (s seq[T]) at(i int) T {
	b := s.root
	for b.blocks != nil {
		c, start := b.find(i)
		b, i = b.blocks[c], i-start
	}
	return b.items[i]
}

// all iterates over the entries with their indexes.
func (s seq[T]) all() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		if s.root != nil {
			s.root.each(0, yield)
		}
	}
}

// set returns the seq with another entry i, which must be there.
func (s seq[T]) set(i int, item T) seq[T] { return seq[T]{s.root.set(i, item)} }

// insert returns the seq with the item before entry i, or at the end when i is the count.
func (s seq[T]) insert(i int, item T) seq[T] {
	if s.root == nil {
		return seq[T]{newLeaf([]T{item})}
	}
	first, second := s.root.insert(i, item)
	if second == nil {
		return seq[T]{first}
	}
	return seq[T]{newBranch([]*block[T]{first, second})}
}

// remove returns the seq without entry i, which must be there.
func (s seq[T]) remove(i int) seq[T] {
	root := s.root.remove(i)
	for root != nil && len(root.blocks) == 1 {
		root = root.blocks[0]
	}
	return seq[T]{root}
}

func newLeaf[T entry](items []T) *block[T] {
	b := &block[T]{items: items, count: len(items)}
	for _, item := range items {
		b.size += item.weight()
		b.depth = max(b.depth, item.height())
	}
	return b
}

func newBranch[T entry](blocks []*block[T]) *block[T] {
	b := &block[T]{blocks: blocks, ends: make([]int, len(blocks))}
	for i, below := range blocks {
		b.count += below.count
		b.ends[i] = b.count
		b.size += below.size
		b.depth = max(b.depth, below.depth)
	}
	return b
}

// find returns the block of a branch that holds entry i, or the last block, and the index of the block's first entry.
func (b *block[T]) find(i int) (block, start int) {
	low, high := 0, len(b.ends)-1
	for low < high {
		if middle := (low + high) / 2; i < b.ends[middle] {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low == 0 {
		return 0, 0
	}
	return low, b.ends[low-1]
}

func (b *block[T]) each(start int, yield func(int, T) bool) bool {
	for i, item := range b.items {
		if !yield(start+i, item) {
			return false
		}
	}
	for i, below := range b.blocks {
		if !below.each(start+b.ends[i]-below.count, yield) {
			return false
		}
	}
	return true
}

func (b *block[T]) set(i int, item T) *block[T] {
	if b.blocks != nil {
		c, start := b.find(i)
		return b.replace(c, b.blocks[c].set(i-start, item))
	}
	old := b.items[i]
	next := &block[T]{items: slices.Clone(b.items), count: b.count, size: b.size - old.weight() + item.weight()}
	next.items[i] = item
	next.depth = next.deepest(b.depth, old.height(), item.height())
	return next
}

// replace returns the branch with another block c. It looks at the other blocks only where it must.
func (b *block[T]) replace(c int, below *block[T]) *block[T] {
	old := b.blocks[c]
	grown := below.count - old.count
	next := &block[T]{
		blocks: slices.Clone(b.blocks),
		ends:   slices.Clone(b.ends),
		count:  b.count + grown,
		size:   b.size - old.size + below.size,
	}
	next.blocks[c] = below
	for i := c; i < len(next.ends); i++ {
		next.ends[i] += grown
	}
	next.depth = next.deepest(b.depth, old.depth, below.depth)
	return next
}

// deepest returns the depth of a block that had the depth before, when a part with depth entered was put in
// the place of one with depth left.
func (b *block[T]) deepest(before, left, entered int) int {
	if entered >= before || left < before {
		return max(before, entered)
	}
	depth := 0
	for _, item := range b.items {
		depth = max(depth, item.height())
	}
	for _, below := range b.blocks {
		depth = max(depth, below.depth)
	}
	return depth
}

// insert returns the block with the item, or the two blocks that it became.
func (b *block[T]) insert(i int, item T) (first, second *block[T]) {
	if b.blocks == nil {
		return b.insertItem(i, item)
	}
	c, start := b.find(i)
	first, second = b.blocks[c].insert(i-start, item)
	if second == nil {
		return b.replace(c, first), nil
	}
	if c == width-1 && first == b.blocks[c] {
		return b, newBranch([]*block[T]{second})
	}
	blocks := make([]*block[T], 0, len(b.blocks)+1)
	blocks = append(append(append(blocks, b.blocks[:c]...), first, second), b.blocks[c+1:]...)
	if len(blocks) <= width {
		return newBranch(blocks), nil
	}
	half := len(blocks) / 2
	return newBranch(slices.Clone(blocks[:half])), newBranch(slices.Clone(blocks[half:]))
}

// insertItem is insert for a leaf. A full leaf that is appended to stays whole, so a seq that grows at its end has
// full leaves.
func (b *block[T]) insertItem(i int, item T) (first, second *block[T]) {
	if i == width {
		return b, newLeaf([]T{item})
	}
	items := make([]T, 0, len(b.items)+1)
	items = append(append(append(items, b.items[:i]...), item), b.items[i:]...)
	if len(items) > width {
		half := len(items) / 2
		return newLeaf(slices.Clone(items[:half])), newLeaf(slices.Clone(items[half:]))
	}
	return &block[T]{
		items: items,
		count: len(items),
		size:  b.size + item.weight(),
		depth: max(b.depth, item.height()),
	}, nil
}

// remove returns the block without entry i, or nil when that was all. A block that became small is joined with a
// neighbor where both fit in one.
func (b *block[T]) remove(i int) *block[T] {
	if b.blocks == nil {
		return b.removeItem(i)
	}
	c, start := b.find(i)
	below := b.blocks[c].remove(i - start)
	if below != nil && below.slots() > width/4 {
		return b.replace(c, below)
	}
	blocks := slices.Clone(b.blocks)
	switch {
	case below == nil:
		blocks = slices.Delete(blocks, c, c+1)
	case c > 0 && blocks[c-1].slots()+below.slots() <= width:
		blocks = slices.Replace(blocks, c-1, c+1, blocks[c-1].join(below))
	case c+1 < len(blocks) && blocks[c+1].slots()+below.slots() <= width:
		blocks = slices.Replace(blocks, c, c+2, below.join(blocks[c+1]))
	default:
		blocks[c] = below
	}
	if len(blocks) == 0 {
		return nil
	}
	return newBranch(blocks)
}

func (b *block[T]) removeItem(i int) *block[T] {
	if len(b.items) == 1 {
		return nil
	}
	old := b.items[i]
	items := make([]T, 0, len(b.items)-1)
	items = append(append(items, b.items[:i]...), b.items[i+1:]...)
	next := &block[T]{items: items, count: len(items), size: b.size - old.weight()}
	next.depth = next.deepest(b.depth, old.height(), 0)
	return next
}

func (b *block[T]) slots() int { return len(b.items) + len(b.blocks) }

// join returns one block with the content of two of the same level.
func (b *block[T]) join(next *block[T]) *block[T] {
	if b.blocks == nil {
		return newLeaf(slices.Concat(b.items, next.items))
	}
	return newBranch(slices.Concat(b.blocks, next.blocks))
}

// first returns the first entry.
func (b *block[T]) first() T {
	for b.blocks != nil {
		b = b.blocks[0]
	}
	return b.items[0]
}
