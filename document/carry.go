package document

import "slices"

// familyLimit bounds into how many operations one operation of an entry may grow while it is carried over a change. It
// grows where the change copies what the entry had touched: its effect is then in two places. Without a bound, copies of
// copies would double it each time.
const familyLimit = 64

// Carry moves the positions of a change over an entry. Both were made for the same value; entry was accepted first.
//
// carried is the change as it applies after the entry. Names stay as they are, for they are evaluated on the current
// value. An index names an element and follows it; as the last token of an Add, and of the target of a Move or a Copy,
// it names a gap, and where the entry inserted into the same gap the entry's element stays left. carried has the same
// operations in the same order, with the same values.
//
// entryAfter is the entry as it looks after the change. It is there to carry the next change of a chain, which was made
// on top of this one: its positions count, its values do not, and it must not be applied. Operations that have no place
// any more are left out of it; what the change took out of the entry's sight and may have altered is a write in it.
//
// The error is an *Error with CodeConflict and the path as change has it, when an operation of the change names an
// element that the entry ended: it was removed, replaced, or moved out of its array, or the entry set, removed or moved a
// member on the way to it. A path of names only is never a conflict. One case is refused although the element lives: what
// the change itself wrote by name into a container that the entry wrote over, because an entry cannot say "all but this".
//
// Carry is pure and changes neither argument; results may share memory with them. Carrying over two entries one after
// another equals carrying over their concatenation, which is why the loop over the entry is the outer one; the same goes
// for two changes. The cost is the product of the two lengths.
func Carry(change, entry []Op) (carried, entryAfter []Op, err error) {
	first := slices.IndexFunc(entry, func(e Op) bool {
		return slices.ContainsFunc(change, func(c Op) bool { return meets(c, e) })
	})
	if first < 0 {
		return change, entry, nil
	}
	carried = slices.Clone(change)
	entryAfter = append(make([]Op, 0, len(entry)), entry[:first]...)
	var f family
	for _, e := range entry[first:] {
		if targetEffect(e) == look {
			continue
		}
		f.ops = append(f.ops[:0], position(e))
		for i := range carried {
			var ended [2]bool
			carried[i], ended = f.cross(carried[i])
			switch {
			case ended[0]:
				return nil, nil, conflict(change[i].From)
			case ended[1]:
				return nil, nil, conflict(change[i].Path)
			}
		}
		entryAfter = append(entryAfter, f.ops...)
	}
	return carried, entryAfter, nil
}

func conflict(path Path) *Error {
	return failAt(CodeConflict, path, "a change accepted earlier removed or replaced the element, moved it away, or wrote over its array")
}

// family is what one operation of an entry has become after some operations of the change.
type family struct {
	ops  []Op
	next []Op // scratch, so that a long entry does not allocate for each operation
}

// cross carries c over the family and the family over c. ended reports whether the source and the target of c name
// an element that the family ended.
func (f *family) cross(c Op) (carried Op, ended [2]bool) {
	f.next = f.next[:0]
	for _, e := range f.ops {
		if !meets(c, e) {
			f.next = append(f.next, e)
			continue
		}
		x := newCrossing(c, e)
		if x.run(); x.ended[0] || x.ended[1] {
			return c, x.ended
		}
		c = x.carried(c)
		f.next = x.appendEntry(f.next)
	}
	if len(f.next) > familyLimit {
		f.next = append(f.next[:0], Op{Kind: Add})
	}
	f.ops, f.next = f.next, f.ops
	return c, ended
}

// position returns an operation of an entry without what moves no position: values, and the source of a copy.
func position(e Op) Op {
	switch e.Kind {
	case Move:
		return Op{Kind: Move, From: e.From, Path: e.Path}
	case Copy:
		return Op{Kind: Add, Path: e.Path}
	}
	return Op{Kind: e.Kind, Path: e.Path}
}

// meets reports whether e may move a position of c or be moved by it. It is there for the common case, that they are
// about different members, and may say yes too often.
func meets(c, e Op) bool {
	if targetEffect(e) == look {
		return false
	}
	return touches(c, e.Path) || (e.Kind == Move && touches(c, e.From))
}

func touches(c Op, place Path) bool {
	return !apart(c.Path, place) || (c.Kind.HasFrom() && !apart(c.From, place))
}

// apart reports whether two paths part before their ends in such a way that neither can move the other: at a name, or
// inside two elements of an array.
func apart(p, q Path) bool {
	n := min(len(p), len(q))
	for i := range n {
		if p[i] != q[i] {
			return !p[i].IsIndex() || !q[i].IsIndex() || i < n-1
		}
	}
	return false
}

