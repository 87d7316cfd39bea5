package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The promise of --data: lines stream into a state, somebody watches, the server is killed and started again, and both go
// on by themselves with nothing lost or doubled.
func TestStreamGoesOnAfterAKill(t *testing.T) {
	const n, kills = 30_000, 3
	folder, states := t.TempDir(), statesFile(t, exampleStates)
	server, address := serve(t, "--data", folder, "--states", states)
	watcher := start(t, nil, "watch", "--values", address, "demo")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	feeder := start(t, reader, "append", "--json", address, "demo", "numbers")
	want := numbers(n)
	for i := range kills {
		feed(t, writer, want[len(want)/(kills+1)*i:len(want)/(kills+1)*(i+1)])
		watcher.stdout.says(t, fmt.Sprintf("\n%d\n", n/(kills+2)*(i+1)))
		server.signal(syscall.SIGKILL)
		<-server.ended
		server = start(t, nil, "serve", "--address", strings.TrimPrefix(address, "ws://"), "--data", folder, "--states", states)
		addressOf(t, server)
	}
	feed(t, writer, want[len(want)/(kills+1)*kills:])
	_ = writer.Close()
	if code := feeder.exit(); code != 0 {
		t.Fatalf("append ended with %d: %s", code, feeder.stderr.text())
	}
	got := watcher.stdout.until(t, "the last number", func(text string) bool {
		return strings.HasSuffix(text, fmt.Sprintf("\n%d\n", n)) || len(text) > len(want)
	})
	if got != want {
		t.Error(firstDifference(got, want))
	}
	if said := feeder.stderr.text() + watcher.stderr.text(); strings.Contains(said, "replaced") {
		t.Errorf("the state did not keep its life: %s", said)
	}
}

// A server that was asked to end has everything at its next start, and a state of the folder goes before one in the file.
func TestStatesAreThereAfterAnEnd(t *testing.T) {
	folder, states := t.TempDir(), statesFile(t, exampleStates)
	server, address := serve(t, "--data", folder, "--states", states, "--create-missing")
	for _, state := range []string{"demo", "made on demand"} {
		if _, stderr, code := runs(t, "", "update", address, state, `{"counter": 7}`); code != 0 {
			t.Fatalf("update ended with %d: %s", code, stderr)
		}
	}
	server.signal(syscall.SIGTERM)
	if code := server.exit(); code != 0 {
		t.Fatalf("serve ended with %d: %s", code, server.stderr.text())
	}
	_, address = serve(t, "--data", folder, "--states", states)
	for state, want := range map[string]string{
		"demo":           `{"version":1,"value":{"counter":7,"messages":[],"numbers":[]}}`,
		"made on demand": `{"version":1,"value":{"counter":7}}`,
	} {
		stdout, stderr, code := runs(t, "", "get", "--json", address, state)
		if code != 0 || stdout != want+"\n" {
			t.Errorf("get %s: exit code %d, %q, want %q; %s", state, code, stdout, want, stderr)
		}
	}
}

func TestServeSaysWhyAFolderIsNotForIt(t *testing.T) {
	used := t.TempDir()
	serve(t, "--data", used)
	file := statesFile(t, exampleStates)
	foreign := filepath.Dir(file)
	newer := t.TempDir()
	for _, test := range []struct {
		name, folder, durability string
		code                     int
		want                     string
	}{
		{"in use", used, "synced", 1, "uses it; a folder serves one process at a time"},
		{"a file", file, "synced", 1, "it is a file, and must be a folder"},
		{"not ours", foreign, "synced", 1, "it is not a folder of states"},
		{"no such durability", newer, "sometimes", 2, `--durability is "sometimes"; it may be synced or written`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, stderr, code := runs(t, "", "serve", "--address", "127.0.0.1:0", "--data", test.folder, "--durability", test.durability)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, %q; want %d, %q", code, stderr, test.code, test.want)
			}
		})
	}
}

