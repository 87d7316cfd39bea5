package document

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestOf(t *testing.T) {
	tests := []struct {
		value any
		want  string
	}{
		{nil, `null`},
		{true, `true`},
		{"a\"\u2028\x00", `"a\"` + "\u2028" + `\u0000"`},
		{int8(-1), `-1`},
		{uint64(maxSafe), `9007199254740991`},
		{int64(-maxSafe), `-9007199254740991`},
		{math.Copysign(0, -1), `0`},
		{1e21, `1e+21`},
		{float32(0.5), `0.5`},
		{[]any{}, `[]`},
		{[]int{2, 1}, `[2,1]`},
		{[]int64{2, 1}, `[2,1]`},
		{[]float64{0.5}, `[0.5]`},
		{[]bool{true}, `[true]`},
		{[]any{int(1), int16(2), int32(3), uint(4), uint8(5), uint16(6), uint32(7)}, `[1,2,3,4,5,6,7]`},
		{map[string]Value{"a": MustOf(nil)}, `{"a":null}`},
		{[]string{"b", "a"}, `["b","a"]`},
		{map[string]string{"ﬃ": "1", "😀": "2", "a": "3"}, `{"a":"3","😀":"2","ﬃ":"1"}`},
		{map[string]any{"a": []any{1, "x", nil}, "b": map[string]any{}}, `{"a":[1,"x",null],"b":{}}`},
		{[]Value{EmptyObject, MustOf(1)}, `[{},1]`},
		{[]map[string]any{{"a": EmptyObject}}, `[{"a":{}}]`},
		{json.RawMessage(` {"b":1,"a":2.0} `), `{"a":2,"b":1}`},
	}
	for _, tt := range tests {
		got, err := Of(tt.value)
		if err != nil || got.String() != tt.want {
			t.Errorf("%v: got %s, %v, want %s", tt.value, got, err, tt.want)
			continue
		}
		checkBookkeeping(t, got)
	}
}

func TestOfRefuses(t *testing.T) {
	deep := any("x")
	for range 65 {
		deep = []any{deep}
	}
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"not a number", math.NaN(), `number_out_of_range: the number NaN is beyond what a double holds exactly`},
		{"infinity", []any{math.Inf(-1)}, `number_out_of_range: the number -Inf is beyond what a double holds exactly (at /0)`},
		{"large integer", int64(maxSafe + 1), `number_out_of_range: the number 9.007199254740992e+15 is beyond what a double holds exactly`},
		{"largest integer", uint64(math.MaxUint64), `number_out_of_range: the number 1.8446744073709552e+19 is beyond what a double holds exactly`},
		{"invalid UTF-8", "\xff", `invalid_unicode: a string is not valid UTF-8`},
		{"key of invalid UTF-8", map[string]any{"\xff": 1}, `invalid_unicode: a string is not valid UTF-8`},
		{"reserved key", map[string]any{"a": map[string]any{"__proto__": 1}}, `reserved_key: the key __proto__ is reserved (at /a)`},
		{"long key", map[string]any{strings.Repeat("k", 769): 1}, `key_too_long: a key has 769 bytes, and 768 are allowed`},
		{"too deep", deep, `too_deep: there are more than 64 levels (at ` + strings.Repeat("/0", 64) + `)`},
		{"absent", Value{}, `invalid_json: a value is absent`},
		{"absent member", map[string]Value{"a": {}}, `invalid_json: a value is absent (at /a)`},
		{"type", struct{}{}, `invalid_json: a Go value is of a type that has no JSON form here`},
		{"marshaler", json.RawMessage(`{`), `invalid_json: MarshalJSON: `},
	}
	for _, tt := range tests {
		v, err := Of(tt.value)
		if err == nil || err.Error() != tt.want && tt.name != "marshaler" || !strings.HasPrefix(err.Error(), tt.want[:12]) {
			t.Errorf("%s: got %v, %v, want %s", tt.name, v, err, tt.want)
		}
	}
}

func TestMustOfPanics(t *testing.T) {
	defer func() {
		if CodeOf(recover().(error)) != CodeNumberOutOfRange {
			t.Error("got another panic")
		}
	}()
	MustOf(math.NaN())
}

