package document

import (
	"strconv"
	"unicode/utf8"
)

// Apply applies the operations to v, one after the other, and returns the value that they make and their entry; v stays
// as it is. Either all of them apply, or an *Error says which place refused and next is v. Each value on the way is
// bounded by l.
//
// The entry is what a log holds: normalized operations that make the same next of the same v and do not depend on how
// the change was written. It is nil where nothing changes, and next is v then. It has no Test and no "-". A member is set by Add with a name as last token, whether it was
// there or not; Add with an index inserts; Replace has an index and puts a new element in the place of another.
// Operations without effect are left out. Where an operation writes the root, the entry is the Diff from v to next when
// both are objects, and else one Add with an empty path.
//
// Where v is only parsed and read often, Expanded makes failing and testing operations cheaper.
func Apply(v Value, ops []Op, l StateLimits) (next Value, entry []Op, err error) {
	a := newApplier(v, len(ops), l)
	a.entry = make([]Op, 0, len(ops))
	if err := a.all(ops); err != nil {
		return v, nil, err
	}
	if a.root {
		a.entry = rootEntry(v, a.value)
	}
	if len(a.entry) == 0 {
		return v, nil, nil
	}
	return a.value, a.entry, nil
}

// Replay is Apply for an entry that Apply has made, for those who have no use for another; nothing bounds the values.
func Replay(v Value, entry []Op) (next Value, err error) {
	a := newApplier(v, len(entry), NoLimits)
	if err := a.all(entry); err != nil {
		return v, err
	}
	return a.value, nil
}

// rootEntry returns the entry of a change that wrote the root.
func rootEntry(old, new Value) []Op {
	if old.Kind() == Object && new.Kind() == Object {
		return Diff(nil, old, new)
	}
	if old.Equal(new) {
		return nil
	}
	return []Op{{Kind: Add, Path: Path{}, Value: new}}
}

// applier applies operations to a value that it replaces as it goes.
type applier struct {
	value  Value
	limits StateLimits
	entry  []Op // nil: it is not wanted
	root   bool // the root was written: entry does not hold it
}

// newApplier returns the applier for a number of operations. Several of them are worth an expanded value, where none of
// them reads more than a small part of the text again and copies share what they copy.
func newApplier(v Value, ops int, l StateLimits) applier {
	if ops > 1 {
		v = v.Expanded()
	}
	return applier{value: v, limits: l}
}

