package document

import (
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// carryCases is how many cases TestCarryAgreesWithTheModel draws.
const carryCases = 120_000

// carryCase is a base on which some operations were refused, entries that were accepted instead, and a chain of changes
// made on the base with the refused ones: what a client has pending when its answers come.
type carryCase struct {
	random
	model
	values  bool // operations have their values, so that they can be applied
	base    Value
	refused []Op
	entries [][]Op
	changes [][]Op
	want    [][]Op  // the changes as they have to come out; the last one as far as its verdict
	verdict verdict // of the last operation of the last change
	open    bool    // the last change moved to an array's end what may have been changed: nothing more is to be drawn
}

func drawCarryCase(seed uint64) *carryCase {
	c := &carryCase{random: random{rand.New(rand.NewPCG(seed, 1))}}
	c.values = c.IntN(16) == 0
	root := c.drawRoot()
	c.root = [2]*modelNode{root, root}
	if c.values {
		c.base = c.tree(mine)
	}
	if c.IntN(4) == 0 {
		c.refused = c.drawAccepted(mine, 1+c.IntN(3))
	}
	for range 1 + c.IntN(3) {
		c.entries = append(c.entries, c.drawAccepted(now, 1+c.IntN(3)))
	}
	for range 1 + c.IntN(3) {
		if c.drawChange(); c.verdict != fits || c.open {
			break
		}
	}
	return c
}

func (c *carryCase) drawRoot() *modelNode {
	root, o := c.newNode(Object), c.newNode(Object)
	root.setBoth("l", c.drawArray(2+c.IntN(4), 2))
	root.setBoth("m", c.drawArray(c.IntN(4), 1))
	root.setBoth("n", c.newNode(Number))
	root.setBoth("o", o)
	o.setBoth("l", c.drawArray(1+c.IntN(3), 1))
	return root
}

func (n *modelNode) setBoth(name string, node *modelNode) {
	n.members = append(n.members, &modelMember{name, [2]*modelNode{node, node}})
}

func (c *carryCase) drawArray(count, depth int) *modelNode {
	array := c.newNode(Array)
	for range count {
		node := c.drawElement(depth)
		array.slots = append(array.slots, &modelSlot{node: [2]*modelNode{node, node}})
	}
	return array
}

func (c *carryCase) drawElement(depth int) *modelNode {
	switch kind := c.IntN(6); {
	case depth == 0 || kind == 0:
		return c.newNode(Number)
	case kind == 1:
		return c.drawArray(c.IntN(4), depth-1)
	default:
		object := c.newNode(Object)
		object.setBoth("n", c.newNode(Number))
		object.setBoth("s", c.drawArray(c.IntN(4), depth-1))
		return object
	}
}

// drawAccepted draws operations and applies them to one side, as if they were the only ones.
func (c *carryCase) drawAccepted(s side, count int) (ops []Op) {
	for range count {
		drawn := c.drawOp(s, false)
		if c.IntN(12) == 0 {
			drawn = c.drawMerge(s)
		}
		for _, op := range drawn {
			c.apply(s, op)
			ops = append(ops, op.Op)
		}
	}
	return ops
}

// drawMerge draws what a merge of an array becomes: some elements between a common prefix and suffix are exchanged.
func (c *carryCase) drawMerge(s side) (ops []modelOp) {
	path, array := c.walk(s, false)
	if !array.is(Array) {
		return nil
	}
	count := array.count(s)
	at := c.IntN(count + 1)
	gap := append(slices.Clip(path), Elem(at))
	for range c.IntN(count - at + 1) {
		ops = append(ops, modelOp{Op: Op{Kind: Remove, Path: gap}})
	}
	for range c.IntN(3) {
		ops = append(ops, c.with(Op{Kind: Add, Path: gap}, c.drawElement(1)))
	}
	return ops
}

// drawChange draws a change of one to three operations, of names only now and then, and has the model carry it. Most of
// the operations that would be in conflict are drawn again, so that chains grow.
func (c *carryCase) drawChange() {
	c.changes, c.want = append(c.changes, nil), append(c.want, nil)
	last := len(c.changes) - 1
	names := c.IntN(7) == 0
	for range 1 + c.IntN(3) {
		drawn := c.drawOp(mine, names)
		for range 4 {
			if len(drawn) > 0 && (c.IntN(5) == 0 || !c.hopeless(drawn[0].Op)) {
				break
			}
			drawn = c.drawOp(mine, names)
		}
		if len(drawn) == 0 {
			continue
		}
		carried, v := c.carry(drawn[0])
		c.changes[last] = append(c.changes[last], drawn[0].Op)
		if c.verdict = v; v != ended {
			c.want[last] = append(c.want[last], carried)
		}
		c.open = drawn[0].Kind.HasFrom() && carried.Path.toEnd()
		if v != fits || c.open {
			return
		}
	}
}

// hopeless guesses whether the operation would be in conflict.
func (c *carryCase) hopeless(op Op) bool {
	if op.Kind == Move {
		_, v := c.where(op.From, false)
		return v != fits
	}
	_, v := c.where(op.Path, targetEffect(op) == insert)
	return v != fits
}

// walk goes from the root to a random node.
func (c *carryCase) walk(s side, names bool) (Path, *modelNode) {
	node, path := c.root[s], make(Path, 0, 8)
	for len(path) == 0 || c.IntN(3) > 0 {
		token, next := Token{}, (*modelNode)(nil)
		switch count := 0; {
		case node.kind == Object && len(node.members) > 0:
			m := node.members[c.IntN(len(node.members))]
			token, next = Key(m.name), m.node[s]
		case node.kind == Array && !names:
			if count = node.count(s); count > 0 {
				token = Elem(c.IntN(count))
				next = node.slots[node.slot(s, token.Index)].node[s]
			}
		}
		if next == nil {
			break
		}
		node, path = next, append(path, token)
	}
	return path, node
}

// target draws where a value can be added.
func (c *carryCase) target(s side, names bool) Path {
	path, node := c.walk(s, names)
	for range 3 {
		if node.kind != Number && (node.kind == Array || c.IntN(3) == 0) {
			break
		}
		path, node = c.walk(s, names)
	}
	switch {
	case node.kind == Array && names:
		return append(path, Key("-"))
	case node.kind == Array:
		return append(path, Elem(c.IntN(node.count(s)+1)))
	case node.kind == Object:
		return append(path, Key(pick(c.random, "l", "m", "n", "o", "s", "x")))
	case c.IntN(8) > 0 || path.toElement() || names:
		return nil
	}
	return path
}

// source draws a node that is there.
func (c *carryCase) source(s side, names bool) Path {
	for range 6 {
		path, _ := c.walk(s, names)
		if len(path) > 0 && (names || path.toElement() || c.IntN(4) == 0) {
			return path
		}
	}
	return nil
}

// drawOp draws one operation that applies to side s; none when it does not find any.
func (c *carryCase) drawOp(s side, names bool) []modelOp {
	op := modelOp{Op: Op{Kind: pick(c.random, Add, Add, Add, Remove, Remove, Replace, Move, Move, Move, Copy, Increment, Test)}}
	switch op.Kind {
	case Add:
		op.Path = c.target(s, names)
	case Move, Copy:
		if op.From = c.source(s, names); op.From == nil {
			return nil
		}
		op.Path = c.targetOf(s, op.Op, names)
	default:
		op.Path = c.source(s, names)
	}
	switch {
	case c.IntN(150) == 0:
		return []modelOp{c.with(Op{Kind: Add, Path: Path{}}, c.drawRoot())}
	case op.Path == nil:
		return nil
	case op.Kind == Add || op.Kind == Replace:
		if op.Kind == Replace && !op.Path.toElement() {
			op.Kind = Add
		}
		op = c.with(op.Op, c.drawElement(2))
	}
	return []modelOp{op}
}

// targetOf draws the target of a Copy or, with the source out of the way, of a Move; in its array every other time.
func (c *carryCase) targetOf(s side, op Op, names bool) (path Path) {
	if op.Kind == Copy {
		return c.target(s, names)
	}
	n := len(op.From) - 1
	parent, last := c.find(s, op.From[:n]), op.From[n]
	if !last.IsIndex() {
		node, _ := c.take(s, op.From)
		path = c.target(s, names)
		parent.setMember(s, last.Name, node)
		return path
	}
	slot := parent.slots[parent.slot(s, last.Index)]
	node, _ := c.take(s, op.From)
	if path = c.target(s, names); c.IntN(2) == 0 {
		path = append(slices.Clone(op.From[:n]), Elem(c.IntN(parent.count(s)+1)))
	}
	slot.node[s] = node
	return path
}

func (c *carryCase) with(op Op, node *modelNode) modelOp {
	if c.values {
		op.Value = MustOf(plain(mine, node))
	}
	return modelOp{op, node}
}

func (c *carryCase) String() string {
	lines := []string{"refused: " + show(c.refused)}
	for _, entry := range c.entries {
		lines = append(lines, "entry:   "+show(entry))
	}
	for i, change := range c.changes {
		lines = append(lines, "change:  "+show(change), "want:    "+show(c.want[i]))
	}
	return strings.Join(append(lines, "verdict: "+[]string{"fits", "conflict", "does not apply"}[c.verdict]), "\n")
}

// check returns what is wrong, or nothing.
func (c *carryCase) check() string {
	history := append([][]Op{Invert(c.refused)}, c.entries...)
	whole := slices.Concat(history...)
	if wrong := c.checkChain(whole); wrong != "" {
		return wrong
	}
	if wrong := c.checkConcatenation(whole); wrong != "" {
		return wrong
	}
	if wrong := c.checkArrivals(history); wrong != "" {
		return wrong
	}
	return c.checkApply()
}

// checkChain carries the changes one after another, each over the entries as they look after those before it.
func (c *carryCase) checkChain(entry []Op) string {
	for i, change := range c.changes {
		carried, after, err := Carry(change, entry)
		if wrong := c.compare(i, carried, err); wrong != "" {
			return "one change after another: " + wrong
		}
		entry = after
	}
	return ""
}

func (c *carryCase) compare(i int, carried []Op, err error) string {
	conflict := c.verdict == ended && i == len(c.changes)-1
	switch {
	case conflict != (CodeOf(err) == CodeConflict):
		return "change " + strconv.Itoa(i) + ": got " + show(carried) + ", conflict " + strconv.FormatBool(err != nil)
	case err == nil && show(carried) != show(c.want[i]):
		return "change " + strconv.Itoa(i) + ": got " + show(carried)
	}
	return ""
}

// checkConcatenation carries the changes as if they were one.
func (c *carryCase) checkConcatenation(entry []Op) string {
	carried, after, err := Carry(slices.Concat(c.changes...), entry)
	switch {
	case (c.verdict == ended) != (err != nil):
		return "all changes at once: got " + show(carried) + ", conflict " + strconv.FormatBool(err != nil)
	case err != nil:
		return ""
	case show(carried) != show(slices.Concat(c.want...)):
		return "all changes at once: got " + show(carried)
	}
	stepwise := entry
	for _, change := range c.changes {
		_, stepwise, _ = Carry(change, stepwise)
	}
	if show(moving(stepwise)) != show(moving(after)) {
		return "entry after all changes: got " + show(after) + ", and one after another " + show(stepwise)
	}
	return ""
}

// moving leaves out the operations that move nothing, which Carry may keep or not.
func moving(ops []Op) []Op {
	return slices.DeleteFunc(slices.Clone(ops), func(op Op) bool { return targetEffect(op) == look })
}

// checkArrivals carries the whole chain over each entry as it arrives, as a client does.
func (c *carryCase) checkArrivals(history [][]Op) string {
	pending := slices.Clone(c.changes)
	refusedAt := len(pending)
	for _, entry := range history {
		for i := range refusedAt {
			carried, after, err := Carry(pending[i], entry)
			if err != nil {
				refusedAt = i
				break
			}
			pending[i], entry = carried, after
		}
	}
	for i, carried := range pending[:refusedAt] {
		if wrong := c.compare(i, carried, nil); wrong != "" {
			return "one entry after another: " + wrong
		}
	}
	if refusedAt < len(pending)-1 || (refusedAt < len(pending)) != (c.verdict == ended) {
		return "one entry after another: change " + strconv.Itoa(refusedAt) + " is in conflict"
	}
	return ""
}

// checkApply has Apply make both sides, to see that the model's paths mean what it thinks.
func (c *carryCase) checkApply() string {
	if !c.values || c.verdict != fits {
		return ""
	}
	for s, ops := range [][]Op{mine: append(slices.Clone(c.refused), slices.Concat(c.changes...)...),
		now: append(slices.Concat(c.entries...), slices.Concat(c.want...)...)} {
		got, _, err := Apply(c.base, moving(ops), StateLimits{})
		if err != nil {
			return "Apply: " + err.Error()
		}
		if want := c.tree(side(s)); !got.Equal(want) {
			return "Apply made " + got.String() + ", and the model has " + want.String()
		}
	}
	return ""
}

func TestCarryAgreesWithTheModel(t *testing.T) {
	const shards = 4
	first, count := carrySeed(t), carryRounds()
	var verdicts [3]atomic.Int64
	t.Run("cases", func(t *testing.T) {
		for shard := range shards {
			t.Run(strconv.Itoa(shard), func(t *testing.T) {
				t.Parallel()
				for i := shard; i < count && !t.Failed(); i += shards {
					seed := first + uint64(i)
					c := drawCarryCase(seed)
					verdicts[c.verdict].Add(1)
					if wrong := c.check(); wrong != "" {
						t.Errorf("STATESYNC_SEED=%d\n%s\n%v", seed, wrong, c)
					}
				}
			})
		}
	})
	t.Logf("%d cases fit, %d are in conflict, %d do not apply", verdicts[fits].Load(), verdicts[ended].Load(), verdicts[refused].Load())
	for v := range verdicts {
		if got := int(verdicts[v].Load()); got < count/100 {
			t.Errorf("verdict %d came %d times; the cases are not what they should be", v, got)
		}
	}
}

// A change was sent, and later ones wait. Entries arrive; then the change is refused. The later ones are carried over what
// the entries became after the change, and over the undoing of the change as it was carried. They must come out as if
// the change had been undone first, except that insertions into equal gaps may stand in another order.
func TestCarryAgreesWithTheModelWhenAPredecessorIsRefused(t *testing.T) {
	t.Parallel()
	first, count := carrySeed(t), carryRounds()
	for i := range uint64(count / 4) {
		c := drawCarryCase(first + i)
		entry := slices.Concat(c.entries...)
		undone, after, err := Carry(c.refused, entry)
		if len(c.refused) == 0 || c.verdict == refused || c.open || err != nil {
			continue
		}
		whole := slices.Concat(c.changes...)
		carried, _, err := Carry(whole, append(after, Invert(undone)...))
		inserts := slices.ContainsFunc(whole, func(op Op) bool { return targetEffect(op) == insert })
		wrong := err == nil && !inserts && show(carried) != show(slices.Concat(c.want...))
		if wrong || (err != nil) != (c.verdict == ended) {
			t.Fatalf("STATESYNC_SEED=%d\ngot %s, %v\n%v", first+i, show(carried), err, c)
		}
	}
}

// carryRounds returns how many cases are drawn: all of them under the race detector, too.
func carryRounds() int {
	if runtime.GOOS == "js" || testing.Short() {
		return carryCases / 20
	}
	return carryCases
}

// carrySeed returns the seed of the first case. Case i has the i-th seed after it, so that STATESYNC_SEED set to what a
// failure printed begins with the case that failed.
func carrySeed(t *testing.T) uint64 {
	if text := os.Getenv("STATESYNC_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return seed
	}
	seed := rand.Uint64()
	t.Logf("the first seed: STATESYNC_SEED=%d", seed)
	return seed
}
