package protocol

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
)

// reader reads the elements of a message one after another. The first thing that is wrong with the envelope stays in
// err; every later read returns zero and does nothing.
type reader struct {
	limits  Limits
	line    []byte
	json    jsonscan.Scanner
	kind    *kind // nil before the tag was read
	element int   // of the element read last; the tag is 0
	err     *Error
	tokens  []document.Token // see keep
}

func (r *reader) reset(line []byte) {
	r.line, r.kind, r.element = line, nil, 0
	r.json.Reset(line, MaxNesting)
}

// bad ends the decoding. The first reason stays.
//
//go:noinline
func (r *reader) bad(reason string) {
	if r.err != nil {
		return
	}
	if r.kind != nil {
		reason = r.kind.name + ": " + reason
	}
	r.err = &Error{CodeBadMessage, reason}
}

// check passes on whether reading went well, and ends the decoding if it did not.
func (r *reader) check(err *jsonscan.Error) bool {
	if err == nil {
		return r.err == nil
	}
	if levels(r.line[:err.At]) >= MaxNesting {
		r.bad("the text nests deeper than " + strconv.Itoa(MaxNesting) + " levels")
	} else {
		r.bad("the text is not JSON from byte " + strconv.Itoa(err.At) + " on")
	}
	return false
}

// levels returns how many arrays and objects are open at the end of text, which is the beginning of a JSON text.
func levels(text []byte) (n int) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			n++
		case c == ']' || c == '}':
			n--
		}
	}
	return n
}

// raw reads a value whole. The slice refers to the frame.
func (r *reader) raw() jsonscan.Value {
	raw, err := r.json.Value()
	if !r.check(err) {
		return nil
	}
	return raw
}

// delimiter reads the beginning or the end of an array, which was peeked at.
func (r *reader) delimiter() {
	r.check(r.json.Bracket())
}

// tag reads the beginning of a message.
func (r *reader) tag() tag {
	if len(r.line) == 0 {
		r.bad("a message is empty")
		return 0
	}
	if r.json.Kind() != '[' {
		if raw := r.raw(); raw != nil {
			r.bad("a message must be an array that begins with its tag, not " + excerpt(raw))
		}
		return 0
	}
	r.delimiter()
	if r.json.Kind() == ']' {
		r.bad("a message must begin with its tag, and this one is an empty array")
		return 0
	}
	raw := r.raw()
	if text, ok := unquote(raw); ok {
		for i := range kinds {
			if kinds[i].name == string(text) {
				r.kind = &kinds[i]
				return tag(i)
			}
		}
	}
	r.bad(excerpt(raw) + " is not the tag of a message")
	return 0
}

// next reads the next element whole; nil if there is none.
func (r *reader) next() jsonscan.Value {
	if !r.advance() {
		return nil
	}
	return r.raw()
}

// advance moves on to the next element, which must be there.
func (r *reader) advance() bool {
	if r.err != nil {
		return false
	}
	if r.json.Kind() == ']' {
		r.bad("the message ends after " + plural(r.element, "element") + ", and it takes " + r.kind.describe())
		return false
	}
	r.element++
	return true
}

// more reports whether another element follows.
func (r *reader) more() bool { return r.err == nil && r.json.Kind() != ']' }

// end reads the end of the message.
func (r *reader) end() {
	if r.err != nil {
		return
	}
	if r.more() {
		if raw := r.raw(); raw != nil {
			r.bad("the message goes on after " + plural(r.element, "element") + ", and it takes " + r.kind.describe())
		}
		return
	}
	r.delimiter()
	r.finish()
}

// finish reads the end of the text, where nothing but white space may be left.
func (r *reader) finish() {
	if r.err != nil {
		return
	}
	if !r.json.Ended() {
		r.bad("more text follows at byte " + strconv.Itoa(r.json.At()))
	}
}

// expected phrases what the element read last must be.
func (r *reader) expected(what string, raw jsonscan.Value) string {
	return r.where() + " must be " + what + ", not " + excerpt(raw)
}

// where names the element read last, such as "number (element 2)".
func (r *reader) where() string {
	if r.kind == nil {
		return "the text"
	}
	names := r.kind.elements()
	return names[min(r.element, len(names))-1] + " (element " + strconv.Itoa(r.element) + ")"
}

// integer reads an integer from least to most, written with digits alone.
func (r *reader) integer(least, most uint64) uint64 {
	raw := r.next()
	if raw == nil {
		return 0
	}
	n, ok := parseInteger(raw)
	if !ok || n < least || n > most {
		r.bad(r.expected("an integer from "+strconv.FormatUint(least, 10)+" to "+strconv.FormatUint(most, 10), raw))
		return 0
	}
	return n
}

