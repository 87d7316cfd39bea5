package serverstatesync_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mutantRow is a line of the table in scripts/mutants.sh: a bug, and the test that catches it.
type mutantRow struct{ mutant, folder, test string }

func mutantRows(t *testing.T) (rows []mutantRow) {
	t.Helper()
	_, table, _ := strings.Cut(read(t, "scripts/mutants.sh"), "<<'TABLE'\n")
	table, _, _ = strings.Cut(table, "\nTABLE\n")
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Fields(line)
		if len(cells) != 3 {
			t.Fatalf("scripts/mutants.sh: a row is MUTANT PACKAGE TEST, and one is %q", line)
		}
		rows = append(rows, mutantRow{cells[0], cells[1], cells[2]})
	}
	return rows
}

// declared lists the constants and the variables with an exported name that a file declares, in order.
func declared(t *testing.T, name string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && spec.Names[0].IsExported() {
			names = append(names, spec.Names[0].Name)
		}
		return true
	})
	return names
}

// testsByFolder returns the test functions and fuzz targets of each folder.
func testsByFolder(t *testing.T) map[string]map[string]bool {
	t.Helper()
	folders := map[string]map[string]bool{}
	for _, name := range tracked(t, "*_test.go") {
		folder := path.Dir(name)
		if folders[folder] == nil {
			folders[folder] = map[string]bool{}
		}
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(read(t, name), -1) {
			folders[folder][match[1]] = true
		}
	}
	return folders
}

func TestEveryMutantIsInEveryTable(t *testing.T) {
	var named []string
	for _, row := range mutantRows(t) {
		named = append(named, row.mutant)
	}
	off, on := declared(t, "internal/mutant/off.go"), declared(t, "internal/mutant/on.go")
	if len(off) < 12 || !slices.Equal(off, on) || !slices.Equal(off, named) {
		t.Errorf("the mutants are not the same everywhere\n\tinternal/mutant/off.go %q\n\tinternal/mutant/on.go  %q\n\tscripts/mutants.sh     %q", off, on, named)
	}
	for _, match := range regexp.MustCompile(`(\w+) += chosen\("(\w+)"\)`).FindAllStringSubmatch(read(t, "internal/mutant/on.go"), -1) {
		if match[1] != match[2] {
			t.Errorf("internal/mutant/on.go: %s is chosen by the name %s", match[1], match[2])
		}
	}
}

func TestEveryMutantIsInTheCodeAndHasItsTest(t *testing.T) {
	places := map[string]int{}
	for _, name := range tracked(t, "*.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, match := range regexp.MustCompile(`\bmutant\.([A-Z]\w*)`).FindAllStringSubmatch(read(t, name), -1) {
			places[match[1]]++
		}
	}
	tests := testsByFolder(t)
	for _, row := range mutantRows(t) {
		if places[row.mutant] != 1 {
			t.Errorf("%s stands at %d places in the code, and a mutant is one bug at one place", row.mutant, places[row.mutant])
		}
		if !tests[row.folder][row.test] {
			t.Errorf("scripts/mutants.sh: %s has no %s", row.folder, row.test)
		}
	}
}
