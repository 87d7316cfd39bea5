package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

func parse(t *testing.T, text string) document.Value {
	t.Helper()
	v, err := document.Parse([]byte(text), document.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func written(old, new document.Value, write form) string {
	var out []byte
	differences("", old, new, func(c change) { out = write(out, 7, c) })
	return string(out)
}

func TestDifferences(t *testing.T) {
	for _, test := range []struct{ name, old, new, human, values string }{
		{"nothing", `{"a":1}`, `{"a":1}`, "", ""},
		{"a new property", `{}`, `{"a":{"b":1}}`, "+ /a {\"b\":1}\n", ""},
		{"a property changed", `{"a":1,"b":2}`, `{"a":1,"b":3}`, "= /b 3\n", ""},
		{"a property removed", `{"a":1,"b":2}`, `{"b":2}`, "- /a\n", ""},
		{"inside an object", `{"a":{"b":{"c":1}}}`, `{"a":{"b":{"c":2}}}`, "= /a/b/c 2\n", ""},
		{"another kind", `{"a":[1]}`, `{"a":{"0":1}}`, "= /a {\"0\":1}\n", ""},
		{"an array comes", `{"a":0}`, `{"a":[1,[2]],"b":[3]}`, "= /a [1,[2]]\n+ /b [3]\n", "1\n[2]\n3\n"},
		{"one appended", `{"a":[1,2]}`, `{"a":[1,2,3]}`, "+ /a/2 3\n", "3\n"},
		{"many appended", `{"a":[1]}`, `{"a":[1,"x",null,{}]}`, "+ /a/1 \"x\"\n+ /a/2 null\n+ /a/3 {}\n", "\"x\"\nnull\n{}\n"},
		{"the same appended again", `{"a":[1,1]}`, `{"a":[1,1,1]}`, "+ /a/2 1\n", "1\n"},
		{"put before", `{"a":[2]}`, `{"a":[1,2]}`, "+ /a/0 1\n", "1\n"},
		{"removed from the middle", `{"a":[1,2,3,4]}`, `{"a":[1,4]}`, "- /a/1\n- /a/1\n", ""},
		{"an element edited", `{"a":[{"t":1},{"t":2}]}`, `{"a":[{"t":1},{"t":5}]}`, "= /a/1/t 5\n", ""},
		{"names that need escapes", `{}`, `{"a/b":1,"~":2}`, "+ /a~1b 1\n+ /~0 2\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := parse(t, test.old), parse(t, test.new)
			if got := written(old, new, humanLine); got != test.human {
				t.Errorf("human lines:\ngot  %q\nwant %q", got, test.human)
			}
			if got := written(old, new, valueLine); got != test.values {
				t.Errorf("values:\ngot  %q\nwant %q", got, test.values)
			}
		})
	}
}

func TestJSONLinesArePatches(t *testing.T) {
	got := written(parse(t, `{"a":[1],"g":0}`), parse(t, `{"a":[1,2],"h/":"é\n"}`), jsonLine)
	want := `{"version":7,"op":"remove","path":"/g"}` + "\n" +
		`{"version":7,"op":"add","path":"/a/1","value":2}` + "\n" +
		`{"version":7,"op":"add","path":"/h~1","value":"é\n"}` + "\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for line := range strings.Lines(got) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q is not JSON", line)
		}
	}
}

// Whoever applies the lines to what was printed before has what is there now.
func TestLinesAppliedToTheOldViewMakeTheNewOne(t *testing.T) {
	const rounds = 2000
	for seed := range uint64(rounds) {
		random := rand.New(rand.NewPCG(seed, 1))
		old, new := randomObject(random, 3), randomObject(random, 3)
		text := "[" + strings.TrimSuffix(strings.ReplaceAll(written(old, new, jsonLine), "\n", ","), ",") + "]"
		patch, err := document.ParsePatch([]byte(text), document.Limits{})
		if err != nil {
			t.Fatalf("seed %d: %v in %s", seed, err, text)
		}
		ops, err := document.Resolve(old, patch)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, _, err := document.Apply(old, ops, document.StateLimits{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !got.Equal(new) {
			t.Fatalf("seed %d: from %v by %s\ngot  %v\nwant %v", seed, old, text, got, new)
		}
	}
}

func randomObject(random *rand.Rand, depth int) document.Value {
	object := document.EmptyObject
	for range random.IntN(4) {
		object = object.With(string(rune('a'+random.IntN(4))), randomValue(random, depth))
	}
	return object
}

func randomValue(random *rand.Rand, depth int) document.Value {
	if depth > 0 {
		switch random.IntN(4) {
		case 0:
			return randomObject(random, depth-1)
		case 1, 2:
			list := make([]document.Value, random.IntN(6))
			for i := range list {
				list[i] = randomValue(random, depth-1)
			}
			return document.MustOf(list)
		}
	}
	return document.MustOf(random.IntN(3))
}
