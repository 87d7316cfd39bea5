package document

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/internal/mutant"
)

// Merge returns the operations that a shallow merge of updates into v comes to: for each property of updates, the Diff
// to its new value, and nothing where they are equal. Properties that updates does not have stay. Where v is no object
// the operations set the root; where updates is none there are none.
func Merge(v Value, updates Value) []Op {
	if updates.Kind() != Object {
		return nil
	}
	if v.Kind() != Object {
		return Diff(nil, v, updates)
	}
	v = v.Expanded()
	var d differ
	for key, value := range updates.Members() {
		d.at(Key(key), func() { d.diff(v.Get(key), value) })
	}
	return d.ops
}

// Diff returns normalized operations that make new of the value old at the path at: nothing when they are equal, by key
// for objects, by common prefix and suffix for arrays, and the whole value where that is no longer, in bytes on the
// wire. What is between the prefix and the suffix of an array is removed and added, never edited: an edit would say
// that a new element is the old one. Where new is absent the operation is a removal, and nothing at the root.
func Diff(at Path, old, new Value) []Op {
	d := differ{path: slices.Clone(at)}
	d.diff(old, new)
	return d.ops
}

// differ collects operations.
type differ struct {
	path Path // where the values that are compared stand
	ops  []Op
	size int // bytes of the operations on the wire, each with a comma
}

// at calls compare with the path one token longer.
func (d *differ) at(token Token, compare func()) {
	d.path = append(d.path, token)
	compare()
	d.path = d.path[:len(d.path)-1]
}

func (d *differ) emit(kind OpKind, value Value) {
	op := Op{Kind: kind, Path: append(Path{}, d.path...), Value: value.settle()}
	d.ops = append(d.ops, op)
	d.size += wireSize(kind, d.path, value)
}

func (d *differ) diff(old, new Value) {
	switch {
	case old.n == new.n:
	case !new.Exists():
		if len(d.path) > 0 {
			d.emit(Remove, Value{})
		}
	case old.Kind() != new.Kind():
		d.whole(old, new)
	case new.Kind() == Object:
		d.shorter(old, new, d.objects)
	case new.Kind() == Array:
		d.shorter(old, new, d.arrays)
	case !old.Equal(new):
		d.whole(old, new)
	}
}

// whole sets the value as a whole.
func (d *differ) whole(old, new Value) { d.emit(d.setKind(old), new) }

// setKind returns the kind of operation that sets the value at the path.
func (d *differ) setKind(old Value) OpKind {
	if old.Exists() && len(d.path) > 0 && d.path[len(d.path)-1].IsIndex() {
		return Replace
	}
	return Add
}

// shorter keeps the operations of parts, or sets the whole value where they are no shorter. parts may stop when they
// have become longer than limit.
func (d *differ) shorter(old, new Value, parts func(old, new Value, limit int)) {
	mark, size := len(d.ops), d.size
	limit := size + wireSize(d.setKind(old), d.path, new)
	parts(old, new, limit)
	if d.size >= limit {
		clear(d.ops[mark:])
		d.ops, d.size = d.ops[:mark], size
		d.whole(old, new)
	}
}

func (d *differ) objects(old, new Value, limit int) {
	left, right := old.members(), new.members()
	for len(left)+len(right) > 0 && d.size < limit {
		order := 0
		switch {
		case len(left) == 0:
			order = 1
		case len(right) == 0:
			order = -1
		default:
			order = compareKeys(left[0].key, right[0].key)
		}
		switch {
		case order < 0:
			if !mutant.LostDelete {
				d.at(Key(left[0].key), func() { d.emit(Remove, Value{}) })
			}
			left = left[1:]
		case order > 0:
			d.at(Key(right[0].key), func() { d.emit(Add, right[0].value) })
			right = right[1:]
		default:
			d.at(Key(right[0].key), func() { d.diff(left[0].value, right[0].value) })
			left, right = left[1:], right[1:]
		}
	}
}

func (d *differ) arrays(old, new Value, limit int) {
	left, right, start := afterPrefix(old, new)
	for len(left) > 0 && len(right) > 0 && left[len(left)-1].Equal(right[len(right)-1]) {
		left, right = left[:len(left)-1], right[:len(right)-1]
	}
	for i := 0; i < len(left) && d.size < limit; i++ {
		d.at(Elem(start), func() { d.emit(Remove, Value{}) })
	}
	for i := 0; i < len(right) && d.size < limit; i++ {
		d.at(Elem(start+i), func() { d.emit(Add, right[i]) })
	}
}

// afterPrefix returns the elements of two arrays after those at their start that are equal, and the number of these.
func afterPrefix(old, new Value) (left, right []Value, start int) {
	if left = old.elements(); new.n.text != "" {
		start, next := cutElements(left, new.n.text)
		return left[start:], textElements(new.n.text, next), start
	}
	right = new.elements()
	for start < min(len(left), len(right)) && left[start].Equal(right[start]) {
		start++
	}
	return left[start:], right[start:], start
}

// cutElements returns how many of the elements are at the start of an array's text, and the index where the next
// element is.
func cutElements(elements []Value, text string) (count, next int) {
	next = 1
	for _, element := range elements {
		rest, ok := element.cutFrom(text[next:])
		if !ok || (rest[0] != ',' && rest[0] != ']') {
			break // the number 1 is at the start of 12
		}
		count++
		next = len(text) - len(rest)
		if rest[0] == ',' {
			next++
		}
	}
	return count, next
}

// wireSize returns the bytes of an operation in the wire protocol, and a comma: ["add",["a",0],true],
func wireSize(kind OpKind, path Path, value Value) int {
	size := len(`["",[]],`) + len(kind.String()) + max(0, len(path)-1)
	for _, token := range path {
		if token.IsIndex() {
			size += len(token.String())
		} else {
			size += quotedSize(token.Name)
		}
	}
	if value.Exists() {
		size += 1 + value.Size()
	}
	return size
}
