package document

import (
	"slices"
	"strings"
)

// Equal reports whether both values are the same JSON value, or both absent. Canonical form makes that a comparison of
// texts; parts that the values share are not looked at.
func (v Value) Equal(other Value) bool {
	switch {
	case v.n == other.n:
		return true
	case v.Kind() != other.Kind() || v.Size() != other.Size() || v.Depth() != other.Depth():
		return false
	case v.n.text != "":
		rest, ok := other.cutFrom(v.n.text)
		return ok && rest == ""
	case other.n.text != "":
		rest, ok := v.cutFrom(other.n.text)
		return ok && rest == ""
	case v.n.kind == Array:
		return v.n.elements.equal(other.n.elements, Value.Equal)
	default:
		return v.n.members.equal(other.n.members, member.equal)
	}
}

// cutFrom returns text without the value's canonical text at its start, and whether it was there.
func (v Value) cutFrom(text string) (rest string, ok bool) {
	if v.n.text != "" {
		return strings.CutPrefix(text, v.n.text)
	}
	before, after := "[", "]"
	if v.n.kind == Object {
		before, after = "{", "}"
	}
	ok = true
	for _, element := range v.n.elements.all() {
		if text, ok = strings.CutPrefix(text, before); !ok {
			return text, false
		}
		if text, ok = element.cutFrom(text); !ok {
			return text, false
		}
		before = ","
	}
	for _, m := range v.n.members.all() {
		if text, ok = strings.CutPrefix(text, before); !ok {
			return text, false
		}
		if text, ok = m.cutFrom(text); !ok {
			return text, false
		}
		before = ","
	}
	if v.Len() == 0 {
		after = before + after
	}
	return strings.CutPrefix(text, after)
}

// cutFrom is Value.cutFrom for a member.
func (m member) cutFrom(text string) (rest string, ok bool) {
	var quoted [128]byte
	key := appendQuoted(quoted[:0], m.key)
	if len(text) <= len(key) || text[:len(key)] != string(key) || text[len(key)] != ':' {
		return text, false
	}
	return m.value.cutFrom(text[len(key)+1:])
}

func (m member) equal(other member) bool { return m.key == other.key && m.value.Equal(other.value) }

// equal compares two sequences entry by entry, without a look at blocks that they share.
func (s seq[T]) equal(other seq[T], same func(a, b T) bool) bool {
	if s.count() == 0 || other.count() == 0 {
		return s.count() == other.count()
	}
	return s.root.equal(other.root, same)
}

func (b *block[T]) equal(other *block[T], same func(a, b T) bool) bool {
	switch {
	case b == other:
		return true
	case b.count != other.count || b.size != other.size:
		return false
	case b.blocks == nil && other.blocks == nil:
		return slices.EqualFunc(b.items, other.items, same)
	case slices.Equal(b.ends, other.ends):
		return slices.EqualFunc(b.blocks, other.blocks, func(a, b *block[T]) bool { return a.equal(b, same) })
	}
	whole := seq[T]{other}
	return b.each(0, func(i int, item T) bool { return same(item, whole.at(i)) })
}
