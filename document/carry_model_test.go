package document

import (
	"math"
	"slices"
	"strconv"
)

// The model knows every node by identity, and shows one tree from two sides: mine, the value that a change is made on,
// and now, the value that it has to apply to. It says what Carry must return without knowing how positions are carried:
// it finds the very node that the change names on its own side, and looks where that is on the other.
//
// An array is one list of slots for both sides. A slot that is empty on a side is not counted there, but keeps its place,
// so that a gap has a place in relation to everything that was ever beside it. Two gaps are equal when nothing is between
// them that was there when the later accepted of the two was used: then the entry's goes left.
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

// modelSlot is a place in an array. Times are those of the entries, which undo what was refused before they do anything
// else: that has negative times.
type modelSlot struct {
	node [2]*modelNode
	born int        // when the entries put something here; 0 for never
	died int        // when they took it away; 0 for never
	from *modelSlot // where they moved it from, within the array
	lost bool       // the change took what they moved here, so that they moved nothing
	made changeSlot
	twin *modelSlot // of onMine: the one onNow
}

// changeSlot says whether the change inserted here. It makes two slots: on its own side, its element has a place among
// elements that are gone now, and at equal gaps the entries' elements come between the two.
type changeSlot int

const (
	notByChange changeSlot = iota
	onMine
	onNow
)

// there reports whether the slot is in the way between two gaps at a time of the entries.
func (s *modelSlot) there(time int) bool {
	if s.made != notByChange {
		return s.made == onNow && s.node[now] != nil
	}
	if s.lost || (s.died != 0 && s.died < time) {
		return false
	}
	if s.born != 0 {
		return s.born < time
	}
	return s.node[mine] != nil
}

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

// gap returns where in slots an insertion by one side alone at index i goes: next to its left neighbor for the entries,
// next to the right one for mine.
func (n *modelNode) gap(s side, i int) int {
	if s == mine {
		return n.slot(mine, i)
	}
	if i == 0 {
		return 0
	}
	return n.slot(now, i-1) + 1
}

// carriedGap returns where in slots an insertion by the change at index i goes on side now: right of what the entries
// inserted into the same gap, in their order, and right of what the change itself has put left of it.
func (n *modelNode) carriedGap(i int) int {
	own := n.slot(mine, i)
	at := own
	for next, time := n.birthAfter(math.MinInt); next >= 0; next, time = n.birthAfter(time) {
		between := func(slot *modelSlot) bool { return slot.there(time) }
		if next >= at && !slices.ContainsFunc(n.slots[at:next], between) {
			at = next + 1
		}
	}
	for _, slot := range n.slots[:own] {
		if slot.made == onMine && slot.node[mine] != nil {
			at = max(at, slices.Index(n.slots, slot.twin)+1)
		}
	}
	return at
}

// birthAfter returns the first slot into which the entries put something after a time, and when.
func (n *modelNode) birthAfter(last int) (next, time int) {
	next = -1
	for i, slot := range n.slots {
		if slot.born != 0 && !slot.lost && slot.born > last && (next < 0 || slot.born < time) {
			next, time = i, slot.born
		}
	}
	return next, time
}

