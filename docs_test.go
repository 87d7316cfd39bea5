package serverstatesync_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// exported lists what a package declares under exported names.
func exported(t *testing.T, folder string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, name := range tracked(t, folder+"/*.go") {
		if strings.HasSuffix(name, "_test.go") || strings.Count(name, "/") != strings.Count(folder, "/")+1 {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range s.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

var qualified = regexp.MustCompile("`(document|protocol|core|server|wasmclient)\\.([A-Z]\\w*)")

// What the documents call by its Go name is there.
func TestDocumentsNameWhatExists(t *testing.T) {
	declared := map[string]map[string]bool{
		"document": exported(t, "document"), "protocol": exported(t, "protocol"), "core": exported(t, "internal/core"),
		"server": exported(t, "server"), "wasmclient": exported(t, "wasmclient"),
	}
	for _, file := range []string{"README.md", "ARCHITECTURE.md", "RATIONALE.md", "CHANGELOG.md", "CONTRIBUTING.md", "PROTOCOL.md", "RELIABILITY.md"} {
		for _, match := range qualified.FindAllStringSubmatch(read(t, file), -1) {
			if !declared[match[1]][match[2]] {
				t.Errorf("%s names %s.%s, which is not there", file, match[1], match[2])
			}
		}
	}
}

// The glossary's words are one per idea: none stands twice, and each has a meaning.
func TestGlossary(t *testing.T) {
	_, glossary, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "| word | what it is | in Go |\n")
	glossary, _, _ = strings.Cut(glossary, "\n\n")
	seen := map[string]bool{}
	for row := range strings.Lines(glossary) {
		cells := strings.Split(row, "|")
		for word := range strings.SplitSeq(cells[1], ",") {
			word = strings.TrimSpace(word)
			if seen[word] || strings.TrimSpace(cells[2]) == "" {
				t.Errorf("the glossary has %q twice or without a meaning", word)
			}
			seen[word] = true
		}
	}
	if len(seen) < 20 {
		t.Errorf("the glossary has %d words only", len(seen))
	}
}

// Files that the documents name by a path from the root are there.
func TestDocumentsNameFilesThatExist(t *testing.T) {
	path := regexp.MustCompile("`((?:document|protocol|internal|server|wasmclient|jsbridge|cmd|scripts|tools|testdata)/[\\w./-]+)")
	for _, file := range []string{"README.md", "ARCHITECTURE.md", "RATIONALE.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELIABILITY.md"} {
		for _, match := range path.FindAllStringSubmatch(read(t, file), -1) {
			if _, err := os.Stat(strings.TrimSuffix(match[1], ".")); err != nil {
				t.Errorf("%s names %s: %v", file, match[1], err)
			}
		}
	}
}
