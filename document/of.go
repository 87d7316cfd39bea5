package document

import (
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Of returns the value of a Go value: nil, bool, string, the integers and floats, Value, slices of any, Value, string,
// bool, int, int64 and float64, maps from string to any, Value and string, and what has the method MarshalJSON, such
// as json.RawMessage. It refuses, with an *Error, what Parse would
// refuse of the same JSON text under the default limits, absent values within others, and other types; the size is not
// limited.
func Of(v any) (Value, error) {
	b := builder{limits: DefaultLimits}
	if err := b.value(v, 0); err != nil {
		return Value{}, err
	}
	return newText(string(b.out), b.depth), nil
}

// MustOf is Of for values that are known to be valid, in tests and literals. It panics where Of returns an error.
func MustOf(v any) Value {
	value, err := Of(v)
	if err != nil {
		panic(err)
	}
	return value
}

// Any returns the value in plain Go types: nil for null and for an absent value, bool, float64, string, []any and
// map[string]any.
func (v Value) Any() any {
	switch v.Kind() {
	case Bool:
		return v.Bool()
	case Number:
		return v.Number()
	case String:
		return v.Text()
	case Array:
		items := make([]any, 0, v.Len())
		for _, element := range v.Elements() {
			items = append(items, element.Any())
		}
		return items
	case Object:
		items := make(map[string]any, v.Len())
		for key, member := range v.Members() {
			items[key] = member.Any()
		}
		return items
	default:
		return nil
	}
}

// MarshalJSON returns the canonical text, and null for an absent value. The error is always nil.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.Exists() {
		return []byte("null"), nil
	}
	return v.AppendJSON(nil), nil
}

// UnmarshalJSON sets v to what Parse returns for the text under the limits of a state.
func (v *Value) UnmarshalJSON(text []byte) error {
	value, err := Parse(text, Limits(DefaultStateLimits))
	if err == nil {
		*v = value
	}
	return err
}

// builder writes the canonical text of Go values.
type builder struct {
	out    []byte
	limits Limits
	depth  int // deepest level so far
}

// value writes a Go value within level containers.
func (b *builder) value(v any, level int) *Error {
	switch v := v.(type) {
	case nil:
		b.out = append(b.out, "null"...)
	case bool:
		b.out = strconv.AppendBool(b.out, v)
	case string:
		return b.str(v)
	case Value:
		return b.document(v, level)
	case interface{ MarshalJSON() ([]byte, error) }:
		return b.marshaler(v, level)
	default:
		if f, ok := toFloat(v); ok {
			return b.number(f)
		}
		return b.composite(v, level)
	}
	return nil
}

// composite writes a slice or a map.
func (b *builder) composite(v any, level int) *Error {
	switch v := v.(type) {
	case []any:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []Value:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []string:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []bool:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []int:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []int64:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []float64:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case []map[string]any:
		return b.array(len(v), func(i int) any { return v[i] }, level+1)
	case map[string]any:
		return b.object(keysOf(v), func(key string) any { return v[key] }, level+1)
	case map[string]Value:
		return b.object(keysOf(v), func(key string) any { return v[key] }, level+1)
	case map[string]string:
		return b.object(keysOf(v), func(key string) any { return v[key] }, level+1)
	}
	return fail(CodeInvalidJSON, "a Go value is of a type that has no JSON form here")
}

// toFloat returns the double of a Go number. An integer that is not exactly a double is beyond maxSafe, and so is its
// double: number refuses it.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (b *builder) number(f float64) *Error {
	if !safeNumber(f) {
		literal := strconv.FormatFloat(f, 'g', -1, 64)
		return fail(CodeNumberOutOfRange, "the number "+literal+" is beyond what a double holds exactly")
	}
	b.out = appendNumber(b.out, f)
	return nil
}

func (b *builder) str(s string) *Error {
	if !utf8.ValidString(s) {
		return fail(CodeInvalidUnicode, "a string is not valid UTF-8")
	}
	b.out = appendQuoted(b.out, s)
	return nil
}

func (b *builder) document(v Value, level int) *Error {
	if !v.Exists() {
		return fail(CodeInvalidJSON, "a value is absent")
	}
	if err := b.enter(level + v.Depth()); err != nil {
		return err
	}
	b.out = v.AppendJSON(b.out)
	return nil
}

func (b *builder) marshaler(v interface{ MarshalJSON() ([]byte, error) }, level int) *Error {
	text, err := marshal(v)
	if err != nil {
		return fail(CodeInvalidJSON, "MarshalJSON: "+err.Error())
	}
	value, err := Parse(text, Limits{Bytes: MaxBytes, Depth: b.limits.Depth, KeyBytes: b.limits.KeyBytes})
	if refused, ok := err.(*Error); ok {
		return refused
	}
	return b.document(value, level)
}

var errMarshalPanic = errors.New("it panicked, as methods of a nil pointer do; give nil for null")

// marshal calls the method. A panic in it is an error: values come from everywhere in a program.
func marshal(v interface{ MarshalJSON() ([]byte, error) }) (text []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errMarshalPanic
		}
	}()
	return v.MarshalJSON()
}

// enter notes a level and refuses one that is too deep.
func (b *builder) enter(level int) *Error {
	if level > b.limits.Depth {
		return fail(CodeTooDeep, "there are more than "+strconv.Itoa(b.limits.Depth)+" levels")
	}
	b.depth = max(b.depth, level)
	return nil
}

// array writes n items.
func (b *builder) array(n int, item func(i int) any, level int) *Error {
	if err := b.enter(level); err != nil {
		return err
	}
	b.out = append(b.out, '[')
	for i := range n {
		b.out = appendComma(b.out, i)
		if err := b.value(item(i), level); err != nil {
			return within(err, strconv.Itoa(i))
		}
	}
	b.out = append(b.out, ']')
	return nil
}

// object writes the members with the keys, which it sorts.
func (b *builder) object(keys []string, member func(key string) any, level int) *Error {
	if err := b.enter(level); err != nil {
		return err
	}
	slices.SortFunc(keys, compareKeys[string, string])
	b.out = append(b.out, '{')
	for i, key := range keys {
		if err := checkKey(key, b.limits.KeyBytes); err != nil {
			return err
		}
		b.out = appendComma(b.out, i)
		if err := b.str(key); err != nil {
			return err
		}
		b.out = append(b.out, ':')
		if err := b.value(member(key), level); err != nil {
			return within(err, key)
		}
	}
	b.out = append(b.out, '}')
	return nil
}

func keysOf[T any](items map[string]T) []string {
	keys := make([]string, 0, len(items))
	for key := range items {
		keys = append(keys, key)
	}
	return keys
}
