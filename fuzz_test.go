package serverstatesync_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// decoders are what reads text of strangers, and the fuzz target of each. Whoever adds one adds a row.
var decoders = map[string][]string{
	"FuzzScan":             {"jsonscan.End", "jsonscan.Space", "jsonscan.Unquote", "jsonscan.AppendQuoted"},
	"FuzzParse":            {"document.Parse", "document.ParseFirst"},
	"FuzzPatch":            {"document.ParsePatch", "document.ParseOpKind", "document.Resolve", "document.Apply"},
	"FuzzPointer":          {"document.ParsePointer", "document.ParsePath"},
	"FuzzCarry":            {"document.Carry", "document.Invert"},
	"FuzzDiff":             {"document.Diff", "document.Merge"},
	"FuzzDecodeClient":     {"protocol.DecodeClient"},
	"FuzzDecodeServer":     {"protocol.DecodeServer"},
	"FuzzOps":              {"protocol.DecodeOps"},
	"FuzzTokenSubprotocol": {"protocol.TokenFromSubprotocol"},
	"FuzzIdentifiers":      {"protocol.CheckIdentifier", "protocol.CheckSession"},
	"FuzzMeter":            {"transport.meter"},
	"FuzzReceive":          {"server.receive"},
	"FuzzRestore":          {"server.parseHeader", "server.parseCheckpoint", "server.parseRecord"},
	"FuzzHandshake":        {"server.AccessToken", "server.subprotocols", "server.checkOrigin"},
	"FuzzScript":           {"core.Received"},
}

// fewestSeeds is how many inputs of a target stand in the tree.
const fewestSeeds = 4

var (
	fuzzTarget = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	readsText  = regexp.MustCompile(`(?m)^func ((?:Parse|Decode|Check|Unquote|TokenFrom)\w*)\(`)
)

func TestEveryFuzzTargetHasSeeds(t *testing.T) {
	found := map[string]bool{}
	for _, file := range tracked(t, "*_test.go") {
		for _, match := range fuzzTarget.FindAllStringSubmatch(read(t, file), -1) {
			target := match[1]
			found[target] = true
			if decoders[target] == nil {
				t.Errorf("%s: %s has no row of decoders", file, target)
			}
			if seeds := tracked(t, path.Join(path.Dir(file), "testdata/fuzz", target, "*")); len(seeds) < fewestSeeds {
				t.Errorf("%s: %s has %d inputs in the tree, want %d", file, target, len(seeds), fewestSeeds)
			}
		}
	}
	for target := range decoders {
		if !found[target] {
			t.Errorf("there is no %s", target)
		}
	}
}

func TestEveryDecoderIsFuzzed(t *testing.T) {
	var rows []string
	for _, names := range decoders {
		rows = append(rows, names...)
	}
	for _, file := range tracked(t, "document/*.go", "protocol/*.go", "internal/jsonscan/*.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, match := range readsText.FindAllStringSubmatch(read(t, file), -1) {
			if name := path.Base(path.Dir(file)) + "." + match[1]; !slices.Contains(rows, name) {
				t.Errorf("%s: %s reads what strangers send, and no row of decoders says what fuzzes it", file, name)
			}
		}
	}
}
