package document

import (
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/internal/sorting"
)

// Kind is the kind of a Value.
type Kind uint8

// The kinds of value. Absent is the kind of what is not there; the others are those of JSON (RFC 8259 section 3).
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the kind in lower case: "absent", "null", "bool", "number", "string", "array" or "object".
func (k Kind) String() string {
	if k > Object {
		return "unknown"
	}
	return [...]string{"absent", "null", "bool", "number", "string", "array", "object"}[k]
}

// kindOf returns the kind of the value whose canonical text begins with c.
func kindOf(c byte) Kind {
	switch c {
	case 'n':
		return Null
	case 't', 'f':
		return Bool
	case '"':
		return String
	case '[':
		return Array
	case '{':
		return Object
	}
	return Number
}

// Value is an immutable JSON value in canonical form (RFC 8785). The zero Value is absent: it is what reads of
// something that is not there return. Values may be read by several goroutines, and copied. Compare them with Equal: ==
// finds out at once whether they are the same version, and says no to equal values that were made apart.
type Value struct{ n *node }

// EmptyObject is the object without members.
var EmptyObject = newText("{}", 1)

// Exists reports whether the value is there, that is, of any kind but Absent.
func (v Value) Exists() bool { return v.n != nil }

// Kind returns the value's kind.
func (v Value) Kind() Kind {
	if v.n == nil {
		return Absent
	}
	return v.n.kind
}

// Len returns the number of elements of an array or of members of an object, and 0 for other kinds. It takes
// constant time in a value that was written to, and one scan of the text in one that was only parsed.
func (v Value) Len() int {
	count := 0
	switch {
	case v.Kind() < Array:
	case v.n.text == "":
		return v.n.elements.count() + v.n.members.count()
	case v.n.kind == Array:
		scanElements(v.n.text, 1, func(string, int) bool { count++; return true })
	default:
		scanMembers(v.n.text, func(_, _ string, _ int) bool { count++; return true })
	}
	return count
}

// Get returns the member of an object with the key; absent when there is none or when v is no object. The cost is
// that of Len, or logarithmic where Len's is constant.
func (v Value) Get(key string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	if v.n.text == "" {
		if i, found := find(v.n.members, key); found {
			return v.n.members.at(i).value
		}
		return Value{}
	}
	var got Value
	scanMembers(v.n.text, func(escaped, text string, depth int) bool {
		order := compareKeys(unescape(escaped), key)
		if order == 0 {
			got = borrow(text, depth)
		}
		return order < 0
	})
	return got
}

// Index returns element i of an array; absent when there is none or when v is no array. The cost is that of Get.
func (v Value) Index(i int) Value {
	if v.Kind() != Array || i < 0 {
		return Value{}
	}
	if v.n.text == "" {
		if i < v.n.elements.count() {
			return v.n.elements.at(i)
		}
		return Value{}
	}
	var got Value
	scanElements(v.n.text, 1, func(text string, depth int) bool {
		if i == 0 {
			got = borrow(text, depth)
		}
		i--
		return i >= 0
	})
	return got
}

// Members iterates over the members of an object by key, in the order of UTF-16 code units (RFC 8785 section 3.2.3).
// For other kinds there are none.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		switch {
		case v.Kind() != Object:
		case v.n.text == "":
			v.n.members.all()(func(_ int, m member) bool { return yield(m.key, m.value) })
		default:
			scanMembers(v.n.text, func(key, text string, depth int) bool {
				return yield(unescape(key), borrow(text, depth))
			})
		}
	}
}

// Elements iterates over the elements of an array with their indexes. For other kinds there are none.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		switch {
		case v.Kind() != Array:
		case v.n.text == "":
			v.n.elements.all()(yield)
		default:
			i := -1
			scanElements(v.n.text, 1, func(text string, depth int) bool {
				i++
				return yield(i, borrow(text, depth))
			})
		}
	}
}

