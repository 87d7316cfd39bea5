package shrink

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// build makes the program of testdata as the linker makes it.
func build(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program.wasm")
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "./testdata/program")
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// run returns what the program prints. It ends with a panic, so with exit code 2.
func run(t *testing.T, wasm []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program.wasm")
	if err := os.WriteFile(file, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join("..", "..", "scripts", "wasm-exec.sh"), file)
	out, err := command.CombinedOutput()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != 2 {
		t.Fatalf("the program ended with %v, not with its panic:\n%s", err, out)
	}
	return string(out)
}

// place is what a stack trace says behind a function's name.
var place = regexp.MustCompile(`(?m)^\t\S+:\d+( \+0x[0-9a-f]+)?$`)

func TestAShrunkModuleIsTheSameProgram(t *testing.T) {
	wasm := build(t)
	small, err := Module(wasm)
	if err != nil {
		t.Fatal(err)
	}
	want, got := run(t, wasm), run(t, small)
	if !strings.Contains(want, "main.go:") || strings.Contains(got, "main.go") {
		t.Errorf("the lines are not there before, or are there after:\n%s\n%s", want, got)
	}
	if !strings.Contains(got, "names main.names main.inlined main.main") || !strings.Contains(got, "main.main()\n\t?:0") {
		t.Errorf("the functions have lost their names:\n%s", got)
	}
	if want, got := place.ReplaceAllString(want, ""), place.ReplaceAllString(got, ""); got != want {
		t.Errorf("the shrunk program prints\n%s\nand should print\n%s", got, want)
	}
}

// dataOf returns the memory that a module fills and all that it has besides.
func dataOf(t *testing.T, wasm []byte) (memory []byte, others []section) {
	t.Helper()
	sections, err := parseSections(wasm)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sections {
		switch s.id {
		case customSection:
		case dataSection:
			if memory, err = parseData(s.content); err != nil {
				t.Fatal(err)
			}
		default:
			others = append(others, s)
		}
	}
	return memory, others
}

func TestOnlyFilesAndLinesAreCleared(t *testing.T) {
	wasm := build(t)
	small, err := Module(wasm)
	if err != nil {
		t.Fatal(err)
	}
	before, code := dataOf(t, wasm)
	after, sameCode := dataOf(t, small)
	if len(code) != len(sameCode) {
		t.Fatalf("there are %d sections besides the data, of %d", len(sameCode), len(code))
	}
	for i := range code {
		if code[i].id != sameCode[i].id || !bytes.Equal(code[i].content, sameCode[i].content) {
			t.Errorf("section %d is not what it was", code[i].id)
		}
	}
	t1, err := findTables(before)
	if err != nil {
		t.Fatal(err)
	}
	t2, err := findTables(after)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range t1.functions {
		for j, offset := range pcOffsets(f) {
			got, want := pcOffsets(t2.functions[i])[j], offset
			if j == 1 || j == 2 { // file, line
				want = 0
			}
			size := t1.pcTableSize(want)
			if got != want || got != 0 && !bytes.Equal(t1.pcs[want:want+size], t2.pcs[got:got+size]) {
				t.Fatalf("function %d: the table %d is another", i, j)
			}
		}
	}
	for _, t := range []*tables{t1, t2} { // what may differ
		clear(t.pcs)
		clear(t.files)
		for _, f := range t.functions {
			clear(f[functionFile:functionTables])
			clear(f[functionStartLine : functionStartLine+4])
		}
	}
	if !bytes.Equal(before, after) {
		t.Error("more than the lines is another in the memory")
	}
}

func TestSegmentsFillTheSameMemory(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		var memory []byte
		for range random.IntN(12) {
			memory = append(memory, make([]byte, random.IntN(2*gap+2))...)
			for range random.IntN(20) {
				memory = append(memory, byte(random.IntN(3)))
			}
		}
		content := appendData(nil, memory)
		got, err := parseData(content)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if want := bytes.TrimRight(memory, "\x00"); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: the segments fill\n%x, not\n%x", seed, got, want)
		}
	}
}

func TestWhatIsNoModuleOfGoIsRefused(t *testing.T) {
	wasm := build(t)
	older := bytes.ReplaceAll(wasm, []byte("go1.26"), []byte("go1.25"))
	for _, row := range []struct {
		name, want string
		wasm       []byte
	}{
		{"nothing", "this is no WebAssembly module", nil},
		{"a page", "this is no WebAssembly module", []byte("<!doctype html>")},
		{"an empty module", "the module does not say that Go made it", preamble},
		{"half a module", "the module is cut off", wasm[:len(wasm)/2]},
		{"another Go", `the module was made by "go1.25.`, older},
		{"another magic number", errTables.Error(), bytes.Replace(wasm, functionsMagic, bytes.Replace(functionsMagic, []byte{0xf1}, []byte{0xf2}, 1), -1)},
	} {
		if _, err := Module(row.wasm); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

func TestDamageIsNoPanic(t *testing.T) {
	memory, _ := dataOf(t, build(t))
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	tables, err := findTables(memory)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if v := recover(); v != nil {
			t.Fatalf("seed %d: %v", seed, v)
		}
	}()
	for range 300 {
		damaged := bytes.Clone(memory)
		for range 20 {
			damaged[random.IntN(len(damaged))] = byte(random.IntN(256))
		}
		header := bytes.Index(damaged, functionsMagic)
		if header >= 0 {
			damaged[header+8+random.IntN(64)] = byte(random.IntN(256))
		}
		_ = clearLines(damaged)
	}
	for range 300 {
		f := tables.functions[random.IntN(len(tables.functions))]
		at := random.IntN(len(f))
		was := f[at]
		f[at] = byte(random.IntN(256))
		_ = clearLines(bytes.Clone(memory))
		f[at] = was
	}
}