func (a *applier) all(ops []Op) error {
	for _, op := range ops {
		if err := a.apply(op); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) apply(op Op) *Error {
	if op.Kind.HasValue() && !op.Value.Exists() {
		return failAt(CodeInvalidPatch, op.Path, op.Kind.String()+" needs a value")
	}
	switch op.Kind {
	case Add:
		return a.add(op)
	case Remove:
		return a.remove(op)
	case Replace:
		return a.replace(op)
	case Move:
		return a.move(op)
	case Copy:
		return a.copy(op)
	case Test:
		return a.test(op)
	case Increment:
		return a.increment(op)
	}
	return failAt(CodeInvalidPatch, op.Path, "an operation is of no kind")
}

// keep makes next the value, and appends the normalized operation to the entry.
func (a *applier) keep(next Value, op Op) *Error {
	if err := a.limits.check(a.value, next); err != nil {
		err.Path = op.Path.String()
		return err
	}
	a.value = next
	if a.entry != nil {
		a.entry = append(a.entry, op)
	}
	return nil
}

// keepRoot is keep for a write of the whole value.
func (a *applier) keepRoot(next Value) *Error {
	next = next.settle()
	if err := a.limits.check(a.value, next); err != nil {
		return err
	}
	a.value, a.root = next, true
	return nil
}

func (a *applier) add(op Op) *Error {
	if len(op.Path) == 0 {
		return a.keepRoot(op.Value)
	}
	value := op.Value.settle()
	next, path, err := a.put(a.value, op.Path, value, true)
	if err != nil || next == a.value {
		return err
	}
	return a.keep(next, Op{Kind: Add, Path: path, Value: value})
}

func (a *applier) remove(op Op) *Error {
	next, err := a.without(op.Path)
	if err != nil {
		return err
	}
	return a.keep(next, Op{Kind: Remove, Path: op.Path})
}

func (a *applier) replace(op Op) *Error {
	old, err := lookup(a.value, op.Path)
	if err != nil {
		return err
	}
	if len(op.Path) == 0 || !op.Path[len(op.Path)-1].IsIndex() {
		return a.add(op)
	}
	if old.Equal(op.Value) {
		return nil
	}
	value := op.Value.settle()
	next, _ := edit(a.value, op.Path, 0, func(parent Value, last Token) (Value, *Error) {
		return parent.setElement(last.Index, value), nil
	})
	return a.keep(next, Op{Kind: Replace, Path: op.Path, Value: value})
}

func (a *applier) move(op Op) *Error {
	value, err := lookup(a.value, op.From)
	if err != nil {
		return err
	}
	if len(op.From) == 0 {
		if len(op.Path) == 0 {
			return nil
		}
		return failAt(CodePatchFailed, op.From, "a value cannot be moved into itself")
	}
	if len(op.Path) == 0 {
		return a.keepRoot(value)
	}
	if !op.From[len(op.From)-1].IsIndex() && len(op.Path) > len(op.From) && hasPrefix(op.Path, op.From) {
		return failAt(CodePatchFailed, op.From, "a value cannot be moved into itself")
	}
	rest, err := a.without(op.From)
	if err != nil {
		return err
	}
	next, path, err := a.put(rest, op.Path, value, false)
	if err != nil || (len(path) == len(op.From) && hasPrefix(path, op.From)) {
		return err
	}
	return a.keep(next, Op{Kind: Move, From: op.From, Path: path})
}

func (a *applier) copy(op Op) *Error {
	value, err := lookup(a.value, op.From)
	if err != nil {
		return err
	}
	if len(op.Path) == 0 {
		return a.keepRoot(value)
	}
	next, path, err := a.put(a.value, op.Path, value, value.Size() <= compareCopies)
	if err != nil || next == a.value {
		return err
	}
	return a.keep(next, Op{Kind: Copy, From: op.From, Path: path})
}

func (a *applier) test(op Op) *Error {
	got, err := lookup(a.value, op.Path)
	if err != nil {
		return err
	}
	if !got.Equal(op.Value) {
		return failAt(CodeTestFailed, op.Path, "the value is "+brief(got)+", and not "+brief(op.Value))
	}
	return nil
}

func (a *applier) increment(op Op) *Error {
	old, err := lookup(a.value, op.Path)
	switch {
	case err != nil:
		return err
	case op.Value.Kind() != Number:
		return failAt(CodeInvalidPatch, op.Path, "increment needs a number, and its value is "+article(op.Value.Kind()))
	case old.Kind() != Number:
		return failAt(CodePatchFailed, op.Path, "increment needs a number, and finds "+article(old.Kind()))
	}
	sum := old.Number() + op.Value.Number()
	if !safeNumber(sum) {
		return failAt(CodeNumberOutOfRange, op.Path, "the sum is beyond what a double holds exactly")
	}
	value := newText(string(appendNumber(nil, sum)), 0)
	if value.Equal(old) {
		return nil
	}
	next := value
	if len(op.Path) > 0 {
		next, _ = edit(a.value, op.Path, 0, func(parent Value, last Token) (Value, *Error) {
			return parent.put(last, value), nil
		})
	}
	return a.keep(next, Op{Kind: Increment, Path: op.Path, Value: op.Value.owned()})
}

// compareCopies is the size in bytes above which a copy onto an equal member is no longer found to be without effect.
// Comparing costs the size of the value, which for other operations is no more than their own.
const compareCopies = 1 << 10

// put returns v with value added at the path, which is not empty, and the path without "-". With compare, it returns v
// itself when a member was equal already.
func (a *applier) put(v Value, path Path, value Value, compare bool) (next Value, normalized Path, err *Error) {
	normalized = path
	next, err = edit(v, path, 0, func(parent Value, last Token) (Value, *Error) {
		if parent.Kind() == Array && last == Key("-") {
			last = Elem(parent.Len())
			normalized = append(path[:len(path)-1:len(path)-1], last)
		}
		if err := a.checkTarget(parent, last); err != nil {
			return Value{}, err
		}
		if last.IsIndex() {
			return parent.insertElement(last.Index, value), nil
		}
		if compare && parent.Get(last.Name).Equal(value) {
			return parent, nil
		}
		return parent.setMember(last.Name, value), nil
	})
	return next, normalized, err
}

// checkTarget refuses a token that cannot be added to parent.
func (a *applier) checkTarget(parent Value, last Token) *Error {
	switch {
	case last.IsIndex() != (parent.Kind() == Array) || parent.Kind() < Array:
		return misfit(parent, last)
	case last.IsIndex():
		if last.Index < 0 || last.Index > parent.Len() {
			return missing(parent, last)
		}
		return nil
	case !utf8.ValidString(last.Name):
		return fail(CodeInvalidUnicode, "a key is not valid UTF-8")
	}
	return checkKey(last.Name, a.limits.KeyBytes)
}

// without returns the value without what is at the path.
func (a *applier) without(path Path) (Value, *Error) {
	if len(path) == 0 {
		return Value{}, fail(CodePatchFailed, "the root cannot be removed")
	}
	return edit(a.value, path, 0, func(parent Value, last Token) (Value, *Error) {
		if _, err := step(parent, last); err != nil {
			return Value{}, err
		}
		if last.IsIndex() {
			return parent.removeElement(last.Index), nil
		}
		return parent.removeMember(last.Name), nil
	})
}

// edit returns v with the container of path's last token replaced by what change makes of it; v itself when change
// returns what it was given. i tokens of the path lead to v.
func edit(v Value, path Path, i int, change func(parent Value, last Token) (Value, *Error)) (Value, *Error) {
	if i == len(path)-1 {
		next, err := change(v, path[i])
		if err != nil {
			err.Path = path.String()
		}
		return next, err
	}
	child, err := step(v, path[i])
	if err != nil {
		err.Path = path[:i+1].String()
		return Value{}, err
	}
	next, err := edit(child, path, i+1, change)
	if err != nil || next == child {
		return v, err
	}
	return v.put(path[i], next), nil
}

// put returns the container with another value at a token that is there.
func (v Value) put(token Token, value Value) Value {
	if token.IsIndex() {
		return v.setElement(token.Index, value)
	}
	return v.setMember(token.Name, value)
}

// lookup returns the value at a path, or says where the path ends.
func lookup(v Value, path Path) (Value, *Error) {
	if !v.Exists() {
		return v, fail(CodePathNotFound, "there is no value")
	}
	for i, token := range path {
		next, err := step(v, token)
		if err != nil {
			err.Path = path[:i+1].String()
			return Value{}, err
		}
		v = next
	}
	return v, nil
}

// step returns the value at one token.
func step(v Value, token Token) (Value, *Error) {
	if token.IsIndex() != (v.Kind() == Array) || v.Kind() < Array {
		return Value{}, misfit(v, token)
	}
	next := v.Lookup(Path{token})
	if !next.Exists() {
		return Value{}, missing(v, token)
	}
	return next, nil
}

// misfit is the refusal of a token that does not go with the value's kind.
func misfit(v Value, token Token) *Error {
	switch v.Kind() {
	case Absent:
		return fail(CodePathNotFound, "there is no value")
	case Array:
		return fail(CodePatchFailed, quote(token.Name)+" is no index of an array")
	case Object:
		return fail(CodePatchFailed, "an object has no index "+token.String())
	}
	return fail(CodePathNotFound, article(v.Kind())+" has nothing in it: it is neither an array nor an object")
}

// missing is the refusal of a token that is not there.
func missing(v Value, token Token) *Error {
	if token.IsIndex() {
		return fail(CodePathNotFound, "the array has "+strconv.Itoa(v.Len())+" elements, and no index "+token.String())
	}
	return fail(CodePathNotFound, "the object has no member "+quote(token.Name))
}

func hasPrefix(path, prefix Path) bool {
	if len(path) < len(prefix) {
		return false
	}
	for i, token := range prefix {
		if path[i] != token {
			return false
		}
	}
	return true
}