// Bool returns whether the value is true; false for other kinds.
func (v Value) Bool() bool { return v.Kind() == Bool && v.n.text == "true" }

// Number returns the number; 0 for other kinds.
func (v Value) Number() float64 {
	if v.Kind() != Number {
		return 0
	}
	f, _ := strconv.ParseFloat(v.n.text, 64)
	return f
}

// Text returns the string that a value of kind String holds; "" for other kinds. See String for the JSON text.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	return unescape(v.n.text[1 : len(v.n.text)-1])
}

// Size returns the bytes of the canonical text, in constant time; 0 for an absent value.
func (v Value) Size() int {
	switch {
	case v.n == nil:
		return 0
	case v.n.text != "":
		return len(v.n.text)
	case v.n.kind == Array:
		return 2 + v.n.elements.size() + max(0, v.n.elements.count()-1)
	default:
		return 2 + v.n.members.size() + max(0, v.n.members.count()-1)
	}
}

// Depth returns the levels of arrays and objects, in constant time: 0 for a scalar, 1 for [] and for [1].
func (v Value) Depth() int {
	if v.n == nil {
		return 0
	}
	return int(v.n.depth)
}

// AppendJSON appends the canonical text; nothing for an absent value.
func (v Value) AppendJSON(dst []byte) []byte {
	switch {
	case v.n == nil:
		return dst
	case v.n.text != "":
		return append(dst, v.n.text...)
	case v.n.kind == Array:
		dst = append(dst, '[')
		for i, element := range v.n.elements.all() {
			dst = element.AppendJSON(appendComma(dst, i))
		}
		return append(dst, ']')
	default:
		dst = append(dst, '{')
		for i, m := range v.n.members.all() {
			dst = appendQuoted(appendComma(dst, i), m.key)
			dst = m.value.AppendJSON(append(dst, ':'))
		}
		return append(dst, '}')
	}
}

func appendComma(dst []byte, i int) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, ',')
}

// String returns the canonical text; "" for an absent value.
func (v Value) String() string {
	switch {
	case v.n == nil:
		return ""
	case v.n.text != "":
		return v.n.text
	}
	return string(v.AppendJSON(make([]byte, 0, v.Size())))
}

// Expanded returns an equal value in which reads do not scan more than about 1 KiB of text. It costs a pass over the
// text, and is worth it for a value that is read often before it is written to. Writes do it by themselves.
func (v Value) Expanded() Value {
	return v.settle()
}

// Pick returns an object of those members of v that have one of the keys, each of which stands once in keys; EmptyObject
// when there are none.
func (v Value) Pick(keys []string) Value {
	picked := make([]member, 0, len(keys))
	for _, key := range keys {
		if m := v.member(key); m.value.Exists() {
			picked = append(picked, m)
		}
	}
	if len(picked) == 0 {
		return EmptyObject
	}
	sorting.Func(picked, func(a, b member) int { return compareKeys(a.key, b.key) })
	return newObject(newSeq(picked))
}

// member returns a member as an expanded object has it; absent when there is none.
func (v Value) member(key string) member {
	if v.Kind() == Object && v.n.text == "" {
		if i, found := find(v.n.members, key); found {
			return v.n.members.at(i)
		}
		return member{}
	}
	return member{strings.Clone(key), v.Get(key).settle()}
}

// With returns the object with the member key set to value, and v itself stays as it is. An absent v counts as an empty
// object. v is returned unchanged when it is of another kind, when value is absent, or when the key is one that no
// value may have: __proto__, or no valid UTF-8.
func (v Value) With(key string, value Value) Value {
	if !v.Exists() {
		v = EmptyObject
	}
	if v.Kind() != Object || !value.Exists() || key == reservedKey || !utf8.ValidString(key) {
		return v
	}
	return v.setMember(key, value)
}

// Without returns the object without the member key, and v itself stays as it is. It is v where there is no such
// member.
func (v Value) Without(key string) Value {
	if !v.Get(key).Exists() {
		return v
	}
	return v.removeMember(key)
}
