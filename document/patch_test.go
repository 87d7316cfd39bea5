package document

import (
	"slices"
	"strings"
	"testing"
)

// apply parses, resolves and applies a patch to a document.
func apply(document, patch string) (next Value, entry []Op, err error) {
	v, err := Parse([]byte(document), Limits{})
	if err != nil {
		return Value{}, nil, err
	}
	parsed, err := ParsePatch([]byte(patch), Limits{})
	if err != nil {
		return Value{}, nil, err
	}
	ops, err := Resolve(v, parsed)
	if err != nil {
		return Value{}, nil, err
	}
	return Apply(v, ops, DefaultStateLimits)
}

// TestAppendixA has the examples of RFC 6902 appendix A. want is the document, or the error.
func TestAppendixA(t *testing.T) {
	tests := []struct{ name, document, patch, want string }{
		{"A.1 adding an object member", `{"foo":"bar"}`,
			`[{"op":"add","path":"/baz","value":"qux"}]`, `{"baz":"qux","foo":"bar"}`},
		{"A.2 adding an array element", `{"foo":["bar","baz"]}`,
			`[{"op":"add","path":"/foo/1","value":"qux"}]`, `{"foo":["bar","qux","baz"]}`},
		{"A.3 removing an object member", `{"baz":"qux","foo":"bar"}`,
			`[{"op":"remove","path":"/baz"}]`, `{"foo":"bar"}`},
		{"A.4 removing an array element", `{"foo":["bar","qux","baz"]}`,
			`[{"op":"remove","path":"/foo/1"}]`, `{"foo":["bar","baz"]}`},
		{"A.5 replacing a value", `{"baz":"qux","foo":"bar"}`,
			`[{"op":"replace","path":"/baz","value":"boo"}]`, `{"baz":"boo","foo":"bar"}`},
		{"A.6 moving a value", `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`,
			`[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`,
			`{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`},
		{"A.7 moving an array element", `{"foo":["all","grass","cows","eat"]}`,
			`[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, `{"foo":["all","cows","eat","grass"]}`},
		{"A.8 testing a value: success", `{"baz":"qux","foo":["a",2,"c"]}`,
			`[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`,
			`{"baz":"qux","foo":["a",2,"c"]}`},
		{"A.9 testing a value: error", `{"baz":"qux"}`,
			`[{"op":"test","path":"/baz","value":"bar"}]`, `test_failed: the value is "qux", and not "bar" (at /baz)`},
		{"A.10 adding a nested member object", `{"foo":"bar"}`,
			`[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, `{"child":{"grandchild":{}},"foo":"bar"}`},
		{"A.11 ignoring unrecognized elements", `{"foo":"bar"}`,
			`[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, `{"baz":"qux","foo":"bar"}`},
		{"A.12 adding to a nonexistent target", `{"foo":"bar"}`,
			`[{"op":"add","path":"/baz/bat","value":"qux"}]`, `path_not_found: the object has no member "baz" (at /baz)`},
		{"A.13 invalid JSON Patch document", `{"foo":"bar"}`,
			`[{"op":"add","path":"/baz","value":"qux","op":"remove"}]`, `duplicate_key: the key "op" is there twice (at /0)`},
		{"A.14 ~ escape ordering", `{"/":9,"~1":10}`,
			`[{"op":"test","path":"/~01","value":10}]`, `{"/":9,"~1":10}`},
		{"A.15 comparing strings and numbers", `{"/":9,"~1":10}`,
			`[{"op":"test","path":"/~01","value":"10"}]`, `test_failed: the value is 10, and not "10" (at /~01)`},
		{"A.16 adding an array value", `{"foo":["bar"]}`,
			`[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, `{"foo":["bar",["abc","def"]]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			next, _, err := apply(tt.document, tt.patch)
			got := next.String()
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParsePatchRefuses(t *testing.T) {
	tests := []struct{ name, patch, want string }{
		{"no JSON", `[`, `invalid_json: the text ends too early (at /0)`},
		{"no array", `{}`, `invalid_patch: a patch is an array of operations, and this is an object`},
		{"no object", `[1]`, `invalid_patch: an operation is an object, and this is a number (at /0)`},
		{"no op", `[{"path":""}]`, `invalid_patch: an operation needs the string "op" (at /0)`},
		{"op that is no string", `[{"op":1}]`, `invalid_patch: an operation needs the string "op" (at /0)`},
		{"unknown op", `[{"op":"Add","path":"","value":1}]`, `invalid_patch: there is no operation "Add" (at /0)`},
		{"no path", `[{"op":"remove"}]`, `invalid_patch: an operation needs the string "path" (at /0)`},
		{"null path", `[{"op":"remove","path":null}]`, `invalid_patch: an operation needs the string "path" (at /0)`},
		{"path without a slash", `[{"op":"remove","path":"a"}]`, `invalid_patch: the pointer "a" does not begin with a slash (at /0)`},
		{"no from", `[{"op":"test","path":"","value":{}},{"op":"move","path":"/a"}]`, `invalid_patch: an operation needs the string "from" (at /1)`},
		{"from without a slash", `[{"op":"copy","path":"/a","from":"b"}]`, `invalid_patch: the pointer "b" does not begin with a slash (at /0)`},
		{"no value", `[{"op":"add","path":"/a"}]`, `invalid_patch: add needs a value (at /0)`},
		{"too deep", `[{"op":"add","path":"/a","value":` + nested(65) + `}]`, `too_deep: there are more than 66 levels (at /0/value` + strings.Repeat("/0", 64) + `)`},
		{"no number", `[{"op":"increment","path":"/a","value":"1"}]`, `invalid_patch: increment needs a number, and its value is a string (at /0)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			patch, err := ParsePatch([]byte(tt.patch), Limits{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, %v, want %s", patch, err, tt.want)
			}
		})
	}
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// The levels around a value are not its own: a patch makes what a merge of the same value makes.
func TestParsePatchTakesValuesAsDeepAsParse(t *testing.T) {
	next, _, err := apply(`{}`, `[{"op":"add","path":"/a","value":`+nested(63)+`}]`)
	if want := `{"a":` + nested(63) + `}`; err != nil || next.String() != want {
		t.Errorf("got %v, %v, want %s", next, err, want)
	}
	if _, err := ParsePatch([]byte(`[{"op":"test","path":"/a","value":`+nested(64)+`}]`), Limits{}); err != nil {
		t.Error(err)
	}
}

func TestResolveTypesTokensAsThePatchGoes(t *testing.T) {
	one := MustOf(1)
	end, name := Key("-"), Key
	tests := []struct {
		name  string
		patch []PatchOp
		want  []Path
	}{
		{"names", []PatchOp{{Kind: Add, Path: "/m/0", Value: one}}, []Path{{name("m"), name("0")}}},
		{"the end stays a name", []PatchOp{{Kind: Add, Path: "/a/-", Value: one}, {Kind: Add, Path: "/a/-", Value: one}},
			[]Path{{name("a"), end}, {name("a"), end}}},
		{"the end is an index next to an index", []PatchOp{
			{Kind: Add, Path: "/a/-", Value: one},
			{Kind: Remove, Path: "/a/0"},
			{Kind: Add, Path: "/a/-", Value: one},
		}, []Path{{name("a"), Elem(2)}, {name("a"), Elem(0)}, {name("a"), Elem(2)}}},
		{"the end of a move is that without its source", []PatchOp{{Kind: Move, From: "/a/0", Path: "/a/-"}},
			[]Path{{name("a"), Elem(1)}}},
		{"an array that the patch makes", []PatchOp{
			{Kind: Add, Path: "/m/0", Value: MustOf([]int{7})},
			{Kind: Increment, Path: "/m/0/0", Value: one},
		}, []Path{{name("m"), name("0")}, {name("m"), name("0"), Elem(0)}}},
		{"a member called -", []PatchOp{{Kind: Add, Path: "/m/-", Value: one}, {Kind: Remove, Path: "/a/0"}},
			[]Path{{name("m"), end}, {name("a"), Elem(0)}}},
	}
	base := MustOf(map[string]any{"a": []int{1, 2}, "m": map[string]any{}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ops, err := Resolve(base, tt.patch)
			if err != nil {
				t.Fatal(err)
			}
			for i, op := range ops {
				if !slices.Equal(op.Path, tt.want[i]) {
					t.Errorf("operation %d: got %v, want %v", i, op.Path, tt.want[i])
				}
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	tests := []struct {
		name string
		op   PatchOp
		want string
	}{
		{"no kind", PatchOp{}, `invalid_patch: an operation is of no kind`},
		{"move into itself", PatchOp{Kind: Move, From: "/m", Path: "/m/x/y"}, `patch_failed: a value cannot be moved into itself (at /m)`},
		{"move into an element of its own", PatchOp{Kind: Move, From: "/a/0", Path: "/a/0/b"}, `patch_failed: a value cannot be moved into itself (at /a/0)`},
		{"move of the root", PatchOp{Kind: Move, Path: "/a"}, `patch_failed: a value cannot be moved into itself`},
		{"largest index", PatchOp{Kind: Remove, Path: "/a/2147483647"}, `path_not_found: the array has 2 elements, and no index 2147483647 (at /a/2147483647)`},
		{"no index of a message", PatchOp{Kind: Remove, Path: "/a/2147483648"}, `patch_failed: "2147483648" is no index of an array (at /a/2147483648)`},
		{"no index of a machine", PatchOp{Kind: Remove, Path: "/a/18446744073709551617"}, `patch_failed: "18446744073709551617" is no index of an array (at /a/18446744073709551617)`},
		{"leading zero", PatchOp{Kind: Remove, Path: "/a/00"}, `patch_failed: "00" is no index of an array (at /a/00)`},
		{"name on an array", PatchOp{Kind: Add, Path: "/a/x", Value: MustOf(1)}, `patch_failed: "x" is no index of an array (at /a/x)`},
		{"removal at the end", PatchOp{Kind: Remove, Path: "/a/-"}, `patch_failed: "-" is no index of an array (at /a/-)`},
		{"the end on the way", PatchOp{Kind: Add, Path: "/a/-/b", Value: MustOf(1)}, `patch_failed: "-" is no index of an array (at /a/-)`},
		{"source that is not there", PatchOp{Kind: Copy, From: "/x", Path: "/y"}, `path_not_found: the object has no member "x" (at /x)`},
		{"source of a move that is not there", PatchOp{Kind: Move, From: "/a/2", Path: "/y"}, `path_not_found: the array has 2 elements, and no index 2 (at /a/2)`},
		{"invalid pointer", PatchOp{Kind: Remove, Path: "a"}, `invalid_patch: the pointer "a" does not begin with a slash`},
	}
	base := MustOf(map[string]any{"a": []any{map[string]any{}, map[string]any{}}, "m": map[string]any{}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if ops, err := Resolve(base, []PatchOp{tt.op}); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, %v, want %s", ops, err, tt.want)
			}
		})
	}
}
