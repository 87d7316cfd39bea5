package jsbridge

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// A vector holds the JavaScript function that applies steps to this package: npm/test reads the same file.
type vector struct {
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before"`
	Steps  json.RawMessage `json:"steps"`
	After  json.RawMessage `json:"after"`
}

const vectorFile = "testdata/steps.json"

// named are the cases that somebody has thought of.
var named = []struct{ name, before, patch string }{
	{"a member is set", `{"a":1}`, `[{"op":"add","path":"/b","value":{"c":[]}}]`},
	{"a member is set again", `{"a":1}`, `[{"op":"replace","path":"/a","value":"two"}]`},
	{"a member is removed", `{"a":1,"b":2}`, `[{"op":"remove","path":"/a"}]`},
	{"an element is appended", `{"a":[1,2]}`, `[{"op":"add","path":"/a/-","value":3}]`},
	{"an element is inserted", `{"a":[1,2]}`, `[{"op":"add","path":"/a/1","value":[]}]`},
	{"an element is replaced", `{"a":[1,2]}`, `[{"op":"replace","path":"/a/1","value":9}]`},
	{"an element is removed", `{"a":[1,2,3]}`, `[{"op":"remove","path":"/a/1"}]`},
	{"a number grows", `{"a":{"n":0.1}}`, `[{"op":"increment","path":"/a/n","value":0.2}]`},
	{"a move within an array", `{"a":[1,2,3,4]}`, `[{"op":"move","from":"/a/0","path":"/a/2"}]`},
	{"a move between arrays", `{"a":[1,2],"b":[3]}`, `[{"op":"move","from":"/a/0","path":"/b/0"}]`},
	{"a move of a member", `{"a":{"b":1},"c":{}}`, `[{"op":"move","from":"/a/b","path":"/c/d"}]`},
	{"a copy that is changed", `{"a":{"b":[1]}}`, `[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/a/b/-","value":2},{"op":"add","path":"/c/b/0","value":0}]`},
	{"a copy of what was changed", `{"a":{"b":[1]}}`, `[{"op":"add","path":"/a/b/-","value":2},{"op":"copy","from":"/a/b","path":"/c"},{"op":"add","path":"/a/b/-","value":3}]`},
	{"names of Object.prototype", `{"constructor":{"a":1},"toString":[1]}`, `[{"op":"add","path":"/constructor/a","value":2},{"op":"add","path":"/toString/-","value":2},{"op":"add","path":"/valueOf","value":{"hasOwnProperty":1}}]`},
	{"a name that looks like an index", `{"0":{"1":[5]}}`, `[{"op":"add","path":"/0/1/0","value":4},{"op":"add","path":"/0/2","value":6}]`},
	{"an empty name, emoji and escapes", `{"":{"😀":1}}`, `[{"op":"add","path":"/","value":{"\"\\\n":[]}},{"op":"add","path":"/~0~1","value":"\u2028"}]`},
	{"many steps in one container", `{"a":[]}`, `[{"op":"add","path":"/a/-","value":1},{"op":"add","path":"/a/-","value":{"x":1}},{"op":"add","path":"/a/1/y","value":2},{"op":"remove","path":"/a/0"}]`},
	{"the whole is replaced", `{"a":1}`, `[{"op":"replace","path":"","value":{"b":2}}]`},
}

func parse(t *testing.T, text string) document.Value {
	t.Helper()
	v, err := document.Parse([]byte(text), document.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// made returns the vector of a patch, by its operations or by the difference of the values that they lead from and to.
func made(t *testing.T, name string, before document.Value, patch []document.PatchOp, compared bool) vector {
	t.Helper()
	ops, err := document.Resolve(before, patch)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	after, entry, err := document.Apply(before, ops, document.NoLimits)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	text := string(steps(nil).operations(entry).finish())
	if compared {
		name, text = name+", compared", string(steps(nil).difference(after, differing(before, after)).finish())
	}
	return vector{name, json.RawMessage(before.String()), json.RawMessage(text), json.RawMessage(after.String())}
}

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	for _, row := range named {
		patch, err := document.ParsePatch([]byte(row.patch), document.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		all = append(all, made(t, row.name, parse(t, row.before), patch, false), made(t, row.name, parse(t, row.before), patch, true))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 150 {
		before := randomValue(random, 3)
		if before.Kind() != document.Object {
			before = document.EmptyObject.With("a", before)
		}
		patch := randomPatch(t, random, before)
		name := "random " + strconv.Itoa(i)
		all = append(all, made(t, name, before, patch, false), made(t, name, before, patch, true))
	}
	return all
}

var names = []string{"a", "b", "", "0", "1", "constructor", "😀"}

func randomValue(random *rand.Rand, levels int) document.Value {
	switch n := random.IntN(6); {
	case levels == 0 || n < 2:
		return document.MustOf(random.IntN(10))
	case n < 4:
		list := make([]any, random.IntN(4))
		for i := range list {
			list[i] = randomValue(random, levels-1)
		}
		return document.MustOf(list)
	}
	object := document.EmptyObject
	for range random.IntN(4) {
		object = object.With(names[random.IntN(len(names))], randomValue(random, levels-1))
	}
	return object
}

// randomPatch draws operations, and keeps those that apply after the ones before.
func randomPatch(t *testing.T, random *rand.Rand, v document.Value) (patch []document.PatchOp) {
	t.Helper()
	for range 12 {
		op := document.PatchOp{Kind: document.OpKind(1 + random.IntN(7)), Path: randomPlace(random, v, true)}
		if op.Kind.HasFrom() {
			op.From = randomPlace(random, v, false)
		}
		if op.Kind.HasValue() {
			op.Value = randomValue(random, 2)
		}
		if ops, err := document.Resolve(v, []document.PatchOp{op}); err == nil && op.Path != "" && op.Kind != document.Test {
			if next, _, err := document.Apply(v, ops, document.NoLimits); err == nil && next.Kind() == document.Object {
				v, patch = next, append(patch, op)
			}
		}
	}
	return patch
}

// randomPlace walks down from the root, and may end at a place that is not there yet.
func randomPlace(random *rand.Rand, v document.Value, beyond bool) (pointer string) {
	for depth := 0; depth == 0 || random.IntN(2) == 0; depth++ {
		switch {
		case v.Kind() == document.Array && (beyond || v.Len() > 0):
			i := random.IntN(v.Len() + 1)
			pointer, v = pointer+"/"+strconv.Itoa(i), v.Index(i)
		case v.Kind() == document.Object:
			name := names[random.IntN(len(names))]
			pointer, v = pointer+document.Pointer(name), v.Get(name)
		default:
			return pointer
		}
	}
	return pointer
}

// The vectors are drawn from a fixed seed; UPDATE=1 writes the file.
func TestTheVectorsOfStepsAreWritten(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("[\n")
	all := vectors(t)
	for i, v := range all {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(line)
		if i < len(all)-1 {
			text.WriteByte(',')
		}
		text.WriteByte('\n')
	}
	text.WriteString("]\n")
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorFile, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, text.Bytes()) {
		t.Errorf("%s is not what this package makes; look at what has changed, and write it with UPDATE=1", vectorFile)
	}
}

// differing returns the names of the top-level properties that differ, those first that are gone.
func differing(before, after document.Value) (names []string) {
	for name := range before.Members() {
		if !after.Get(name).Exists() {
			names = append(names, name)
		}
	}
	for name, v := range after.Members() {
		if !v.Equal(before.Get(name)) {
			names = append(names, name)
		}
	}
	return names
}