// What one server exports another has after the import, with values and times of creation; both by the program on the
// folder itself, and through a server that has the folder.
func TestExportAndImport(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	server, address := serve(t, "--data", from, "--create-missing")
	values := map[string]string{"a": `{"x":[1,2,{"y":"é"}]}`, "b": `{}`, "with space/and:slash": `{"n":0.5}`}
	for state, value := range values {
		if _, stderr, code := runs(t, value, "update", address, state); code != 0 {
			t.Fatalf("update ended with %d: %s", code, stderr)
		}
	}
	serving := exported(t, from)
	server.signal(syscall.SIGTERM)
	server.exit()
	alone := exported(t, from)
	if serving != alone {
		t.Errorf("the running server exported\n%sand the folder alone\n%s", serving, alone)
	}
	if got := strings.Count(alone, "\n"); got != len(values) {
		t.Errorf("%d lines, want %d: %s", got, len(values), alone)
	}
	if one := exported(t, from, "b"); strings.Count(one, "\n") != 1 || !strings.Contains(one, `"identifier":"b"`) {
		t.Errorf("export of b: %q", one)
	}

	first, rest, _ := strings.Cut(alone, "\n")
	if _, stderr, code := runs(t, first+"\n", "import", "--data", to); code != 0 {
		t.Fatalf("import ended with %d: %s", code, stderr)
	}
	_, address = serve(t, "--data", to)
	if _, stderr, code := runs(t, rest, "import", "--data", to); code != 0 {
		t.Fatalf("import into a running server ended with %d: %s", code, stderr)
	}
	for state, want := range values {
		stdout, stderr, code := runs(t, "", "get", address, state)
		if code != 0 || stdout != want+"\n" {
			t.Errorf("get %s: exit code %d, %q; %s", state, code, stdout, stderr)
		}
	}
	withoutVersion := func(text string) string { return strings.ReplaceAll(text, `"version":1}`, `"version":0}`) }
	if got := exported(t, to); got != withoutVersion(alone) {
		t.Errorf("exported again:\n%swant\n%s", got, withoutVersion(alone))
	}
}

