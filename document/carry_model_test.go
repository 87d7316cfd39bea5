package document

import (
	"slices"
	"strconv"
)

// The model knows every node by identity, and shows one tree from two sides: mine, the value that a change is made on,
// and now, the value that it has to apply to. It says what Carry must return without knowing how positions are carried:
// it finds the very node that the change names on its own side, and looks where that is on the other.
//
// An array is one list of slots for both sides. A slot that is empty on a side is not counted there, but keeps its place,
// so that a gap has a place in relation to everything that was ever beside it. The left neighbor rule in these terms: an
// accepted insertion goes next to its left neighbor, an insertion of the change next to its right one.
type side int

const (
	mine side = iota
	now
)

type modelNode struct {
	id      int  // as written into its value; a copy has the same
	kind    Kind // Number, Object or Array
	members []*modelMember
	slots   []*modelSlot
	ended   bool // moved to where nothing follows it, or made inside of what was written over
}

type modelMember struct {
	name string
	node [2]*modelNode
}

type modelSlot struct{ node [2]*modelNode }

func (n *modelNode) is(kind Kind) bool { return n != nil && n.kind == kind }

func (n *modelNode) member(s side, name string) *modelNode {
	if n.is(Object) {
		for _, m := range n.members {
			if m.name == name {
				return m.node[s]
			}
		}
	}
	return nil
}

func (n *modelNode) setMember(s side, name string, node *modelNode) {
	for _, m := range n.members {
		if m.name == name {
			m.node[s] = node
			return
		}
	}
	m := &modelMember{name: name}
	m.node[s] = node
	n.members = append(n.members, m)
}

func (n *modelNode) count(s side) (count int) {
	for _, slot := range n.slots {
		if slot.node[s] != nil {
			count++
		}
	}
	return count
}

// slot returns the place in slots of the element with index i, or the end.
func (n *modelNode) slot(s side, i int) int {
	for at, slot := range n.slots {
		if slot.node[s] == nil {
			continue
		}
		if i == 0 {
			return at
		}
		i--
	}
	return len(n.slots)
}

// gap returns where in slots an insertion at index i goes: next to the left neighbor, or to the right one for mine.
func (n *modelNode) gap(s side, i int) int {
	if s == mine {
		return n.slot(mine, i)
	}
	if i == 0 {
		return 0
	}
	return n.slot(now, i-1) + 1
}

func (n *modelNode) insert(at int, slot *modelSlot) { n.slots = slices.Insert(n.slots, at, slot) }

// indexAt returns the index on side s that belongs to the place in slots.
func (n *modelNode) indexAt(s side, at int) (index int) {
	for _, slot := range n.slots[:at] {
		if slot.node[s] != nil {
			index++
		}
	}
	return index
}

// place returns where in slots the node is on side s.
func (n *modelNode) place(s side, node *modelNode) (at int, ok bool) {
	at = slices.IndexFunc(n.slots, func(slot *modelSlot) bool { return slot.node[s] == node })
	return at, at >= 0
}

// end marks the node and everything in it on side s.
func (n *modelNode) end(s side) {
	if n == nil {
		return
	}
	n.ended = true
	for _, m := range n.members {
		m.node[s].end(s)
	}
	for _, slot := range n.slots {
		slot.node[s].end(s)
	}
}

// model is the root on both sides.
type model struct {
	root   [2]*modelNode
	nextID int
}

func (m *model) newNode(kind Kind) *modelNode {
	m.nextID++
	return &modelNode{id: m.nextID, kind: kind}
}

// find returns the node at a path; nil when it is not there.
func (m *model) find(s side, path Path) *modelNode {
	node := m.root[s]
	for _, token := range path {
		switch {
		case node == nil:
			return nil
		case !token.IsIndex():
			node = node.member(s, token.Name)
		case node.kind != Array || token.Index >= node.count(s):
			return nil
		default:
			node = node.slots[node.slot(s, token.Index)].node[s]
		}
	}
	return node
}

// twin copies a node with everything in it on both sides. What is one node on both sides stays one.
func (m *model) twin(node *modelNode, made map[*modelNode]*modelNode) *modelNode {
	if node == nil || made[node] != nil {
		return made[node]
	}
	c := &modelNode{id: node.id, kind: node.kind, ended: node.ended}
	made[node] = c
	for _, member := range node.members {
		c.members = append(c.members, &modelMember{name: member.name,
			node: [2]*modelNode{m.twin(member.node[mine], made), m.twin(member.node[now], made)}})
	}
	for _, slot := range node.slots {
		c.slots = append(c.slots, &modelSlot{[2]*modelNode{m.twin(slot.node[mine], made), m.twin(slot.node[now], made)}})
	}
	return c
}

// modelOp is an operation and, for Add and Replace, the node that it sets.
type modelOp struct {
	Op
	node *modelNode
}

// apply applies an operation to one side only: an accepted one to now, or to mine one that was refused.
func (m *model) apply(s side, op modelOp) {
	node := op.node
	switch op.Kind {
	case Move:
		if node = m.take(s, op.From); !sameArray(op.From, op.Path) {
			node.end(s)
		}
	case Copy:
		node = m.twin(m.find(s, op.From), map[*modelNode]*modelNode{})
	case Remove:
		m.take(s, op.Path)
		return
	case Test, Increment:
		return
	}
	m.put(s, op, node)
}

func (m *model) take(s side, path Path) (node *modelNode) {
	parent, last := m.find(s, path[:len(path)-1]), path[len(path)-1]
	if !last.IsIndex() {
		node = parent.member(s, last.Name)
		parent.setMember(s, last.Name, nil)
		return node
	}
	slot := parent.slots[parent.slot(s, last.Index)]
	node, slot.node[s] = slot.node[s], nil
	return node
}