func TestReads(t *testing.T) {
	v := MustOf(map[string]any{"n": 1.5, "s": "text", "b": true, "z": nil, "a": []any{1, 2}, "o": map[string]any{"k\n": 1}})
	for _, v := range []Value{v, v.expanded()} {
		if got := v.Get("n").Number(); got != 1.5 {
			t.Errorf("got %v, want 1.5", got)
		}
		if got := v.Get("s").Text(); got != "text" {
			t.Errorf("got %q, want text", got)
		}
		if !v.Get("b").Bool() || v.Get("s").Bool() {
			t.Error("got another bool")
		}
		if got := v.Get("o").Get("k\n").Number(); got != 1 {
			t.Errorf("got %v, want 1", got)
		}
		if got := v.Get("a").Index(1).Number(); got != 2 {
			t.Errorf("got %v, want 2", got)
		}
		var kinds []string
		for key, member := range v.Members() {
			kinds = append(kinds, key+" "+member.Kind().String())
		}
		if want := []string{"a array", "b bool", "n number", "o object", "s string", "z null"}; !slices.Equal(kinds, want) {
			t.Errorf("got %q, want %q", kinds, want)
		}
	}
}

func TestLoopsStop(t *testing.T) {
	v := MustOf(map[string]any{"a": []any{1, 2, 3}, "b": 1, "c": 1})
	for _, v := range []Value{v, v.expanded()} {
		seen := 0
		for range v.Members() {
			seen++
			break
		}
		for i := range v.Get("a").Elements() {
			seen++
			if i == 1 {
				break
			}
		}
		if seen != 3 {
			t.Errorf("got %d rounds, want 3", seen)
		}
	}
}