// crossing is an operation of the change and one of the entry, made for the same value. Each is two effects, on
// its source and on its target, the second for the value after the first. run carries each over those of the other side.
type crossing struct {
	change, entry [2]effect

	origin  [2]effect // the entry's effects as they were
	source  [2]Path   // where the change's source was when each of them came
	copies  bool      // the change copies from source
	ended   [2]bool   // the change's source, and its target, name an element that the entry ended
	spoiled bool      // the entry wrote at or above what the change moves or copies by name
}

func newCrossing(c, e Op) crossing {
	x := crossing{change: effectsOf(c), entry: effectsOf(e), copies: c.Kind == Copy}
	if c.Kind == Move {
		x.change[0].hand, x.change[1].hand = changeHand, changeHand
	}
	if e.Kind == Move && sameArray(e.From, e.Path) {
		x.entry[0].hand, x.entry[1].hand = entryHand, entryHand
	}
	x.origin = x.entry
	return x
}

// sameArray reports whether a move from one path to the other stays in its array. The target is counted after the
// removal, but the removal of an element does not move the array that it was in, so the paths compare as they are.
func sameArray(from, to Path) bool {
	n := len(from) - 1
	return n >= 0 && len(to) == len(from) && from[n].IsIndex() && to[n].IsIndex() && hasPrefix(to, from[:n])
}

func (x *crossing) run() {
	for i, c := range x.change {
		if c.kind == nothing {
			continue
		}
		for j, e := range x.entry {
			if i == 0 {
				x.source[j] = c.path
			}
			if e.kind != nothing {
				x.entry[j] = overChange(e, c)
				c = x.overEntry(c, e, i)
			}
		}
		x.change[i] = c
	}
}

// overEntry carries the i-th effect of the change over an effect of the entry.
func (x *crossing) overEntry(c, e effect, i int) effect {
	if c.inHand(e) {
		return c.putDown(e)
	}
	c, caught := c.past(e, true)
	switch {
	case !caught:
	case e.kind == take && e.hand != 0: // moved within its array: followed
		c = c.pickUp(e)
	case hasElement(c.path[e.depth():]):
		x.ended[i] = true
	case i == 0: // a name, and what it names is another value now
		x.spoiled = true
	}
	return c
}

// overChange carries an effect of the entry over an effect of the change.
func overChange(e, c effect) effect {
	if e.inHand(c) {
		return e.putDown(c)
	}
	if e.hand != 0 && e.kind != take && c.kind == take && len(c.path) == 1 && c.path[0].Index == e.hand {
		return effect{} // both moved the same element, or the change removed it: the later one wins
	}
	e, caught := e.past(c, false)
	exact := len(e.path) == len(c.path)
	switch {
	case !caught:
	case c.kind == take && c.hand != 0 && !exact: // inside what the change moves
		e = e.pickUp(c)
	case c.kind == replace && e.kind == take && exact: // the entry moves what is another element now
	default:
		e = effect{}
	}
	return e
}

// carried returns c with its paths after the entry.
func (x *crossing) carried(c Op) Op {
	if x.change[0].kind != nothing {
		c.From = x.change[0].path
	}
	c.Path = x.change[1].path
	return c
}

// appendEntry appends the entry's operation as it looks after the change: none where it has no place any more, several
// where its effect is in several places.
func (x *crossing) appendEntry(dst []Op) []Op {
	dst = appendOps(dst, x.entry)
	if x.copies {
		dst = x.appendCopied(dst)
	}
	if x.spoiled {
		dst = append(dst, overwritten(x.change[1].path))
	}
	return dst
}

// appendCopied appends what the entry does inside the change's copy, because it did it inside the source.
func (x *crossing) appendCopied(dst []Op) []Op {
	var inside [2]effect
	for i, s := range x.origin {
		if n := len(x.source[i]); s.kind != nothing && len(s.path) > n && hasPrefix(s.path, x.source[i]) {
			s.path = s.path[n:]
			inside[i] = s.at(x.change[1].path)
		}
	}
	return appendOps(dst, inside)
}

// appendOps appends the operation that the two effects are. A move of which one end is gone is a removal or an insertion.
func appendOps(dst []Op, effects [2]effect) []Op {
	source, target := effects[0], effects[1]
	if source.kind == take && (target.kind == insert || target.kind == write) {
		return append(dst, Op{Kind: Move, From: source.path, Path: target.path})
	}
	return target.appendOp(source.appendOp(dst))
}
