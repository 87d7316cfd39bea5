package protocol

import (
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
)

// AppendOps appends operations as the wire writes them: [["add",["a",0],1],["remove",["b"]]]. An absent value is written
// as null.
func AppendOps(dst []byte, ops []document.Op) []byte {
	dst = append(dst, '[')
	for i := range ops {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendOp(dst, &ops[i])
	}
	return append(dst, ']')
}

func appendOp(dst []byte, op *document.Op) []byte {
	dst = append(append(dst, `["`...), op.Kind.String()...)
	dst = append(dst, '"')
	if op.Kind.HasFrom() {
		dst = appendPath(append(dst, ','), op.From)
	}
	dst = appendPath(append(dst, ','), op.Path)
	if op.Kind.HasValue() {
		dst = appendValue(append(dst, ','), op.Value, `null`)
	}
	return append(dst, ']')
}

func appendPath(dst []byte, path document.Path) []byte {
	dst = append(dst, '[')
	for i, token := range path {
		if i > 0 {
			dst = append(dst, ',')
		}
		if token.IsIndex() {
			dst = strconv.AppendInt(dst, int64(token.Index), 10)
		} else {
			dst = appendText(dst, token.Name)
		}
	}
	return append(dst, ']')
}

// DecodeOps reads operations as AppendOps writes them. Zero limits mean those of DecodeClient. The error is an *Error;
// CodeInvalidJSON for text that is not JSON.
func DecodeOps(text []byte, limits Limits) ([]document.Op, error) {
	limits = limits.fill(defaultClientLimits())
	if len(text) > limits.Bytes {
		return nil, &Error{CodeTooLarge, "the operations have " + strconv.Itoa(len(text)) + " bytes, and " +
			strconv.Itoa(limits.Bytes) + " are allowed"}
	}
	r := &reader{limits: limits}
	r.reset(text)
	ops, fault := r.opList()
	r.finish()
	switch {
	case r.err != nil:
		return nil, &Error{CodeInvalidJSON, r.err.Reason}
	case fault != nil:
		return nil, fault
	}
	return ops, nil
}

// ops reads an element that is an array of operations. What is wrong with it is a fault of the change.
func (r *reader) ops() ([]document.Op, *Error) {
	if !r.advance() {
		return nil, nil
	}
	return r.opList()
}

func (r *reader) opList() ([]document.Op, *Error) {
	if r.json.Kind() != '[' {
		return nil, &Error{CodeInvalidPatch, r.expected("an array of operations", r.raw())}
	}
	depth := r.json.Depth()
	r.delimiter()
	ops := []document.Op{}
	for r.more() {
		op, fault := r.op(len(ops))
		if fault != nil {
			r.skipTo(depth)
			return nil, fault
		}
		ops = append(grow(ops), op)
	}
	r.delimiter()
	return ops, nil
}

// op reads operation i, counted from 0.
func (r *reader) op(i int) (document.Op, *Error) {
	if i >= r.limits.Operations {
		return document.Op{}, &Error{CodeTooManyOperations, "the change has more than " + plural(r.limits.Operations, "operation")}
	}
	op, fault := r.opElements()
	if fault != nil {
		fault.Reason = "operation " + strconv.Itoa(i) + ": " + fault.Reason
	}
	return op, fault
}

// invalid is a fault in the form of an operation, which op completes with its number.
//
//go:noinline
func invalid(reason string) *Error { return &Error{CodeInvalidPatch, reason} }

func (r *reader) opElements() (op document.Op, fault *Error) {
	if r.json.Kind() != '[' {
		return op, invalid("an operation must be an array, not " + excerpt(r.raw()))
	}
	r.delimiter()
	if op.Kind, fault = r.opKind(); fault != nil {
		return op, fault
	}
	if op.Kind.HasFrom() {
		if op.From, fault = r.path(); fault != nil {
			return op, fault
		}
	}
	if op.Path, fault = r.path(); fault != nil {
		return op, fault
	}
	if op.Kind.HasValue() {
		if op.Value, fault = r.opValue(op.Kind); fault != nil {
			return op, fault
		}
	}
	if r.more() {
		return op, invalid("it has more elements than " + op.Kind.String() + " takes")
	}
	r.delimiter()
	return op, nil
}

func (r *reader) opKind() (document.OpKind, *Error) {
	if !r.more() {
		return 0, invalid("it is empty")
	}
	raw := r.raw()
	if text, ok := unquote(raw); ok {
		if kind, ok := document.ParseOpKind(string(text)); ok {
			return kind, nil
		}
	}
	return 0, invalid(excerpt(raw) + " is no kind of operation")
}

// opValue reads the last element of an operation that has a value.
func (r *reader) opValue(kind document.OpKind) (document.Value, *Error) {
	if !r.more() {
		return document.Value{}, invalid("it has no value")
	}
	if kind != document.Increment {
		if v, ok := r.canonical(); ok {
			return v, nil
		}
	}
	raw := r.raw()
	if r.err != nil {
		return document.Value{}, nil
	}
	if kind == document.Increment && raw.Kind() != '0' {
		return document.Value{}, invalid("an increment must be by a number, not by " + excerpt(raw))
	}
	return r.value(raw)
}

// path reads a path. It may not be longer than values may be deep.
func (r *reader) path() (document.Path, *Error) {
	if !r.more() || r.json.Kind() != '[' {
		return nil, invalid("a path must be an array of names and indexes")
	}
	r.delimiter()
	start := len(r.tokens)
	for r.more() {
		if len(r.tokens)-start == r.limits.Depth {
			return nil, &Error{CodeTooDeep, "a path has more than " + plural(r.limits.Depth, "token")}
		}
		token, fault := r.token()
		if fault != nil {
			return nil, fault
		}
		start = r.keep(token, start)
	}
	r.delimiter()
	return document.Path(r.tokens[start:len(r.tokens):len(r.tokens)]), nil
}

// keep appends a token of the path that began at start, and returns where it begins now. All paths of a frame share
// few arrays, which grow with their number; a path never lies in two.
func (r *reader) keep(token document.Token, start int) int {
	if len(r.tokens) < cap(r.tokens) {
		r.tokens = append(r.tokens, token)
		return start
	}
	begun := r.tokens[start:]
	r.tokens = make([]document.Token, 0, max(4, min(2*cap(r.tokens), 256), 2*len(begun)))
	r.tokens = append(append(r.tokens, begun...), token)
	return 0
}

func (r *reader) token() (document.Token, *Error) {
	raw := r.raw()
	switch {
	case r.err != nil:
		return document.Token{}, nil
	case raw.Kind() != '0':
		name, fault := r.name(raw)
		return document.Key(name), fault
	}
	index, ok := parseInteger(raw)
	if !ok || index > MaxIndex {
		return document.Token{}, invalid("an index must be an integer from 0 to " + strconv.Itoa(MaxIndex) + ", not " + excerpt(raw))
	}
	return document.Elem(int(index)), nil
}
