package serverstatesync_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// The README's programs are built as they stand there and run against each other; only the port is another.
func TestReadmeProgramsRun(t *testing.T) {
	blocks := goBlock.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) != 2 {
		t.Fatalf("the README has %d Go programs; this test runs a server and a client", len(blocks))
	}
	address := freeAddress(t)
	server := buildBlock(t, "server", blocks[0][1], address)
	client := buildBlock(t, "client", blocks[1][1], address)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serving := exec.CommandContext(ctx, server)
	var log bytes.Buffer
	serving.Stdout, serving.Stderr = &log, &log
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(ctx, client).CombinedOutput() // it waits for the server to listen
	cancel()
	_ = serving.Wait()
	if err != nil {
		t.Fatalf("the client: %v\n%s\nthe server:\n%s", err, out, log.String())
	}
	want := `version 1 has it: {"chatMessages":[{"content":"This is a new message"}]}`
	if !strings.Contains(string(out), want) {
		t.Errorf("the client printed\n%s\nwant in it: %s", out, want)
	}
}

// The README says that Start returns at once: its server, with Start in place of ListenAndServe, comes to its end.
func TestReadmeSaysThatStartReturns(t *testing.T) {
	text := read(t, "README.md")
	if !strings.Contains(text, "`Start` returns at once") {
		t.Error("the README does not say that `Start` returns at once")
	}
	source := goBlock.FindStringSubmatch(text)[1]
	if strings.Count(source, ".ListenAndServe(") != 1 {
		t.Fatal("the README's server does not call ListenAndServe once, which this test replaces")
	}
	server := buildBlock(t, "server", strings.Replace(source, ".ListenAndServe(", ".Start(", 1), freeAddress(t))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, server).CombinedOutput()
	if ctx.Err() != nil || !strings.HasSuffix(string(out), " <nil>\n") {
		t.Errorf("the server ended with %v and\n%s\nwant that log.Fatal logs Start's <nil>", err, out)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func buildBlock(t *testing.T, name, source, address string) string {
	t.Helper()
	if !strings.Contains(source, "localhost:5000") {
		t.Fatalf("the %s does not name localhost:5000, which this test replaces", name)
	}
	folder := t.TempDir()
	file, program := filepath.Join(folder, name+".go"), filepath.Join(folder, name)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(source, "localhost:5000", address)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, file).CombinedOutput(); err != nil {
		t.Fatalf("the README's %s does not build: %v\n%s", name, err, out)
	}
	return program
}

// optionDefault finds the default that a field of the server's limits says of itself.
var optionDefault = regexp.MustCompile(`(?m)^\t(\w+) +int +// .*?Default ([^.\n]+)`)

var limitRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| ([^|]+) \\| ([^|]*`Limits[^|]*) \\| [^|]+ \\|$")

func TestReadmeLimitsAreTheDefaults(t *testing.T) {
	defaults := map[string]string{}
	for _, match := range optionDefault.FindAllStringSubmatch(read(t, "server/options.go"), -1) {
		defaults[match[1]] = match[2]
	}
	rows := limitRow.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(rows) < 8 {
		t.Fatalf("only %d rows of limits found in the README", len(rows))
	}
	names := regexp.MustCompile("`Limits\\.(\\w+)`")
	for _, row := range rows {
		said := strings.Split(row[1], " and ")
		for i, name := range names.FindAllStringSubmatch(row[2], -1) {
			want := defaults[name[1]]
			if got := said[min(i, len(said)-1)]; got != want && !strings.HasPrefix(got, want+" ") {
				t.Errorf("the README says that Limits.%s is %s by default, its comment says %q", name[1], got, want)
			}
		}
	}
}

func TestReadmeNamesCommandsThatExist(t *testing.T) {
	makefile := read(t, "Makefile")
	for _, match := range regexp.MustCompile(`(?m)^    make (\w+)|`+"`make (\\w+)`").FindAllStringSubmatch(read(t, "README.md")+read(t, "CONTRIBUTING.md"), -1) {
		if target := match[1] + match[2]; !strings.Contains(makefile, "\n"+target+": ##") {
			t.Errorf("the documents name make %s, and the Makefile does not have it", target)
		}
	}
}

// Links between the documents lead to files that are there.
func TestDocumentsLinkToFilesThatExist(t *testing.T) {
	for _, file := range tracked(t, "*.md") {
		for _, match := range regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(read(t, file), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), match[1])); err != nil {
				t.Errorf("%s links to %s: %v", file, match[1], err)
			}
		}
	}
}

// What the README says of speed is what was measured last; `make bench` writes both.
func TestReadmeQuotesTheResults(t *testing.T) {
	block := regexp.MustCompile(`(?s)<!-- bench -->.*?<!-- end -->`)
	got, want := block.FindString(read(t, "README.md")), block.FindString(read(t, "bench/RESULTS.md"))
	if got == "" || got != want {
		t.Errorf("the README's figures are not those of bench/RESULTS.md: copy what stands between its marks, or run make bench. The README has\n%s\nwant\n%s", got, want)
	}
}

// The README's picture is the one that make e2e takes, and small enough to load with a page.
func TestTheReadmesPictureIsThere(t *testing.T) {
	const picture, most = "web/demo/front.png", 300_000
	if text := read(t, "README.md"); !strings.Contains(text, "]("+picture+")") {
		t.Errorf("README.md does not show %s", picture)
	}
	image := read(t, picture)
	if !strings.HasPrefix(image, "\x89PNG\r\n\x1a\n") || len(image) > most {
		t.Errorf("%s is no PNG, or has more than %d bytes: %d", picture, most, len(image))
	}
	if !strings.Contains(read(t, "e2e/torture_test.go"), strconv.Quote(picture)) {
		t.Errorf("e2e/torture_test.go does not write %s", picture)
	}
}

// The tests in a browser touch what a user can touch: they import nothing of ours.
func TestTheTestsInABrowserImportNothingOfOurs(t *testing.T) {
	files := tracked(t, "e2e/*.go", "e2e/go.mod")
	if len(files) < 10 {
		t.Fatalf("found only %v", files)
	}
	for _, file := range files {
		for line := range strings.Lines(read(t, file)) {
			if strings.Contains(line, module+"/") && !strings.HasPrefix(line, "module ") {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}
