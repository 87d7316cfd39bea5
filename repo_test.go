package serverstatesync_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/server-state-sync/server-state-sync"

// A room is one row of the house's table: a package, its idea, which of our packages it may import, and what it must
// not import. ARCHITECTURE.md prints the rows and .depguard.json repeats the bans for the linter; tests keep them equal.
type room struct {
	path  string
	layer int
	idea  string
	ours  []string // may import these of ours; "*" is all
	bans  []string // must not import these, nor what lies below them, in any build
	js    []string // the same, in the js/wasm build
	why   string
}

// rooms is the house, from the ground up.
var rooms = []room{
	{
		path: "internal/jsonscan", layer: 0,
		idea: "JSON text: where values end, what is no JSON, what a string says",
		bans: []string{"context", "fmt", "encoding/json", "log", "math/rand", "net", "os", "reflect", "sync", "syscall/js", "time"},
		why:  "it is the browser's download, and reads what strangers send",
	},
	{
		path: "internal/mutant", layer: 0,
		idea: "bugs put in on purpose, constants and false but under the build tag mutants",
		bans: []string{"context", "fmt", "encoding/json", "log", "math/rand", "net", "reflect", "sync", "syscall/js", "time"},
		why:  "without the tag nothing of it is left",
	},
	{
		path: "internal/sorting", layer: 0,
		idea: "sorting in little code",
		bans: []string{"context", "fmt", "encoding/json", "log", "math/rand", "net", "os", "reflect", "sync", "syscall/js", "time"},
		why:  "it is the browser's download",
	},
	{
		path: "document", layer: 0,
		idea: "a JSON state, and how a change applies to it",
		ours: []string{"internal/jsonscan", "internal/mutant", "internal/sorting"},
		bans: []string{"context", "fmt", "encoding/json", "log", "math/rand", "net", "os", "reflect", "sync", "syscall/js", "time"},
		why:  "same input, same output, on every machine",
	},
	{
		path: "protocol", layer: 0,
		idea: "the wire: a closed set of messages, codes, limits, codec",
		ours: []string{"document", "internal/jsonscan"},
		bans: []string{"context", "fmt", "encoding/json", "log", "math/rand", "net", "os", "reflect", "syscall/js", "time"},
		why:  "a codec is not a connection",
	},
	{
		path: "internal/pageclock", layer: 0,
		idea: "the clock and the timers of the page, in place of package time",
		js:   downloadBans,
		why:  "it is the browser's download",
	},
	{
		path: "internal/transport", layer: 1,
		idea: "whole frames over a native WebSocket or the browser's",
		ours: []string{"internal/pageclock"},
		js:   browserBans,
		why:  "of ours nothing: it moves frames that it cannot read",
	},
	{
		path: "internal/pipe", layer: 1,
		idea: "whole frames over a connection in memory, for tests",
		ours: []string{"internal/transport"},
		bans: []string{"net", "syscall/js"},
		why:  "it waits in the fake time of testing/synctest",
	},
	{
		path: "internal/core", layer: 1,
		idea: "the client as a state machine without I/O: events in, effects out",
		ours: []string{"internal/mutant", "document", "internal/sorting", "protocol"},
		bans: []string{"context", "fmt", "encoding/json", "log", "math/rand", "net", "os", "reflect", "sync", "syscall/js", "time"},
		why:  "it is the browser's download, and it is simulated for virtual days",
	},
	{
		path: "internal/shrink", layer: 1,
		idea: "the browser's module in fewer bytes than the linker makes it; a step of its build",
		bans: []string{"context", "net", "syscall/js", "time"},
		why:  "a file in, a file out",
	},
	{
		path: "stores", layer: 1,
		idea: "the seam between states and what keeps them; a store in memory",
		bans: []string{"net", "syscall/js"},
		why:  "a store keeps bytes that it cannot read",
	},
	{
		path: "stores/storestest", layer: 1,
		idea: "the contract of a store, as tests for any of them",
		ours: []string{"stores"},
		bans: []string{"net", "syscall/js"},
		why:  "a store of somebody else is held to it as well",
	},
	{
		path: "stores/disk", layer: 2,
		idea: "a store in a folder: one append-only log",
		ours: []string{"stores"},
		bans: []string{"net", "syscall/js"},
		why:  "a program names it to have it; server does not",
	},
	{
		path: "server", layer: 2,
		idea: "StateSyncer: states, connections, order, fan-out, authorization",
		ours: []string{"internal/mutant", "document", "protocol", "internal/transport", "stores"},
		bans: []string{"syscall/js"},
		why:  "the two ends never import each other",
	},
	{
		path: "internal/driver", layer: 2,
		idea: "the one client over the core: its socket, goroutines and callbacks; native and wasm",
		ours: []string{"document", "protocol", "internal/core", "internal/pageclock", "internal/sorting", "internal/transport"},
		js:   downloadBans,
		why:  "the same client goes to the browser; syscall/js stands in its js files only",
	},
	{
		path: "wasmclient", layer: 2,
		idea: "Client, the driver as the public Go API, with contexts and durations; native and wasm",
		ours: []string{"document", "protocol", "internal/core", "internal/driver"},
		bans: []string{"syscall/js"},
		js:   browserBans,
		why:  "a Go program in the browser may pay for context and time, and for no more",
	},
	{
		path: "wasmclient/typed", layer: 2,
		idea: "the client's states as a Go type, by encoding/json",
		ours: []string{"document", "wasmclient"},
		bans: []string{"syscall/js"},
		why:  "apart from wasmclient, so that encoding/json stays out of the browser",
	},
	{
		path: "jsbridge", layer: 3,
		idea: "the same client as a JavaScript object; the only user-facing syscall/js",
		ours: []string{"document", "internal/driver"},
		js:   downloadBans,
		why:  "nothing of the wire leaks to JavaScript",
	},
	{
		path: "cmd/statesync", layer: 4,
		idea: "the one program: serve, watch, append, get, update, patch, export, import",
		ours: []string{"document", "server", "stores", "stores/disk", "wasmclient"},
		bans: []string{"syscall/js"},
		why:  "it uses what a user's program can use",
	},
	{
		path: "internal/jointtest", layer: 4,
		idea: "tests that need both ends; imported by nobody",
		ours: []string{"*"},
		why:  "the two ends meet here and nowhere below",
	},
	{
		path: "internal/conformance", layer: 4,
		idea: "one corpus for three clients: Go, the browser's module, and one written from PROTOCOL.md; tests only",
		ours: []string{"document", "protocol", "server", "wasmclient"},
		why:  "what the clients share must not be what they are compared by",
	},
}

