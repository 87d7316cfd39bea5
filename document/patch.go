package document

import "strconv"

// PatchOp is an operation as people write it: JSON Patch (RFC 6902 section 4) with JSON Pointers, and increment. From
// is used by Move and Copy; Value by Add, Replace and Test, and by Increment, where it is a number.
type PatchOp struct {
	Kind  OpKind
	From  string
	Path  string
	Value Value
}

// ParsePatch reads a JSON Patch text (RFC 6902 section 3). Members that an operation does not define are ignored, as the
// RFC asks. A text that Parse refuses is refused with the same *Error; a wrong form with CodeInvalidPatch. The levels of
// l are those of a value: the array of the patch and the object of an operation do not count.
func ParsePatch(text []byte, l Limits) ([]PatchOp, error) {
	l = l.withDefaults()
	l.Depth += 2
	document, err := Parse(text, l)
	if err != nil {
		return nil, err
	}
	if document.Kind() != Array {
		return nil, fail(CodeInvalidPatch, "a patch is an array of operations, and this is "+article(document.Kind()))
	}
	var patch []PatchOp
	for i, element := range document.Elements() {
		op, err := parsePatchOp(element)
		if err != nil {
			return nil, within(err, strconv.Itoa(i))
		}
		patch = append(patch, op)
	}
	return patch, nil
}

func parsePatchOp(v Value) (PatchOp, *Error) {
	if v.Kind() != Object {
		return PatchOp{}, fail(CodeInvalidPatch, "an operation is an object, and this is "+article(v.Kind()))
	}
	name, err := textMember(v, "op")
	if err != nil {
		return PatchOp{}, err
	}
	kind, ok := ParseOpKind(name)
	if !ok {
		return PatchOp{}, fail(CodeInvalidPatch, "there is no operation "+quote(name))
	}
	op := PatchOp{Kind: kind}
	if op.Path, err = pointerMember(v, "path"); err != nil {
		return PatchOp{}, err
	}
	if kind.HasFrom() {
		if op.From, err = pointerMember(v, "from"); err != nil {
			return PatchOp{}, err
		}
	}
	if kind.HasValue() {
		op.Value = v.Get("value")
	}
	return op, op.check()
}

// check refuses an operation without its value.
func (op PatchOp) check() *Error {
	switch {
	case op.Kind < Add || op.Kind > Increment:
		return fail(CodeInvalidPatch, "an operation is of no kind")
	case op.Kind.HasValue() && !op.Value.Exists():
		return fail(CodeInvalidPatch, op.Kind.String()+" needs a value")
	case op.Kind == Increment && op.Value.Kind() != Number:
		return fail(CodeInvalidPatch, "increment needs a number, and its value is "+article(op.Value.Kind()))
	}
	return nil
}

func textMember(v Value, key string) (string, *Error) {
	member := v.Get(key)
	if member.Kind() != String {
		return "", fail(CodeInvalidPatch, "an operation needs the string "+strconv.Quote(key))
	}
	return member.Text(), nil
}

func pointerMember(v Value, key string) (string, *Error) {
	pointer, err := textMember(v, key)
	if err != nil {
		return "", err
	}
	_, err = parsePointer(pointer)
	return pointer, err
}

// Resolve returns the patch with typed paths: it decides by base, as the patch changes it, which tokens are indexes.
// "-" on an array stays a name, so that appending never depends on a version, unless another token of the patch is an
// index: then it becomes the index of the array's end, because positions of one patch are carried together. A patch
// that fails on base is refused with the *Error of Apply, and so is a move into the moved value's own child, which RFC
// 6902 section 4.4 decides by the pointers.
func Resolve(base Value, patch []PatchOp) ([]Op, error) {
	a := newApplier(base, len(patch), NoLimits)
	ops := make([]Op, 0, len(patch))
	ends := make([]int, 0, len(patch)) // what the "-" of each path stands for, or -1
	for _, p := range patch {
		op, end, err := a.resolve(p)
		if err != nil {
			return nil, err
		}
		if err := a.apply(op); err != nil {
			return nil, err
		}
		ops, ends = append(ops, op), append(ends, end)
	}
	if HasIndex(ops) {
		for i, end := range ends {
			if end >= 0 {
				ops[i].Path[len(ops[i].Path)-1] = Elem(end)
			}
		}
	}
	return ops, nil
}

// resolve types the paths of one operation on the current value.
func (a *applier) resolve(p PatchOp) (op Op, end int, err *Error) {
	if err := p.check(); err != nil {
		return Op{}, -1, err
	}
	op = Op{Kind: p.Kind, Value: p.Value.settle()}
	base := a.value
	if p.Kind.HasFrom() {
		if op.From, _, err = typePath(base, p.From); err != nil {
			return Op{}, -1, err
		}
	}
	if p.Kind == Move {
		if len(p.Path) > len(p.From) && p.Path[:len(p.From)] == p.From && p.Path[len(p.From)] == '/' {
			return Op{}, -1, failAt(CodePatchFailed, op.From, "a value cannot be moved into itself")
		}
		if base, err = a.without(op.From); err != nil {
			return Op{}, -1, err
		}
	}
	op.Path, end, err = typePath(base, p.Path)
	return op, end, err
}
