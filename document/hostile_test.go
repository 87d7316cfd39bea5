package document

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestCopiesDoubleUpToTheLimit doubles a value with operations of a few bytes. The limit stops it; what was accepted
// shares its text.
func TestCopiesDoubleUpToTheLimit(t *testing.T) {
	v := MustOf(map[string]any{"a": []any{strings.Repeat("x", 1000)}})
	double := []Op{{Kind: Copy, From: Path{Key("a")}, Path: Path{Key("a"), Key("-")}}}
	var err error
	copies := 0
	for ; err == nil; copies++ {
		v, _, err = Apply(v, double, StateLimits{Bytes: 8 << 20})
	}
	if copies != 14 || CodeOf(err) != CodeStateTooLarge {
		t.Errorf("got %v after %d copies, want 14", err, copies)
	}
	ops := make([]Op, 100)
	for i := range ops {
		ops[i] = double[0]
	}
	if _, _, err = Apply(v, ops, NoLimits); CodeOf(err) != CodeStateTooLarge {
		t.Errorf("got %v without limits, want the bound of %d bytes", err, MaxBytes)
	}
}

func TestPatchesCannotGrowDeep(t *testing.T) {
	v := EmptyObject
	path := Path{}
	var err error
	levels := 1
	for ; err == nil; levels++ {
		path = append(path, Key("a"))
		v, _, err = Apply(v, []Op{{Kind: Add, Path: path, Value: EmptyObject}}, DefaultStateLimits)
	}
	if levels != 65 || CodeOf(err) != CodeTooDeep {
		t.Errorf("got %v at %d levels, want it at 65", err, levels)
	}
	for v = EmptyObject; v.Depth() < MaxDepth; {
		v = EmptyObject.With("a", v)
	}
	nest := []Op{{Kind: Copy, From: Path{}, Path: Path{Key("b")}}}
	if _, _, err = Apply(v, nest, NoLimits); CodeOf(err) != CodeTooDeep {
		t.Errorf("got %v without limits, want the bound of %d levels", err, MaxDepth)
	}
}

// TestSmallOperationsCostLittle has patches whose operations of a few bytes each would cost the size of the state, if
// each of them read it again.
func TestSmallOperationsCostLittle(t *testing.T) {
	numbers := make([]int, 200_000)
	list := MustOf(numbers)
	v := newText(`{"a":`+list.String()+`,"b":`+list.String()+`,"n":0}`, 2)
	tests := []struct{ name, ops string }{
		{"reads of text", `["test",["a",199999],0],["test",["n"],0]`},
		{"copies of equal values", `["copy",["a"],["b"]]`},
		{"copies of almost equal values", `["increment",["a",199999],1],["copy",["a"],["b"]]`},
		{"copies that are written to", `["copy",["a"],["c"]],["add",["c",100000],1]`},
		{"roots", `["copy",[],["c"]],["copy",["c"],[]]`},
		{"moves", `["move",["a",0],["b",100]],["move",["b",100],["a",0]]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ops := parseOps(t, `[`+strings.TrimSuffix(strings.Repeat(tt.ops+",", 3000), ",")+`]`)
			start := time.Now()
			_, entry, err := Apply(v, ops, DefaultStateLimits)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 3*time.Second && !raceEnabled && runtime.GOOS != "js" {
				t.Errorf("took %v, and a tenth of a second is usual", took)
			}
			size := 0
			for _, op := range entry {
				size += wireSize(op.Kind, op.Path, op.Value)
			}
			if size > v.Size() {
				t.Errorf("got an entry of %d bytes, want no more than the state's %d", size, v.Size())
			}
		})
	}
}

func TestStringsOfEscapes(t *testing.T) {
	for _, escape := range []string{`\n`, `\u0001`, `\"`, `\\`, `\u0041`, `\ud83d\ude00`} {
		text := `{"k":"` + strings.Repeat(escape, 50_000) + `"}`
		v, err := Parse([]byte(text), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		checkBookkeeping(t, v)
		if got, want := len(v.Get("k").Text()), 50_000; got != want && got != 4*want {
			t.Errorf("%s: got %d bytes", escape, got)
		}
	}
}