// parseInteger reads a JSON number that has digits alone and is at most MaxInteger.
func parseInteger(raw jsonscan.Value) (n uint64, ok bool) {
	if len(raw) > 16 {
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, n <= MaxInteger
}

func (r *reader) state() uint32           { return uint32(r.integer(1, MaxStateNumber)) }
func (r *reader) number() uint64          { return r.integer(1, MaxInteger) }
func (r *reader) version() uint64         { return r.integer(0, MaxInteger) }
func (r *reader) acceptedVersion() uint64 { return r.integer(1, MaxInteger) }
func (r *reader) code() Code              { return Code(r.integer(4000, 4999)) }

// text reads a string of valid Unicode. what says what it must be.
func (r *reader) text(what string, valid func(string) bool) string {
	raw := r.next()
	if raw == nil {
		return ""
	}
	if text, ok := unquote(raw); ok && valid(string(text)) {
		return string(text)
	}
	r.bad(r.expected(what, raw))
	return ""
}

// session reads a secret, so its errors do not show it.
func (r *reader) session() string {
	raw := r.next()
	if raw == nil {
		return ""
	}
	text, ok := unquote(raw)
	if !ok || !validSession(string(text)) {
		r.bad(r.where() + " must be " + sessionRule)
		return ""
	}
	return string(text)
}

func (r *reader) clientIdentifier() string { return r.text(identifierRule, validIdentifier) }
func (r *reader) epoch() string            { return r.text(epochRule, validEpoch) }
func (r *reader) durability() string       { return r.text(epochRule, validEpoch) }
func (r *reader) reason() string           { return r.text(reasonRule, validReason) }

// identifier reads the identifier of a state. One that breaks the rule is a fault of the join alone.
func (r *reader) identifier() (string, *Error) {
	raw := r.next()
	if raw == nil {
		return "", nil
	}
	if raw.Kind() != '"' {
		r.bad(r.expected("a string", raw))
		return "", nil
	}
	if text, ok := unquote(raw); ok && validIdentifier(string(text)) {
		return string(text), nil
	}
	return "", &Error{CodeIdentifierInvalid, r.expected(identifierRule, raw)}
}

// object reads an object. What is wrong with it is a fault of the change.
func (r *reader) object() (document.Value, *Error) {
	if !r.advance() {
		return document.Value{}, nil
	}
	if r.json.Kind() == '{' {
		if v, ok := r.canonical(); ok {
			return v, nil
		}
	}
	raw := r.raw()
	if raw == nil {
		return document.Value{}, nil
	}
	if raw.Kind() != '{' {
		return document.Value{}, &Error{CodeInvalidPatch, r.expected("an object", raw)}
	}
	v, fault := r.value(raw)
	if fault != nil {
		fault.Reason = r.where() + ": " + fault.Reason
	}
	return v, fault
}

// canonical reads the next value if it is canonical: then one pass over its text does all.
func (r *reader) canonical() (document.Value, bool) {
	rest := r.json.Rest()
	v, length := document.ParseFirst(rest, r.limits.document(), r.limits.Keep)
	if length == 0 {
		return v, false
	}
	r.json.Pass(rest[length:])
	return v, true
}

// value parses raw. The caller adds to a fault where it is.
func (r *reader) value(raw jsonscan.Value) (document.Value, *Error) {
	v, err := document.Parse(raw, r.limits.document())
	if err == nil {
		return v, nil
	}
	fault, ok := errors.AsType[*document.Error](err)
	if !ok {
		return v, &Error{CodeInvalidPatch, err.Error()}
	}
	reason := fault.Reason
	if fault.Path != "" {
		reason += " (at " + strings.ToValidUTF8(fault.Path, "\uFFFD") + ")"
	}
	return v, &Error{CodeOf(fault.Code), reason}
}

// names reads an array of member names.
func (r *reader) names() ([]string, *Error) {
	if !r.advance() {
		return nil, nil
	}
	if r.json.Kind() != '[' {
		return nil, &Error{CodeInvalidPatch, r.expected("an array of strings", r.raw())}
	}
	depth := r.json.Depth()
	r.delimiter()
	names := []string{}
	for r.more() {
		name, fault := r.name(r.raw())
		if fault != nil {
			fault.Reason = r.where() + ": " + fault.Reason
			r.skipTo(depth)
			return nil, fault
		}
		names = append(grow(names), name)
	}
	r.delimiter()
	return names, nil
}

// epochIn reads a member name. The caller adds to a fault where it is.
func (r *reader) name(raw jsonscan.Value) (string, *Error) {
	if r.err != nil {
		return "", nil
	}
	text, ok := unquote(raw)
	switch {
	case raw.Kind() != '"':
		return "", &Error{CodeInvalidPatch, "a name must be a string, not " + excerpt(raw)}
	case !ok:
		return "", &Error{CodeInvalidUnicode, "the name " + excerpt(raw) + " has invalid UTF-8 or a lone surrogate"}
	case len(text) > r.limits.KeyBytes:
		return "", &Error{CodeKeyTooLong, "a name has " + strconv.Itoa(len(text)) + " bytes, and " +
			strconv.Itoa(r.limits.KeyBytes) + " are allowed"}
	case string(text) == reservedKey:
		return "", &Error{CodeReservedKey, "the name " + reservedKey + " is reserved"}
	}
	return string(text), nil
}

// reservedKey is the one key that no value may have.
const reservedKey = "__proto__"

// reads reads the properties that a transaction read, or null for all.
func (r *reader) reads() (names []string, all bool, fault *Error) {
	if r.more() && r.json.Kind() == 'n' {
		r.next()
		return nil, true, nil
	}
	names, fault = r.names()
	return names, false, fault
}

// skipTo reads on to the end of the array at the given depth.
func (r *reader) skipTo(depth int) {
	for r.err == nil && r.json.Depth() > depth {
		if r.json.Kind() == ']' {
			r.delimiter()
		} else {
			r.raw()
		}
	}
}

// must ends the decoding on a fault: a server has no excuse for one.
func must[T any](r *reader, v T, fault *Error) T {
	if fault != nil {
		r.bad(fault.Reason)
	}
	return v
}

func (r *reader) mustObject() document.Value {
	v, fault := r.object()
	return must(r, v, fault)
}

func (r *reader) mustNames() []string {
	names, fault := r.names()
	return must(r, names, fault)
}

func (r *reader) mustOps() []document.Op {
	ops, fault := r.ops()
	return must(r, ops, fault)
}

// count reads a member of hello's extensions, 0 when it is not there. Members that are not known are ignored.
func (r *reader) count(extensions document.Value, name string) uint64 {
	value := extensions.Get(name)
	if r.err != nil || !value.Exists() {
		return 0
	}
	f := value.Number()
	if f < 1 || f > MaxInteger || f != float64(uint64(f)) {
		r.bad(r.where() + ": " + name + " must be an integer from 1 to 9007199254740991")
		return 0
	}
	return uint64(f)
}

// epochIn reads a member of hello's extensions that is an epoch, "" when it is not there.
func (r *reader) epochIn(extensions document.Value, name string) string {
	value := extensions.Get(name)
	if r.err != nil || !value.Exists() {
		return ""
	}
	if value.Kind() != document.String || !validEpoch(value.Text()) {
		r.bad(r.where() + ": " + name + " must be " + epochRule)
		return ""
	}
	return value.Text()
}

// setting reads a member of welcome's settings.
func (r *reader) setting(settings document.Value, name string) uint32 {
	if r.err != nil {
		return 0
	}
	f := settings.Get(name).Number()
	if f < 1 || f > 1<<32-1 || f != float64(uint32(f)) {
		r.bad(r.where() + ": " + name + " must be an integer from 1 to 4294967295")
		return 0
	}
	return uint32(f)
}

// unquote returns the text of a JSON string; not ok if raw is no string, or has invalid UTF-8 or a lone surrogate. The
// slice may refer to raw.
func unquote(raw jsonscan.Value) (text []byte, ok bool) {
	if raw.Kind() != '"' {
		return nil, false
	}
	return jsonscan.Unquote(raw)
}

// excerpt shows the beginning of a value in an error.
func excerpt(raw jsonscan.Value) string {
	const most = 40
	switch {
	case raw.Kind() == '[':
		return "an array"
	case raw.Kind() == '{':
		return "an object"
	case len(raw) <= most:
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return strings.ToValidUTF8(string(raw[:most]), "") + "..."
}

// grow doubles a slice that is full. Beyond some size append grows by less, and leaves more garbage behind in all.
func grow[T any](s []T) []T {
	if len(s) < cap(s) {
		return s
	}
	return slices.Grow(s, max(1, len(s)))
}

// plural writes "1 element" or "2 elements".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