func (m *model) put(s side, op modelOp, node *modelNode) {
	if len(op.Path) == 0 {
		m.root[s] = node
		return
	}
	parent, last := m.find(s, op.Path[:len(op.Path)-1]), op.Path[len(op.Path)-1]
	switch {
	case !last.IsIndex():
		parent.setMember(s, last.Name, node)
	case op.Kind == Replace:
		parent.slots[parent.slot(s, last.Index)].node[s] = node
	default:
		slot := &modelSlot{}
		slot.node[s] = node
		parent.insert(parent.gap(s, last.Index), slot)
	}
}

// verdict is what the model expects of an operation of the change.
type verdict int

const (
	fits    verdict = iota // it applies to now, at the paths that the model returned
	ended                  // it names an ended element
	refused                // it has a place now, but does not apply there: a name leads nowhere
)

// where returns the path on side now to what the path names on side mine.
func (m *model) where(path Path, gap bool) (Path, verdict) {
	there := slices.Clone(path)
	here, other := m.root[mine], m.root[now]
	for i, token := range path {
		if !token.IsIndex() {
			here, other = here.member(mine, token.Name), other.member(now, token.Name)
			continue
		}
		if here != other || here.ended {
			return nil, ended
		}
		if gap && i == len(path)-1 {
			there[i].Index = here.indexAt(now, here.gap(mine, token.Index))
			return there, fits
		}
		node := here.slots[here.slot(mine, token.Index)].node[mine]
		at, ok := here.place(now, node)
		if !ok || node.ended {
			return nil, ended
		}
		there[i].Index = here.indexAt(now, at)
		here, other = node, node
	}
	return there, fits
}

// carry returns the operation of the change as it has to apply to now, and applies it to both sides. After another
// verdict than fits the model is of no more use.
func (m *model) carry(op modelOp) (Op, verdict) {
	carried := op.Op
	var taken [2]*modelNode
	if op.Kind.HasFrom() {
		from, v := m.where(op.From, false)
		if v != fits {
			return carried, v
		}
		carried.From = from
		taken = [2]*modelNode{m.find(mine, op.From), m.find(now, from)}
		missing := taken[now] == nil
		if op.Kind == Move {
			m.take(mine, op.From)
			if !missing {
				m.take(now, from)
			}
		}
		path, v := m.where(op.Path, targetEffect(op.Op) == insert)
		if carried.Path = path; v == fits && missing {
			v = refused
		}
		if v != fits {
			return carried, v
		}
		if op.Kind == Copy {
			made := map[*modelNode]*modelNode{}
			taken = [2]*modelNode{m.twin(taken[mine], made), m.twin(taken[now], made)}
		}
		return carried, m.putBoth(op, carried, taken)
	}
	path, v := m.where(op.Path, targetEffect(op.Op) == insert)
	if carried.Path = path; v != fits {
		return carried, v
	}
	switch op.Kind {
	case Add, Replace:
		return carried, m.putBoth(op, carried, [2]*modelNode{op.node, op.node})
	}
	if m.find(now, path) == nil {
		return carried, refused
	}
	if op.Kind == Remove {
		m.take(mine, op.Path)
		m.take(now, path)
	}
	return carried, fits
}

// putBoth puts the nodes into the place that the operation names on each side.
func (m *model) putBoth(op modelOp, carried Op, nodes [2]*modelNode) verdict {
	n := len(op.Path) - 1
	if n < 0 {
		m.root = nodes
		return fits
	}
	here, other, last := m.find(mine, op.Path[:n]), m.find(now, carried.Path[:n]), op.Path[n]
	switch {
	case last.IsIndex() && op.Kind == Replace:
		here.slots[here.slot(mine, last.Index)].node[mine] = nodes[mine]
		other.slots[other.slot(now, carried.Path[n].Index)].node[now] = nodes[now]
	case last.IsIndex():
		here.insert(here.gap(mine, last.Index), &modelSlot{nodes})
	case here.is(Array):
		return appendBoth(here, other, nodes)
	case !other.is(Object):
		return refused
	default:
		here.setMember(mine, last.Name, nodes[mine])
		other.setMember(now, last.Name, nodes[now])
		if here != other || here.ended { // made inside of what was written over
			nodes[mine].end(mine)
			nodes[now].end(now)
		}
	}
	return fits
}

// appendBoth puts the nodes at the ends of two arrays, which may be one.
func appendBoth(here, other *modelNode, nodes [2]*modelNode) verdict {
	switch {
	case !other.is(Array):
		return refused
	case here == other:
		here.slots = append(here.slots, &modelSlot{nodes})
	default:
		here.slots = append(here.slots, &modelSlot{[2]*modelNode{nodes[mine], nil}})
		other.slots = append(other.slots, &modelSlot{[2]*modelNode{nil, nodes[now]}})
	}
	return fits
}

// tree returns what one side is as JSON, for comparison with what Apply makes.
func (m *model) tree(s side) Value { return MustOf(plain(s, m.root[s])) }

func plain(s side, node *modelNode) any {
	switch node.kind {
	case Array:
		elements := []any{}
		for _, slot := range node.slots {
			if slot.node[s] != nil {
				elements = append(elements, plain(s, slot.node[s]))
			}
		}
		return elements
	case Object:
		members := map[string]any{"id " + strconv.Itoa(node.id): true}
		for _, member := range node.members {
			if member.node[s] != nil {
				members[member.name] = plain(s, member.node[s])
			}
		}
		return members
	}
	return node.id
}
