package document

import (
	"slices"
	"strings"
)

// node is one immutable value, in one of two forms: its canonical text, or, for arrays and objects only, a seq of its
// elements or members. Reading a text keeps nothing, so that values need no lock; writing into one makes an expanded
// node for the new version.
type node struct {
	text     string      // canonical; empty when expanded
	elements seq[Value]  // of an expanded array
	members  seq[member] // of an expanded object, in the order of compareKeys
	depth    int32
	kind     Kind
	borrowed bool // text is a part of a longer one, which it would keep in memory
}

// member is a member of an expanded object.
type member struct {
	key   string
	value Value
}

func (m member) weight() int { return quotedSize(m.key) + 1 + m.value.Size() }
func (m member) height() int { return m.value.Depth() }

func (v Value) weight() int { return v.Size() }
func (v Value) height() int { return v.Depth() }

// expandAbove is the size in bytes of text above which an array or object within an expanded one is expanded as well.
// It bounds what a read has to scan, and so what an operation of a few bytes can cost.
const expandAbove = 1 << 10

func newText(text string, depth int) Value {
	return Value{&node{text: text, kind: kindOf(text[0]), depth: int32(depth)}}
}

// borrow is newText for a part of a longer text.
func borrow(text string, depth int) Value {
	return Value{&node{text: text, kind: kindOf(text[0]), depth: int32(depth), borrowed: true}}
}

func newArray(elements seq[Value]) Value {
	return Value{&node{kind: Array, elements: elements, depth: int32(1 + elements.depth())}}
}

func newObject(members seq[member]) Value {
	return Value{&node{kind: Object, members: members, depth: int32(1 + members.depth())}}
}

// owned returns the value in a form that keeps nothing else in memory.
func (v Value) owned() Value {
	if v.n == nil || !v.n.borrowed {
		return v
	}
	return newText(strings.Clone(v.n.text), int(v.n.depth))
}

// expanded returns an array or object as an expanded node, and so is what is larger than expandAbove in it.
func (v Value) expanded() Value {
	switch {
	case v.n.text == "":
		return v
	case v.n.kind == Array:
		elements := v.elements()
		for i, element := range elements {
			elements[i] = element.keepFresh()
		}
		return newArray(newSeq(elements))
	default:
		members := v.members()
		for i, m := range members {
			members[i] = member{strings.Clone(m.key), m.value.keepFresh()}
		}
		return newObject(newSeq(members))
	}
}

// settle returns the value in the form that it has within an expanded node.
func (v Value) settle() Value {
	if v.n != nil && v.n.depth > 0 && len(v.n.text) > expandAbove {
		return v.expanded()
	}
	return v.owned()
}

// keepFresh is settle for a borrowed value that nobody else has seen, whose node can be used.
func (v Value) keepFresh() Value {
	if v.n.depth > 0 && len(v.n.text) > expandAbove {
		return v.expanded()
	}
	v.n.text, v.n.borrowed = strings.Clone(v.n.text), false
	return v
}

// elements returns the elements of an array in a new slice; those of a text are borrowed.
func (v Value) elements() []Value {
	if v.n.text == "" {
		items := make([]Value, 0, v.n.elements.count())
		for _, element := range v.n.elements.all() {
			items = append(items, element)
		}
		return items
	}
	return textElements(v.n.text, 1)
}

// textElements returns the elements from index i of an array's text on.
func textElements(text string, i int) []Value {
	var items []Value
	scanElements(text, i, func(text string, depth int) bool {
		items = append(items, borrow(text, depth))
		return true
	})
	return items
}

// members returns the members of an object in a new slice; those of a text are borrowed.
func (v Value) members() []member {
	if v.n.text == "" {
		items := make([]member, 0, v.n.members.count())
		for _, m := range v.n.members.all() {
			items = append(items, m)
		}
		return items
	}
	var items []member
	scanMembers(v.n.text, func(key, text string, depth int) bool {
		items = append(items, member{unescape(key), borrow(text, depth)})
		return true
	})
	return items
}

// find returns the index of a key in an expanded object, or where it would be.
func find(members seq[member], key string) (int, bool) {
	b, start := members.root, 0
	if b == nil {
		return 0, false
	}
	for b.blocks != nil {
		c, found := slices.BinarySearchFunc(b.blocks, key, func(b *block[member], key string) int {
			return compareKeys(b.first().key, key)
		})
		if !found && c > 0 {
			c--
		}
		start += b.ends[c] - b.blocks[c].count
		b = b.blocks[c]
	}
	i, found := slices.BinarySearchFunc(b.items, key, func(m member, key string) int { return compareKeys(m.key, key) })
	return start + i, found
}

// setMember returns the object with the member; the value is settled in it.
func (v Value) setMember(key string, value Value) Value {
	members := v.expanded().n.members
	i, found := find(members, key)
	if found {
		return newObject(members.set(i, member{members.at(i).key, value.settle()}))
	}
	return newObject(members.insert(i, member{strings.Clone(key), value.settle()}))
}

// removeMember returns the object without the member, which must be there.
func (v Value) removeMember(key string) Value {
	members := v.expanded().n.members
	i, _ := find(members, key)
	return newObject(members.remove(i))
}

func (v Value) setElement(i int, value Value) Value {
	return newArray(v.expanded().n.elements.set(i, value.settle()))
}

func (v Value) insertElement(i int, value Value) Value {
	return newArray(v.expanded().n.elements.insert(i, value.settle()))
}

func (v Value) removeElement(i int) Value {
	return newArray(v.expanded().n.elements.remove(i))
}
