package document

import (
	"strings"
	"testing"
)

// opsText writes operations as the wire protocol does, for comparing.
func opsText(ops []Op) string {
	items := make([]any, 0, len(ops))
	for _, op := range ops {
		item := []any{op.Kind.String()}
		if op.Kind.HasFrom() {
			item = append(item, pathItems(op.From))
		}
		item = append(item, pathItems(op.Path))
		if op.Kind.HasValue() {
			item = append(item, op.Value)
		}
		items = append(items, item)
	}
	return MustOf(items).String()
}

func pathItems(path Path) []any {
	items := make([]any, 0, len(path))
	for _, token := range path {
		if token.IsIndex() {
			items = append(items, token.Index)
		} else {
			items = append(items, token.Name)
		}
	}
	return items
}

// parseOps reads what opsText writes.
func parseOps(tb testing.TB, text string) []Op {
	tb.Helper()
	items, err := Parse([]byte(text), Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	var ops []Op
	for _, item := range items.Elements() {
		kind, _ := ParseOpKind(item.Index(0).Text())
		op, next := Op{Kind: kind}, 1
		if kind.HasFrom() {
			op.From, next = parseItems(item.Index(1)), 2
		}
		op.Path, op.Value = parseItems(item.Index(next)), item.Index(next+1)
		ops = append(ops, op)
	}
	return ops
}

func parseItems(items Value) Path {
	path := Path{}
	for _, item := range items.Elements() {
		if item.Kind() == Number {
			path = append(path, Elem(int(item.Number())))
		} else {
			path = append(path, Key(item.Text()))
		}
	}
	return path
}

func TestApplyNormalizes(t *testing.T) {
	const base = `{"a":[1,2,3],"m":{"x":1,"y":{"z":[]}},"n":5}`
	tests := []struct{ name, ops, next, entry string }{
		{"nothing", `[]`, base, `[]`},
		{"new member", `[["add",["m","k"],true]]`, `{"a":[1,2,3],"m":{"k":true,"x":1,"y":{"z":[]}},"n":5}`, `[["add",["m","k"],true]]`},
		{"replaced member becomes add", `[["replace",["n"],6]]`, `{"a":[1,2,3],"m":{"x":1,"y":{"z":[]}},"n":6}`, `[["add",["n"],6]]`},
		{"added member that is there", `[["add",["n"],6]]`, `{"a":[1,2,3],"m":{"x":1,"y":{"z":[]}},"n":6}`, `[["add",["n"],6]]`},
		{"end becomes an index", `[["add",["a","-"],4],["add",["a","-"],5]]`, `{"a":[1,2,3,4,5],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["add",["a",3],4],["add",["a",4],5]]`},
		{"insertion", `[["add",["a",0],0],["add",["a",4],4]]`, `{"a":[0,1,2,3,4],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["add",["a",0],0],["add",["a",4],4]]`},
		{"insertion of an equal element", `[["add",["a",0],1]]`, `{"a":[1,1,2,3],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["add",["a",0],1]]`},
		{"replaced element stays replace", `[["replace",["a",1],7]]`, `{"a":[1,7,3],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["replace",["a",1],7]]`},
		{"tests are left out", `[["test",["n"],5],["test",[],` + base + `],["remove",["a",0]]]`, `{"a":[2,3],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["remove",["a",0]]]`},
		{"equal values are left out", `[["add",["n"],5],["replace",["a",0],1],["add",["m"],{"x":1,"y":{"z":[]}}],["increment",["n"],0]]`, base, `[]`},
		{"copy of an equal value is left out", `[["copy",["n"],["n"]],["copy",["a",0],["m","x"]]]`, base, `[]`},
		{"copy", `[["copy",["m","y"],["a","-"]]]`, `{"a":[1,2,3,{"z":[]}],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["copy",["m","y"],["a",3]]]`},
		{"copy into itself", `[["copy",["m"],["m","y","m"]]]`, `{"a":[1,2,3],"m":{"x":1,"y":{"m":{"x":1,"y":{"z":[]}},"z":[]}},"n":5}`, `[["copy",["m"],["m","y","m"]]]`},
		{"move onto itself is left out", `[["move",["n"],["n"]],["move",["a",1],["a",1]],["move",["a",2],["a","-"]],["move",[],[]]]`, base, `[]`},
		{"move within an array", `[["move",["a",0],["a","-"]]]`, `{"a":[2,3,1],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["move",["a",0],["a",2]]]`},
		{"move to a member", `[["move",["a",0],["n"]]]`, `{"a":[2,3],"m":{"x":1,"y":{"z":[]}},"n":1}`, `[["move",["a",0],["n"]]]`},
		{"move onto an equal member", `[["move",["m","x"],["o"]],["move",["a",0],["o"]]]`, `{"a":[2,3],"m":{"y":{"z":[]}},"n":5,"o":1}`, `[["move",["m","x"],["o"]],["move",["a",0],["o"]]]`},
		{"move from a child", `[["move",["m","y"],["m"]]]`, `{"a":[1,2,3],"m":{"z":[]},"n":5}`, `[["move",["m","y"],["m"]]]`},
		{"move into the element that follows", `[["replace",["a",1],[]],["move",["a",0],["a",0,"-"]]]`, `{"a":[[1],3],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["replace",["a",1],[]],["move",["a",0],["a",0,0]]]`},
		{"increment", `[["increment",["n"],2],["increment",["a",0],-0.5]]`, `{"a":[0.5,2,3],"m":{"x":1,"y":{"z":[]}},"n":7}`, `[["increment",["n"],2],["increment",["a",0],-0.5]]`},
		{"increment too small to matter", `[["replace",["n"],1e+300],["increment",["n"],1]]`, `{"a":[1,2,3],"m":{"x":1,"y":{"z":[]}},"n":1e+300}`, `[["add",["n"],1e+300]]`},
		{"root of another shape", `[["add",[],{"a":[1,2,3,4],"m":{"x":1,"y":{"z":[]}},"n":5}]]`, `{"a":[1,2,3,4],"m":{"x":1,"y":{"z":[]}},"n":5}`, `[["add",["a",3],4]]`},
		{"root after other operations", `[["increment",["n"],1],["replace",[],{"n":6}],["add",["q"],1]]`, `{"n":6,"q":1}`, `[["add",[],{"n":6,"q":1}]]`},
		{"root from a child", `[["copy",["m"],[]]]`, `{"x":1,"y":{"z":[]}}`, `[["add",[],{"x":1,"y":{"z":[]}}]]`},
		{"root moved from a child", `[["move",["m","y"],[]]]`, `{"z":[]}`, `[["add",[],{"z":[]}]]`},
		{"root written back", `[["copy",[],["m","r"]],["copy",["m","r"],[]]]`, base, `[]`},
		{"root of another kind", `[["add",[],[1]]]`, `[1]`, `[["add",[],[1]]]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Parse([]byte(base), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			next, entry, err := Apply(v, parseOps(t, tt.ops), DefaultStateLimits)
			if err != nil {
				t.Fatal(err)
			}
			if next.String() != tt.next {
				t.Errorf("got %s, want %s", next, tt.next)
			}
			if got := opsText(entry); got != tt.entry {
				t.Errorf("got the entry %s, want %s", got, tt.entry)
			}
			checkBookkeeping(t, next)
			checkEntry(t, v, next, entry)
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	const base = `{"a":[1,2,3],"m":{"x":1,"y":{"z":[]}},"n":5,"s":"text","max":9007199254740991,"huge":1.7e+308}`
	tests := []struct{ name, ops, want string }{
		{"missing parent", `[["add",["q","r"],1]]`, `path_not_found: the object has no member "q" (at /q)`},
		{"missing member", `[["remove",["m","q"]]]`, `path_not_found: the object has no member "q" (at /m/q)`},
		{"missing element", `[["remove",["a",3]]]`, `path_not_found: the array has 3 elements, and no index 3 (at /a/3)`},
		{"gap beyond the end", `[["add",["a",4],1]]`, `path_not_found: the array has 3 elements, and no index 4 (at /a/4)`},
		{"replacement of a missing member", `[["replace",["q"],1]]`, `path_not_found: the object has no member "q" (at /q)`},
		{"replacement of a missing element", `[["replace",["a",3],1]]`, `path_not_found: the array has 3 elements, and no index 3 (at /a/3)`},
		{"nothing in a scalar", `[["add",["n","x"],1]]`, `path_not_found: a number has nothing in it: it is neither an array nor an object (at /n/x)`},
		{"nothing within a scalar", `[["remove",["s",0,"x"]]]`, `path_not_found: a string has nothing in it: it is neither an array nor an object (at /s/0)`},
		{"index on an object", `[["add",["m",0],1]]`, `patch_failed: an object has no index 0 (at /m/0)`},
		{"index on an object, on the way", `[["remove",["m",0,"x"]]]`, `patch_failed: an object has no index 0 (at /m/0)`},
		{"name on an array", `[["add",["a","0"],1]]`, `patch_failed: "0" is no index of an array (at /a/0)`},
		{"end of an array that is not added to", `[["remove",["a","-"]]]`, `patch_failed: "-" is no index of an array (at /a/-)`},
		{"root", `[["remove",[]]]`, `patch_failed: the root cannot be removed`},
		{"root into itself", `[["move",[],["q"]]]`, `patch_failed: a value cannot be moved into itself`},
		{"member into itself", `[["move",["m"],["m","y","m"]]]`, `patch_failed: a value cannot be moved into itself (at /m)`},
		{"missing source", `[["copy",["q"],["r"]]]`, `path_not_found: the object has no member "q" (at /q)`},
		{"move to a missing parent", `[["move",["n"],["q","r"]]]`, `path_not_found: the object has no member "q" (at /q)`},
		{"move beyond the end", `[["move",["a",0],["a",3]]]`, `path_not_found: the array has 2 elements, and no index 3 (at /a/3)`},
		{"other value", `[["test",["m","y"],{"z":{}}]]`, `test_failed: the value is {"z":[]}, and not {"z":{}} (at /m/y)`},
		{"other number", `[["test",["n"],50]]`, `test_failed: the value is 5, and not 50 (at /n)`},
		{"test of a missing member", `[["test",["q"],null]]`, `path_not_found: the object has no member "q" (at /q)`},
		{"increment of a string", `[["increment",["s"],1]]`, `patch_failed: increment needs a number, and finds a string (at /s)`},
		{"increment by a string", `[["increment",["n"],"1"]]`, `invalid_patch: increment needs a number, and its value is a string (at /n)`},
		{"increment beyond safe integers", `[["increment",["max"],1]]`, `number_out_of_range: the sum is beyond what a double holds exactly (at /max)`},
		{"increment to infinity", `[["increment",["huge"],1.7e+308]]`, `number_out_of_range: the sum is beyond what a double holds exactly (at /huge)`},
		{"no value", `[["add",["q"]]]`, `invalid_patch: add needs a value (at /q)`},
		{"no kind", `[["merge",["q"]]]`, `invalid_patch: an operation is of no kind (at /q)`},
		{"reserved key", `[["add",["m","__proto__"],1]]`, `reserved_key: the key __proto__ is reserved (at /m/__proto__)`},
		{"move to a reserved key", `[["move",["n"],["__proto__"]]]`, `reserved_key: the key __proto__ is reserved (at /__proto__)`},
		{"long key", `[["add",["` + strings.Repeat("k", 9) + `"],1]]`, `key_too_long: a key has 9 bytes, and 8 are allowed (at /kkkkkkkkk)`},
		{"after others", `[["increment",["n"],1],["remove",["m"]],["remove",["m"]]]`, `path_not_found: the object has no member "m" (at /m)`},
		{"too large", `[["add",["q"],"` + strings.Repeat("x", 100) + `"]]`, `state_too_large: the state would have 201 bytes, and 200 are allowed (at /q)`},
		{"too large in between", `[["add",["q"],"` + strings.Repeat("x", 100) + `"],["remove",["q"]]]`, `state_too_large: the state would have 201 bytes, and 200 are allowed (at /q)`},
		{"too large root", `[["add",[],{"q":"` + strings.Repeat("x", 200) + `"}]]`, `state_too_large: the state would have 208 bytes, and 200 are allowed`},
		{"too deep", `[["add",["a",0],[[]]],["copy",["a"],["m","y","z","-"]]]`, `too_deep: the state would have 7 levels, and 4 are allowed (at /m/y/z/0)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Parse([]byte(base), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			before := v.String()
			next, entry, err := Apply(v, parseOps(t, tt.ops), StateLimits{Bytes: 200, Depth: 4, KeyBytes: 8})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if next != v || entry != nil || v.String() != before {
				t.Errorf("got %s and the entry %v with the error, want %s", next, entry, before)
			}
		})
	}
}

// TestApplyRefusesNegativeIndexes has tokens that no constructor makes.
func TestApplyRefusesNegativeIndexes(t *testing.T) {
	v := MustOf(map[string]any{"a": []int{1}})
	path := Path{Key("a"), {Index: -5}}
	want := `path_not_found: the array has 1 elements, and no index -5 (at /a/-5)`
	for _, op := range []Op{{Kind: Add, Path: path, Value: v}, {Kind: Remove, Path: path}, {Kind: Copy, From: path[:1], Path: path}} {
		if _, _, err := Apply(v, []Op{op}, NoLimits); err == nil || err.Error() != want {
			t.Errorf("%v: got %v, want %s", op.Kind, err, want)
		}
	}
}

func TestApplyLetsAStateBeyondALimitShrink(t *testing.T) {
	v := MustOf(map[string]any{"a": strings.Repeat("x", 100), "b": []any{[]any{[]any{}}}, "n": 1})
	limits := StateLimits{Bytes: 20, Depth: 2}
	for _, ops := range []string{`[["add",["a"],"` + strings.Repeat("y", 99) + `"]]`, `[["remove",["b",0,0]]]`, `[["increment",["n"],1]]`} {
		if _, _, err := Apply(v, parseOps(t, ops), limits); err != nil {
			t.Errorf("%s: %v", ops, err)
		}
	}
	want := `state_too_large: the state would have 126 bytes, and 20 are allowed (at /n)`
	if _, _, err := Apply(v, parseOps(t, `[["add",["n"],10]]`), limits); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestProperties(t *testing.T) {
	tests := []struct {
		ops, want string
		all       bool
	}{
		{`[]`, ``, false},
		{`[["test",["t"],1],["test",[],1]]`, ``, false},
		{`[["add",["b","x"],1],["remove",["a",0]],["add",["b"],1],["increment",["ﬃ"],1],["replace",["😀",0],1]]`, `a b 😀 ﬃ`, false},
		{`[["move",["from","x"],["to"]],["copy",["source"],["target"]]]`, `from target to`, false},
		{`[["add",["a"],1],["add",[],{}]]`, ``, true},
		{`[["move",["a"],[]]]`, ``, true},
	}
	for _, tt := range tests {
		names, all := Properties(parseOps(t, tt.ops))
		if got := strings.Join(names, " "); got != tt.want || all != tt.all {
			t.Errorf("%s: got %q, %v, want %q, %v", tt.ops, got, all, tt.want, tt.all)
		}
	}
}

func TestHasIndex(t *testing.T) {
	tests := []struct {
		ops  string
		want bool
	}{
		{`[]`, false},
		{`[["add",["a","-"],1],["add",["a","0"],1],["move",["a"],["b"]]]`, false},
		{`[["add",["a"],1],["add",["a",0,"b"],1]]`, true},
		{`[["copy",["a",0],["b"]]]`, true},
		{`[["test",["a",0],1]]`, true},
	}
	for _, tt := range tests {
		if got := HasIndex(parseOps(t, tt.ops)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.ops, got, tt.want)
		}
	}
}
