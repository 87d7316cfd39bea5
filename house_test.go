package serverstatesync_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	mostFileLines     = 500
	mostFunctionLines = 80
)

// tracked lists the files that git has or would have, and that exist.
func tracked(t *testing.T, patterns ...string) []string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--"}, patterns...)...).Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	deleted, err := exec.Command("git", "ls-files", "--deleted").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	gone := map[string]bool{}
	for _, file := range strings.Fields(string(deleted)) {
		gone[file] = true
	}
	var files []string
	for _, file := range strings.Fields(string(out)) {
		if !gone[file] {
			files = append(files, file)
		}
	}
	return files
}

func TestFilesAreShort(t *testing.T) {
	for _, file := range tracked(t, "*.go", "*.sh", "*.ts", "*.mjs") {
		if n := strings.Count(read(t, file), "\n"); n > mostFileLines {
			t.Errorf("%s has %d lines, more than %d", file, n, mostFileLines)
		}
	}
}

// eachGoFile parses every Go file with its comments.
func eachGoFile(t *testing.T, visit func(name string, files *token.FileSet, file *ast.File)) {
	t.Helper()
	for _, name := range tracked(t, "*.go") {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		visit(name, files, file)
	}
}

func TestFunctionsAreShort(t *testing.T) {
	eachGoFile(t, func(name string, files *token.FileSet, file *ast.File) {
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := files.Position(f.Pos()).Line, files.Position(f.End()).Line
			if n := last - first + 1; n > mostFunctionLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d", name, first, f.Name.Name, n, mostFunctionLines)
			}
		}
	})
}

func TestExportedIdentifiersAreDocumented(t *testing.T) {
	eachGoFile(t, func(name string, files *token.FileSet, file *ast.File) {
		if strings.HasSuffix(name, "_test.go") || file.Name.Name == "main" {
			return
		}
		undocumented := func(node ast.Node, what string) {
			t.Errorf("%s: %s is exported and has no comment", files.Position(node.Pos()), what)
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && receiverIsExported(d) && d.Doc == nil {
					undocumented(d, d.Name.Name)
				}
			case *ast.GenDecl:
				checkDocumented(d, undocumented)
			}
		}
	})
}

// checkDocumented takes a group's comment for all its constants or variables, but wants one on every type.
func checkDocumented(d *ast.GenDecl, undocumented func(ast.Node, string)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || len(d.Specs) > 1) {
				undocumented(s, s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					undocumented(s, name.Name)
				}
			}
		}
	}
}

func receiverIsExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	exported := false
	ast.Inspect(f.Recv.List[0].Type, func(node ast.Node) bool {
		if name, ok := node.(*ast.Ident); ok && !exported {
			exported = name.IsExported()
			return false
		}
		return true
	})
	return exported
}

// A test that does not run is not a test: what it needs is either there or the run fails and says so.
func TestNoTestIsSkipped(t *testing.T) {
	eachGoFile(t, func(name string, files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			on, _ := method.X.(*ast.Ident)
			switch method.Sel.Name {
			case "Skip", "Skipf", "SkipNow":
				if on != nil && (on.Name == "t" || on.Name == "b" || on.Name == "tb") {
					t.Errorf("%s: a test is skipped", files.Position(call.Pos()))
				}
			}
			return true
		})
	})
}

// These say nothing about what a thing is (STYLE: one noun per idea).
var emptyWords = regexp.MustCompile(`(Manager|Helper|Helpers|Util|Utils|Data|Info)$`)

func TestTypesAreNamedForTheirIdea(t *testing.T) {
	eachGoFile(t, func(name string, files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok && emptyWords.MatchString(spec.Name.Name) {
				t.Errorf("%s: type %s: the name does not say what it is", files.Position(spec.Pos()), spec.Name.Name)
			}
			return true
		})
	})
}

// British spellings that slip in, as stems.
var british = regexp.MustCompile(`(?i)\b(behaviour|colour|favour|honour|neighbour|serialis|synchronis|normalis|optimis(e|ing|ation)|organis|recognis|initialis|authoris|cancell(ed|ing)|centre\b|licence|catalogue|grey\b|whilst|analys(e|ed|ing)\b)`)

func TestSpellingIsAmerican(t *testing.T) {
	for _, file := range tracked(t, "*.go", "*.md", "*.sh", "Makefile") {
		if file == "house_test.go" {
			continue
		}
		for i, line := range strings.Split(read(t, file), "\n") {
			if word := british.FindString(line); word != "" {
				t.Errorf("%s:%d: %q is British spelling", file, i+1, word)
			}
		}
	}
}

// Nothing that is true on one machine only, and no address of a package registry.
var machine = regexp.MustCompile(`/(work|tmp|root|home|Users)/|proxy\.golang|registry\.npmjs|deb\.debian|pypi\.org|sum\.golang`)

func TestNoMachineOrRegistryIsNamed(t *testing.T) {
	for _, file := range tracked(t) {
		text := read(t, file)
		if file == "house_test.go" || strings.HasSuffix(file, ".sum") || !utf8.ValidString(text) {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			if found := machine.FindString(line); found != "" {
				t.Errorf("%s:%d: names %q", file, i+1, found)
			}
		}
	}
}