func TestAbsent(t *testing.T) {
	var v Value
	if v.Exists() || v.Size() != 0 || v.Depth() != 0 || v.String() != "" || len(v.AppendJSON(nil)) != 0 || v.Any() != nil {
		t.Errorf("got %q, want nothing", v)
	}
	next, entry, err := Apply(v, []Op{{Kind: Add, Value: EmptyObject}}, NoLimits)
	if err != nil || !next.Equal(EmptyObject) || opsText(entry) != `[["add",[],{}]]` {
		t.Errorf("got %s, %s, %v", next, opsText(entry), err)
	}
	_, _, err = Apply(v, []Op{{Kind: Remove, Path: Path{Key("a")}}}, NoLimits)
	if want := "path_not_found: there is no value (at /a)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, _, err = Apply(v, []Op{{Kind: Increment, Value: MustOf(1)}}, NoLimits)
	if want := "path_not_found: there is no value"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestReadsOfAnotherKindAreAbsent(t *testing.T) {
	values := []Value{{}, MustOf(nil), MustOf(true), MustOf(1), MustOf("x"), MustOf([]any{}), EmptyObject, EmptyObject.expanded()}
	for _, v := range values {
		if v.Get("a").Exists() || v.Index(0).Exists() || v.Index(-1).Exists() || v.Len() != 0 {
			t.Errorf("%s: got something in it", v)
		}
		for range v.Members() {
			t.Errorf("%s: got a member", v)
		}
		for range v.Elements() {
			t.Errorf("%s: got an element", v)
		}
		if v.Kind() != Number && v.Number() != 0 || v.Kind() != String && v.Text() != "" {
			t.Errorf("%s: got a scalar", v)
		}
	}
	if (Value{}).Kind().String() != "absent" || Kind(9).String() != "unknown" || OpKind(9).String() != "unknown" {
		t.Error("got another name")
	}
}

func TestWithAndWithout(t *testing.T) {
	v := MustOf(map[string]any{"a": 1})
	tests := []struct {
		name string
		got  Value
		want string
	}{
		{"new", v.With("b", MustOf(2)), `{"a":1,"b":2}`},
		{"set", v.With("a", MustOf(2)), `{"a":2}`},
		{"from nothing", Value{}.With("a", MustOf(2)), `{"a":2}`},
		{"absent value", v.With("b", Value{}), `{"a":1}`},
		{"reserved key", v.With("__proto__", EmptyObject), `{"a":1}`},
		{"invalid key", v.With("\xff", EmptyObject), `{"a":1}`},
		{"no object", MustOf(1).With("a", EmptyObject), `1`},
		{"without", v.Without("a"), `{}`},
		{"without what is not there", v.Without("b"), `{"a":1}`},
		{"without in no object", MustOf(1).Without("a"), `1`},
		{"unchanged", v, `{"a":1}`},
	}
	for _, tt := range tests {
		if tt.got.String() != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// TestWideObjectsFollowAMap does the same random writes to an object of thousands of members and to a map.
func TestWideObjectsFollowAMap(t *testing.T) {
	r := newRandom(t)
	want := make(map[string]Value)
	v := EmptyObject
	key := func() string {
		return pick(r, "", "\n", "é", "\uFFEE", "\U0001F600", "key") + string(appendNumber(nil, float64(r.IntN(1000))))
	}
	for i := range rounds(20_000) {
		k := key()
		if r.IntN(3) == 0 {
			delete(want, k)
			v = v.Without(k)
		} else {
			want[k] = r.scalar()
			v = v.With(k, want[k])
		}
		k = key()
		if got := v.Get(k); got != want[k] {
			t.Fatalf("%q: got %s, want %s", k, got, want[k])
		}
		if i%2_000 == 0 {
			checkBookkeeping(t, v)
		}
	}
	checkBookkeeping(t, v)
	if got := MustOf(want); !got.Equal(v) || got.String() != v.String() {
		t.Errorf("got %s, want %s", v, got)
	}
}

func TestEqual(t *testing.T) {
	texts := []string{``, `null`, `true`, `false`, `1`, `12`, `""`, `"1"`, `[]`, `{}`, `[1]`, `[12]`, `[1,2]`, `[2,1]`, `[[1]]`,
		`{"a":1}`, `{"a":2}`, `{"b":1}`, `{"a":[]}`, `{"a":{}}`, `{"a":"\n"}`, `["a",1]`, `[{"a":1},2]`, `[{"a":2},1]`}
	var values []Value
	for _, text := range texts {
		v, _ := Parse([]byte(text), Limits{})
		values = append(values, v)
		if v.Kind() >= Array {
			values = append(values, v.expanded())
		}
	}
	for _, a := range values {
		for _, b := range values {
			if got, want := a.Equal(b), a.String() == b.String(); got != want {
				t.Errorf("%s and %s: got %v, want %v", a, b, got, want)
			}
		}
	}
}

func TestJSONMethods(t *testing.T) {
	var got struct {
		Value  Value
		Absent Value
	}
	if err := json.Unmarshal([]byte(`{"Value":{"b":1,"a":[]}}`), &got); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if want := `{"Value":{"a":[],"b":1},"Absent":null}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	if err := json.Unmarshal([]byte(`{"Value":{"__proto__":1}}`), &got); CodeOf(err) != CodeReservedKey {
		t.Errorf("got %v, want %s", err, CodeReservedKey)
	}
}

func TestErrorsHaveCodes(t *testing.T) {
	_, err := Parse([]byte(`{"a":}`), Limits{})
	if !errors.Is(err, &Error{Code: CodeInvalidJSON}) || errors.Is(err, &Error{Code: CodeTooDeep}) {
		t.Errorf("got %v, want the code of invalid JSON alone", err)
	}
	if CodeOf(errors.New("x")) != "" || CodeOf(nil) != "" {
		t.Error("got a code for another error")
	}
}

// TestValuesKeepOnlyTheirOwnText reads a small part of a large text into another value, which must have a copy.
func TestValuesKeepOnlyTheirOwnText(t *testing.T) {
	message := MustOf(map[string]any{"large": strings.Repeat("x", 1<<16), "small": []any{"s"}})
	v := EmptyObject.With("small", message.Get("small"))
	for _, v := range []Value{v, v.With("small", MustOf(1)).With("small", message.Get("small"))} {
		if v.Get("small").n.borrowed {
			t.Error("got a member that is a part of a longer text")
		}
	}
	_, entry, err := Apply(EmptyObject, []Op{{Kind: Add, Path: Path{Key("small")}, Value: message.Get("small")}}, NoLimits)
	if err != nil || entry[0].Value.n.borrowed {
		t.Errorf("got %v, and an entry with a part of a longer text", err)
	}
}

// TestConcurrentReads is for the race detector: reads of text, reads of expanded values and writes share everything.
func TestConcurrentReads(t *testing.T) {
	r := newRandom(t)
	v := r.object(5).With("list", r.array(4))
	text := newText(v.String(), v.Depth())
	patch := []Op{{Kind: Add, Path: Path{Key("list"), Key("-")}, Value: text}}
	want, _, err := Apply(v, patch, NoLimits)
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for range 50 {
				got, _, err := Apply(text, patch, NoLimits)
				if err != nil || !got.Equal(want) || !v.Equal(text) || v.Get("list").Len() != text.Get("list").Len() {
					t.Errorf("got %s, %v, want %s", got, err, want)
				}
			}
		})
	}
	readers.Wait()
}
