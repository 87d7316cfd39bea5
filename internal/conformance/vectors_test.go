//go:build !js

package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/protocol"
)

const vectors = "../../protocol/testdata/vectors"

// TestReferenceAgreesWithTheVectors: the client that was written from PROTOCOL.md is held to every golden vector.
func TestReferenceAgreesWithTheVectors(t *testing.T) {
	out, err := nodeCommand(t, filepath.Join("testdata", "reference", "vectors.mjs"), vectors).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	held := map[string]int{}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &held); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(vectors, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no vectors: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all []json.RawMessage
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(file); held[name] != len(all) {
			t.Errorf("of %d vectors of %s the reference was held to %d", len(all), name, held[name])
		}
	}
}

// codeName returns the name of a code that a client gave as its number; others are names already.
func codeName(code string) string {
	if number, err := strconv.ParseUint(code, 10, 16); err == nil {
		return protocol.Code(number).String()
	}
	return code
}