// insertBoth inserts by the change.
func (n *modelNode) insertBoth(i int, nodes [2]*modelNode) {
	own, other := n.slot(mine, i), n.carriedGap(i)
	twin := &modelSlot{node: [2]*modelNode{now: nodes[now]}, made: onNow}
	n.insert(other, twin)
	n.insert(own, &modelSlot{node: [2]*modelNode{mine: nodes[mine]}, made: onMine, twin: twin})
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
	time   int
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

// twins are the copies that one Copy makes. What is one node, or one slot, on both sides stays one.
type twins struct {
	nodes map[*modelNode]*modelNode
	slots map[*modelSlot]*modelSlot
}

func newTwins() twins { return twins{map[*modelNode]*modelNode{}, map[*modelSlot]*modelSlot{}} }

// of copies a node with everything in it on both sides.
func (t twins) of(node *modelNode) *modelNode {
	if node == nil || t.nodes[node] != nil {
		return t.nodes[node]
	}
	c := &modelNode{id: node.id, kind: node.kind, ended: node.ended}
	t.nodes[node] = c
	for _, m := range node.members {
		c.members = append(c.members, &modelMember{m.name, [2]*modelNode{t.of(m.node[mine]), t.of(m.node[now])}})
	}
	for _, slot := range node.slots {
		c.slots = append(c.slots, t.slot(slot))
	}
	return c
}

func (t twins) slot(slot *modelSlot) *modelSlot {
	if slot == nil || t.slots[slot] != nil {
		return t.slots[slot]
	}
	c := *slot
	t.slots[slot] = &c
	c.node = [2]*modelNode{t.of(slot.node[mine]), t.of(slot.node[now])}
	c.from, c.twin = t.slot(slot.from), t.slot(slot.twin)
	return &c
}

// modelOp is an operation and, for Add and Replace, the node that it sets.
type modelOp struct {
	Op
	node *modelNode
}

// apply applies an operation to one side only: an accepted one to now, or to mine one that was refused.
func (m *model) apply(s side, op modelOp) {
	node, from := op.node, (*modelSlot)(nil)
	switch op.Kind {
	case Move:
		if node, from = m.take(s, op.From); !sameArray(op.From, op.Path) {
			node.end(s)
			m.log(s, from, nil)
			from = nil
		}
	case Copy:
		node = newTwins().of(m.find(s, op.From))
	case Remove:
		_, from = m.take(s, op.Path)
	case Test, Increment:
		return
	}
	if op.Kind == Remove {
		m.log(s, from, nil)
		return
	}
	m.log(s, from, m.put(s, op, node))
}

// log notes when the entries take what is in one slot, or put it into another, or both. For a refused operation it is the
// other way around, and earlier than everything before.
func (m *model) log(s side, from, to *modelSlot) {
	m.time += 2
	if s == mine {
		from, to = to, from
	}
	sign := []int{mine: -1, now: 1}[s]
	if from != nil {
		from.died = sign*m.time - 1
	}
	if to != nil {
		to.born = sign * m.time
		to.from = from
	}
}

func (m *model) take(s side, path Path) (node *modelNode, from *modelSlot) {
	parent, last := m.find(s, path[:len(path)-1]), path[len(path)-1]
	if !last.IsIndex() {
		node = parent.member(s, last.Name)
		parent.setMember(s, last.Name, nil)
		return node, nil
	}
	from = parent.slots[parent.slot(s, last.Index)]
	node, from.node[s] = from.node[s], nil
	return node, from
}

// put returns the slot that it made, if any.
func (m *model) put(s side, op modelOp, node *modelNode) *modelSlot {
	if len(op.Path) == 0 {
		m.root[s] = node
		return nil
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
		return slot
	}
	return nil
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
			there[i].Index = here.indexAt(now, here.carriedGap(token.Index))
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
func (m *model) carry(op modelOp) (carried Op, v verdict) {
	carried = op.Op
	nodes := [2]*modelNode{op.node, op.node}
	if op.Kind.HasFrom() {
		if carried.From, v = m.where(op.From, false); v != fits {
			return carried, v
		}
		nodes = [2]*modelNode{m.find(mine, op.From), m.find(now, carried.From)}
		if op.Kind == Move {
			m.takeBoth(op.From, carried.From)
		}
	}
	carried.Path, v = m.where(op.Path, targetEffect(op.Op) == insert)
	switch {
	case v != fits:
		return carried, v
	case op.Kind == Copy:
		t := newTwins()
		nodes = [2]*modelNode{t.of(nodes[mine]), t.of(nodes[now])}
	case !op.Kind.HasFrom() && op.node == nil && m.find(now, carried.Path) == nil:
		return carried, refused
	}
	switch {
	case op.Kind == Remove:
		m.takeBoth(op.Path, carried.Path)
	case op.Kind == Test || op.Kind == Increment:
	case nodes[now] == nil:
		return carried, refused
	default:
		return carried, m.putBoth(op, carried, nodes)
	}
	return carried, fits
}

// takeBoth takes what the change named from both sides, where it is there.
func (m *model) takeBoth(path, carried Path) {
	m.take(mine, path)
	if m.find(now, carried) == nil {
		return
	}
	_, slot := m.take(now, carried)
	for ; slot != nil; slot = slot.from {
		slot.lost = true
	}
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
		here.insertBoth(last.Index, nodes)
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
		here.insertBoth(here.count(mine), nodes)
	default:
		here.slots = append(here.slots, &modelSlot{node: [2]*modelNode{mine: nodes[mine]}})
		other.slots = append(other.slots, &modelSlot{node: [2]*modelNode{now: nodes[now]}})
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