// browserBans are the packages that cost the browser's download more than they give (their price is in RATIONALE.md).
var browserBans = []string{
	"encoding/json", "fmt", "log", "net", "reflect", "regexp", "text/template",
	"github.com/coder/websocket", "github.com/go-json-experiment/json",
}

// downloadBans are the packages that our own module does without besides, and another Go program may want.
var downloadBans = append(slices.Clone(browserBans), "context", "time")

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath   string
	Name         string
	Dir          string
	Standard     bool
	GoFiles      []string
	CgoFiles     []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// target is a build that the house is held for.
type target struct{ name, goos, goarch string }

var targets = []target{{name: "native"}, {name: "js/wasm", goos: "js", goarch: "wasm"}}

func list(t *testing.T, build target, arguments ...string) []listed {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Name,Dir,Standard,GoFiles,CgoFiles,Imports,TestImports,XTestImports"}, arguments...)...)
	command.Env = os.Environ()
	if build.goos != "" {
		command.Env = append(command.Env, "GOOS="+build.goos, "GOARCH="+build.goarch, "CGO_ENABLED=0")
	}
	out, err := command.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go list: %v\n%s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}

// roomOf finds the row of a package of ours: its own, or that of the nearest folder above.
func roomOf(importPath string) (room, bool) {
	for folder := strings.TrimPrefix(importPath, module+"/"); folder != "."; folder = path.Dir(folder) {
		if i := slices.IndexFunc(rooms, func(r room) bool { return r.path == folder }); i >= 0 {
			return rooms[i], true
		}
	}
	return room{}, false
}

// oursOf returns the row of an imported package if it is ours; one without a row lies above all.
func oursOf(imported string) (room, bool) {
	if imported != module && !strings.HasPrefix(imported, module+"/") {
		return room{}, false
	}
	if r, ok := roomOf(imported); ok {
		return r, true
	}
	return room{path: imported, layer: 9}, true
}

// banned reports the entry of bans that forbids the import, or "".
func banned(bans []string, imported string) string {
	for _, ban := range bans {
		exact, only := strings.CutSuffix(ban, "$")
		if imported == exact || !only && strings.HasPrefix(imported, exact+"/") {
			return ban
		}
	}
	return ""
}

func (r room) mayImport(other room) bool {
	return r.path == other.path || slices.Contains(r.ours, "*") || slices.Contains(r.ours, other.path)
}

func TestImportsPointDownOnly(t *testing.T) {
	for _, build := range targets {
		t.Run(build.name, func(t *testing.T) {
			for _, p := range list(t, build, "./...") {
				if p.ImportPath == module {
					continue
				}
				from, ok := roomOf(p.ImportPath)
				if !ok {
					t.Errorf("%s has no row in the table of rooms: a new folder needs one, and a line in ARCHITECTURE.md", p.ImportPath)
					continue
				}
				checkImports(t, build, from, p)
			}
		})
	}
}

