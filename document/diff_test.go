package document

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	long := `"` + strings.Repeat("x", 60) + `"`
	tests := []struct{ name, old, new, want string }{
		{"equal", `{"a":[1,{}],"b":2}`, `{"a":[1,{}],"b":2}`, `[]`},
		{"member", `{"a":` + long + `,"b":2}`, `{"a":` + long + `,"b":3}`, `[["add",["b"],3]]`},
		{"members come and go", `{"a":` + long + `,"b":2,"d":4}`, `{"a":` + long + `,"c":3,"d":4}`, `[["remove",["b"]],["add",["c"],3]]`},
		{"nested", `{"a":{"b":{"c":` + long + `,"d":1}}}`, `{"a":{"b":{"c":` + long + `,"d":2}}}`, `[["add",["a","b","d"],2]]`},
		{"append", `{"a":[` + long + `]}`, `{"a":[` + long + `,1,2]}`, `[["add",["a",1],1],["add",["a",2],2]]`},
		{"prepend", `{"a":[` + long + `]}`, `{"a":[0,` + long + `]}`, `[["add",["a",0],0]]`},
		{"remove in the middle", `{"a":[` + long + `,1,2,` + long + `]}`, `{"a":[` + long + `,` + long + `]}`, `[["remove",["a",1]],["remove",["a",1]]]`},
		{"an element changed is another", `{"a":[` + long + `,{"x":1},` + long + `]}`, `{"a":[` + long + `,{"x":2},` + long + `]}`, `[["remove",["a",1]],["add",["a",1],{"x":2}]]`},
		{"one of several equal elements", `{"a":[` + long + `,` + long + `]}`, `{"a":[` + long + `]}`, `[["remove",["a",1]]]`},
		{"a number that begins another", `{"a":[` + long + `,1,12]}`, `{"a":[` + long + `,12,12]}`, `[["remove",["a",1]],["add",["a",1],12]]`},
		{"small values as a whole", `{"a":[1,2,3],"b":` + long + `}`, `{"a":[4,3],"b":` + long + `}`, `[["add",["a"],[4,3]]]`},
		{"everything changed", `{"a":1,"b":2}`, `{"c":1}`, `[["add",[],{"c":1}]]`},
		{"another kind", `{"a":[` + long + `],"b":` + long + `}`, `{"a":{},"b":` + long + `}`, `[["add",["a"],{}]]`},
		{"emptied", `{"a":[` + long + `,1,2,3]}`, `{"a":[]}`, `[["add",["a"],[]]]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, err := Parse([]byte(tt.old), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			new, err := Parse([]byte(tt.new), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []Value{old, old.expanded()} {
				for _, w := range []Value{new, new.expanded()} {
					if got := opsText(Diff(nil, v, w)); got != tt.want {
						t.Errorf("got %s, want %s", got, tt.want)
					}
				}
			}
		})
	}
}

func TestDiffBelowThePath(t *testing.T) {
	tests := []struct {
		name     string
		at       Path
		old, new Value
		want     string
	}{
		{"element", Path{Key("a"), Elem(2)}, MustOf(1), MustOf(2), `[["replace",["a",2],2]]`},
		{"member that comes", Path{Key("a")}, Value{}, MustOf(2), `[["add",["a"],2]]`},
		{"member that goes", Path{Key("a")}, MustOf(2), Value{}, `[["remove",["a"]]]`},
		{"root that comes", nil, Value{}, EmptyObject, `[["add",[],{}]]`},
		{"root that goes", nil, EmptyObject, Value{}, `[]`},
		{"nothing", nil, Value{}, Value{}, `[]`},
	}
	for _, tt := range tests {
		if got := opsText(Diff(tt.at, tt.old, tt.new)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestMerge(t *testing.T) {
	tests := []struct{ name, v, updates, want string }{
		{"nothing", `{"a":1}`, `{}`, `[]`},
		{"equal", `{"a":1,"b":[1]}`, `{"a":1,"b":[1]}`, `[]`},
		{"some", `{"a":1,"b":2}`, `{"b":3,"c":null}`, `[["add",["b"],3],["add",["c"],null]]`},
		{"no object", `[]`, `{"a":1}`, `[["add",[],{"a":1}]]`},
		{"updates that are no object", `{"a":1}`, `[1]`, `[]`},
	}
	for _, tt := range tests {
		v, err := Parse([]byte(tt.v), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		updates, err := Parse([]byte(tt.updates), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := opsText(Merge(v, updates)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestWireSize holds the size that Diff reckons with to the text of the operations.
func TestWireSize(t *testing.T) {
	r := newRandom(t)
	for range rounds(5_000) {
		ops := Diff(nil, r.object(3), r.object(3))
		size := 2 - 1 // the brackets, and no comma after the last
		for _, op := range ops {
			size += wireSize(op.Kind, op.Path, op.Value)
		}
		if text := opsText(ops); len(ops) > 0 && size != len(text) {
			t.Fatalf("got %d, want %d: %s", size, len(text), text)
		}
	}
}
