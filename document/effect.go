package document

import "github.com/server-state-sync/server-state-sync/internal/mutant"

// effectKind is what an effect does to positions.
type effectKind uint8

const (
	nothing effectKind = iota // no effect, or one that has no place any more
	look                      // names an element or a member, and moves no position
	take                      // takes an element or a member away
	insert                    // puts an element into a gap
	replace                   // puts a new element in the place of one
	write                     // sets a member or the root, whatever was there
	spoil                     // stands for any change at the place and under it
)

// A value that a move has taken and not yet put down is in the hand: the first token of a path into it has one of these
// as its Index. They are neither an index nor a name, so no path from outside has them.
const (
	changeHand = -2
	entryHand  = -3
)

// effect is what an operation does to positions, or half of it: a Move is a take and then an insert or a write. So the
// target is counted after the removal, as RFC 6902 section 4.4 has it, with no special case.
type effect struct {
	kind effectKind
	path Path
	hand int // the hand of both effects of a move that is to be followed; otherwise 0
}

// effectsOf returns what an operation does to its source and then to its target.
func effectsOf(op Op) (effects [2]effect) {
	switch op.Kind {
	case Move:
		effects[0] = effect{kind: take, path: op.From}
	case Copy:
		effects[0] = effect{kind: look, path: op.From}
	}
	effects[1] = effect{kind: targetEffect(op), path: op.Path}
	return effects
}

func targetEffect(op Op) effectKind {
	switch op.Kind {
	case Add, Move, Copy:
		if op.Path.toElement() {
			return insert
		}
		return write
	case Replace:
		if op.Path.toElement() {
			return replace
		}
		return write
	case Remove:
		return take
	}
	return look
}

// past moves s over o, made for the same value. At equal gaps s moves right if yields is set. caught reports that s is in
// what o took, replaced or wrote over; its path is then as it was.
func (s effect) past(o effect, yields bool) (moved effect, caught bool) {
	if o.kind <= look {
		return s, false
	}
	if !o.path.toElement() {
		return s, hasPrefix(s.path, o.path)
	}
	n := len(o.path) - 1
	if len(s.path) <= n || !s.path[n].IsIndex() || !hasPrefix(s.path, o.path[:n]) {
		return s, false
	}
	here, there := s.path[n].Index, o.path[n].Index
	gap := s.kind == insert && len(s.path) == n+1
	if mutant.CarryOffByOne && o.kind == take {
		there++
	}
	switch {
	case o.kind == insert && (here > there || here == there && (yields || !gap)):
		s.path = s.path.shifted(n, 1)
	case o.kind == take && here > there:
		s.path = s.path.shifted(n, -1)
	case o.kind != insert && here == there && !gap:
		return s, true
	}
	return s, false
}

// inHand reports whether s is inside what the move with the target o puts down.
func (s effect) inHand(o effect) bool {
	return o.hand != 0 && o.kind != take && len(s.path) > 0 && s.path[0].Index == o.hand
}

// putDown returns s with what is in the hand at the target of o.
func (s effect) putDown(o effect) effect {
	s.path = s.path[1:]
	return s.at(o.path)
}

// pickUp returns s, which is in what o takes, with that in the hand.
func (s effect) pickUp(o effect) effect {
	s.path = join(Path{{Index: o.hand}}, s.path[len(o.path):])
	return s
}

// at returns s with a path that was relative to a place. Where the place is an array's end by the name "-", its index is
// not known here, so that anything in the array may have changed.
func (s effect) at(place Path) effect {
	if place.toEnd() {
		return effect{kind: spoil, path: place[:len(place)-1]}
	}
	s.path = join(place, s.path)
	return s
}

// depth returns at which token an index is one that s ends: the element's own, or those under a member.
func (s effect) depth() int {
	if s.path.toElement() {
		return len(s.path) - 1
	}
	return len(s.path)
}

func (s effect) appendOp(dst []Op) []Op {
	switch s.kind {
	case take:
		return append(dst, Op{Kind: Remove, Path: s.path})
	case insert, write:
		return append(dst, Op{Kind: Add, Path: s.path})
	case replace:
		return append(dst, Op{Kind: Replace, Path: s.path})
	case spoil:
		return append(dst, ending(s.path))
	}
	return dst
}

// overwritten returns an operation that ends everything at and under the target of a Move or a Copy.
func overwritten(target Path) Op {
	if target.toEnd() {
		target = target[:len(target)-1]
	}
	return ending(target)
}

// ending returns an operation that ends everything at and under a place, and moves nothing beside it.
func ending(place Path) Op {
	if place.toElement() {
		return Op{Kind: Replace, Path: place}
	}
	return Op{Kind: Add, Path: place}
}

// toElement reports whether the last token is an index.
func (p Path) toElement() bool { return len(p) > 0 && p[len(p)-1].Index >= 0 }

// toEnd reports whether the last token is the name "-", which may be an array's end.
func (p Path) toEnd() bool { return len(p) > 0 && p[len(p)-1] == Key("-") }

// shifted returns a copy of p with the index at token i moved by one. An index never leaves the integers.
func (p Path) shifted(i, by int) Path {
	q := join(p, nil)
	if index := q[i].Index + by; index >= 0 {
		q[i].Index = index
	}
	return q
}

// join returns a new path: the tokens of p and then those of q.
func join(p, q Path) Path {
	return append(append(make(Path, 0, len(p)+len(q)), p...), q...)
}

// hasElement reports whether p has an index.
func hasElement(p Path) bool {
	for _, token := range p {
		if token.Index >= 0 {
			return true
		}
	}
	return false
}