func checkImports(t *testing.T, build target, from room, p listed) {
	t.Helper()
	for _, imported := range p.Imports {
		if to, ours := oursOf(imported); ours && !from.mayImport(to) {
			t.Errorf("%s imports %s: the table does not allow it (may import: %s)", p.ImportPath, imported, strings.Join(from.ours, ", "))
		}
	}
	for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
		if to, ours := oursOf(imported); ours && !from.mayImport(to) && to.layer >= from.layer {
			t.Errorf("a test of %s imports %s, which does not lie below it: such tests belong into internal/jointtest", p.ImportPath, imported)
		}
	}
	bans := from.bans
	if build.goos == "js" {
		bans = slices.Concat(bans, from.js)
	}
	for _, imported := range p.Imports {
		if ban := banned(bans, imported); ban != "" {
			t.Errorf("%s imports %s: %s must not (%s)", p.ImportPath, imported, from.path, from.why)
		}
	}
}

func TestTheTableItselfPointsDown(t *testing.T) {
	byPath := map[string]room{}
	for _, r := range rooms {
		byPath[r.path] = r
	}
	seen := map[string]bool{}
	for _, r := range rooms {
		for _, other := range r.ours {
			if other != "*" && (!seen[other] || byPath[other].layer > r.layer) {
				t.Errorf("%s (layer %d) may import %s, which does not stand above it in the table", r.path, r.layer, other)
			}
		}
		seen[r.path] = true
	}
}

func TestTheBrowserGetsNoForbiddenPackage(t *testing.T) {
	build := targets[1]
	roots := map[string][]string{"./wasmclient": browserBans}
	for _, p := range list(t, build, "./jsbridge/...") {
		roots[p.ImportPath] = downloadBans
	}
	for root, bans := range roots {
		for _, p := range list(t, build, "-deps", root) {
			if ban := banned(bans, p.ImportPath); ban != "" {
				t.Errorf("%s on js/wasm depends on %s; find the way with: GOOS=js GOARCH=wasm go list -deps -f '{{.ImportPath}}: {{.Imports}}' %s", root, p.ImportPath, root)
			}
		}
	}
}

func TestSyscallJSStandsInJSFilesOnly(t *testing.T) {
	for _, folder := range []string{"internal/driver", "internal/transport"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			isJS := strings.HasSuffix(file, "_js.go") || strings.HasSuffix(file, "_js_test.go")
			if !isJS && strings.Contains(read(t, file), "\"syscall/js\"") {
				t.Errorf("%s imports syscall/js: that belongs into a file named _js.go", file)
			}
		}
	}
}

func TestArchitecturePrintsTheTable(t *testing.T) {
	var want strings.Builder
	want.WriteString("| layer | package | its one idea | of ours it may import | must not import | why |\n|---|---|---|---|---|---|\n")
	for _, r := range rooms {
		bans := r.bans
		switch len(r.js) {
		case len(browserBans):
			bans = append(slices.Clone(bans), "on js the browser's list")
		case len(downloadBans):
			bans = append(slices.Clone(bans), "on js the browser's list, context, time")
		}
		want.WriteString("| " + strings.Join([]string{
			string(rune('0' + r.layer)), "`" + r.path + "`", r.idea, words(r.ours, "*", "everything"), words(bans, "", ""), r.why,
		}, " | ") + " |\n")
	}
	if !strings.Contains(read(t, "ARCHITECTURE.md"), want.String()) {
		t.Errorf("ARCHITECTURE.md does not print the table of rooms; it must contain:\n%s", want.String())
	}
	if list := "`" + strings.Join(browserBans, "`, `") + "`"; !strings.Contains(read(t, "ARCHITECTURE.md"), list) {
		t.Errorf("ARCHITECTURE.md does not print the browser's list; it must contain:\n%s", list)
	}
}

// words writes a cell of the table: a dash for nothing.
func words(names []string, from, to string) string {
	if len(names) == 0 {
		return "-"
	}
	text := strings.Join(names, ", ")
	if from != "" {
		text = strings.ReplaceAll(text, from, to)
	}
	return text
}

func TestDepguardRepeatsTheBans(t *testing.T) {
	type rule struct {
		Files    []string          `json:"files"`
		ListMode string            `json:"listMode"`
		Deny     map[string]string `json:"deny"`
	}
	want := map[string]rule{}
	for _, r := range rooms {
		if slices.Contains(r.ours, "*") {
			continue
		}
		deny := map[string]string{}
		for _, ban := range r.bans {
			deny[ban+"$"], deny[ban+"/"] = r.why, r.why
		}
		for _, other := range rooms {
			if !r.mayImport(other) {
				deny[module+"/"+other.path+"$"] = r.why
			}
		}
		want[r.path] = rule{Files: []string{"**/" + r.path + "/*.go", "!$test"}, ListMode: "Lax", Deny: deny}
	}
	text, err := json.MarshalIndent(want, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(".depguard.json", append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, ".depguard.json") != string(text)+"\n" {
		t.Error(".depguard.json does not repeat the table of rooms; write it anew with: UPDATE=1 go test -run TestDepguardRepeatsTheBans .")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
