package protocol

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden vectors and the generated parts of PROTOCOL.md anew")

// golden holds testdata/vectors/name to the vectors that the code makes, one on a line.
func golden[V any](t *testing.T, name string, vectors []V) {
	t.Helper()
	text := []byte("[\n")
	for i, v := range vectors {
		if i > 0 {
			text = append(text, ",\n"...)
		}
		text = append(text, line(t, v)...)
	}
	goldenFile(t, filepath.Join("testdata", "vectors", name), append(text, "\n]\n"...))
}

func goldenFile(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || !bytes.Equal(g[i], w[i]) {
			t.Fatalf("%s: line %d is\n%s\nand the code makes\n%s\n(go test ./protocol -update writes it anew)", name, i+1, at(g, i), at(w, i))
		}
	}
}

func at(lines [][]byte, i int) []byte {
	if i < len(lines) {
		return lines[i]
	}
	return []byte("missing")
}

// line writes a vector as compact JSON, keeping <, > and & readable.
func line(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// unique fails on two vectors of one name.
func unique(t *testing.T, names map[string]bool, name string) {
	t.Helper()
	if names[name] {
		t.Errorf("two vectors are named %q", name)
	}
	names[name] = true
}