// A folder that is not there, or holds something else, is no empty backup; nothing is written there. Neither is an empty
// import one.
func TestExportOfNoFolderFails(t *testing.T) {
	empty := t.TempDir()
	for _, folder := range []string{filepath.Join(empty, "mistyped"), empty} {
		stdout, stderr, code := runs(t, "", "export", "--data", folder)
		if code != 1 || stdout != "" || !strings.Contains(stderr, "is no folder of states") {
			t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
		}
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("export left %v: %v", left, err)
	}
	if _, stderr, code := runs(t, "\n", "import", "--data", empty); code != 1 || !strings.Contains(stderr, "standard input has no lines") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

// A folder may have any name, also one that a shell would take for a pattern.
func TestExportOfAFolderWhateverItsName(t *testing.T) {
	for _, name := range []string{"data[1]", "*", `back\slash`, "?", "with space"} {
		folder := filepath.Join(t.TempDir(), name)
		if _, stderr, code := runs(t, `{"identifier":"s","value":{}}`, "import", "--data", folder); code != 0 {
			t.Fatalf("%s: import ended with %d: %s", name, code, stderr)
		}
		if got := exported(t, folder); !strings.Contains(got, `"identifier":"s"`) {
			t.Errorf("%s: exported %q", name, got)
		}
	}
}

// A line that is refused ends nothing, and of several lines of a state the last one stands.
func TestImportReplacesWithWhatIsRight(t *testing.T) {
	folder := t.TempDir()
	if _, stderr, code := runs(t, `{"identifier":"s","value":{"precious":1}}`, "import", "--data", folder); code != 0 {
		t.Fatalf("import ended with %d: %s", code, stderr)
	}
	for _, line := range []string{
		`{"identifier":"s","value":{"` + strings.Repeat("k", 3000) + `":1}}`,
		`{"identifier":"s","value":{},"createdAt":"0000-01-01T00:00:00+23:00"}`,
	} {
		if _, stderr, code := runs(t, line, "import", "--replace", "--data", folder); code != 1 || !strings.Contains(stderr, "line 1 was refused") {
			t.Errorf("%.80s: exit code %d: %s", line, code, stderr)
		}
	}
	if got := exported(t, folder); !strings.Contains(got, `"value":{"precious":1}`) {
		t.Errorf("exported %s", got)
	}
	var lines strings.Builder
	for i := range 20 {
		fmt.Fprintf(&lines, `{"identifier":"s","value":{"n":%d}}`+"\n", i)
	}
	if _, stderr, code := runs(t, lines.String(), "import", "--replace", "--data", folder); code != 0 {
		t.Errorf("import ended with %d: %s", code, stderr)
	}
	if got := exported(t, folder); !strings.Contains(got, `"value":{"n":19}`) {
		t.Errorf("exported %s", got)
	}
}

func exported(t *testing.T, folder string, states ...string) string {
	t.Helper()
	stdout, stderr, code := runs(t, "", append([]string{"export", "--data", folder}, states...)...)
	if code != 0 {
		t.Fatalf("export ended with %d: %s", code, stderr)
	}
	return stdout
}

// Lines that make no state are told by their number, the others are imported.
func TestImportTellsRefusedLines(t *testing.T) {
	for name, serving := range map[string]bool{"alone": false, "serving": true} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if serving {
				serve(t, "--data", folder)
			}
			lines := strings.Join([]string{
				`{"identifier":"a","value":{}}`, `no JSON`, ``, `[]`, `{"value":{}}`, `{"identifier":"b","value":7}`,
				`{"identifier":"c","value":{},"createdAt":"yesterday"}`, `{"identifier":"d","value":{"x":1}}`,
			}, "\n")
			_, stderr, code := runs(t, lines, "import", "--data", folder)
			if code != 1 {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			for _, want := range []string{
				"line 2 was refused", "line 4 was refused: it is no JSON object but array", "line 5 was refused: it has no identifier that is a string",
				`line 6 was refused: the value of "b" is no JSON object`, `line 7 was refused: createdAt of "c" is no time as in RFC 3339`,
				"2 lines were imported, 5 refused",
			} {
				if !strings.Contains(stderr, want) {
					t.Errorf("standard error does not say %q: %s", want, stderr)
				}
			}
			again := `{"identifier":"d","value":{"x":2}}` + "\n"
			if _, stderr, code := runs(t, again, "import", "--data", folder); code != 1 || !strings.Contains(stderr, `the state "d" is there already; --replace`) {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			if _, stderr, code := runs(t, again, "import", "--replace", "--data", folder); code != 0 {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			if got := exported(t, folder, "d"); !strings.Contains(got, `"value":{"x":2}`) {
				t.Errorf("exported %s", got)
			}
		})
	}
}

// Ten thousand states of 4 KB: the folder is read at the start, and the states when they are used.
func TestManyStatesStartAtOnce(t *testing.T) {
	const states, size = 10_000, 4 << 10
	folder := t.TempDir()
	var lines strings.Builder
	for i := range states {
		fmt.Fprintf(&lines, `{"identifier":"state%d","value":{"text":"%s","n":%d}}`+"\n", i, strings.Repeat("x", size), i)
	}
	began := time.Now()
	if _, stderr, code := runs(t, lines.String(), "import", "--data", folder); code != 0 {
		t.Fatalf("import ended with %d: %s", code, stderr)
	}
	t.Logf("%d states imported in %v", states, time.Since(began).Round(time.Millisecond))
	began = time.Now()
	server, address := serve(t, "--data", folder)
	t.Logf("serving after %v", time.Since(began).Round(time.Millisecond))
	stdout, stderr, code := runs(t, "", "get", address, "state9999", "/n")
	if code != 0 || stdout != "9999\n" {
		t.Errorf("exit code %d, %q; %s", code, stdout, stderr)
	}
	server.signal(syscall.SIGKILL)
	<-server.ended
	began = time.Now()
	serve(t, "--data", folder)
	t.Logf("after a kill, serving after %v", time.Since(began).Round(time.Millisecond))
}
