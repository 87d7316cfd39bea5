package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const exampleStates = `{"demo": {"messages": [], "numbers": [], "counter": 0}}`

// numbers returns what seq 1 n prints.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i+1)
	}
	return b.String()
}

// The promise of the whole: a pipeline feeds a state, one watcher is suspended and resumed, the other's connection is
// cut again and again, and every number arrives once and in order in both.
func TestEveryLineArrivesOnceAndInOrder(t *testing.T) {
	const n = 100_000
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	cut, throughProxy := cuttingProxy(t, strings.TrimPrefix(address, "ws://"), func(nth int) int64 {
		if nth > 3 {
			return 0
		}
		return int64(nth * 50_021)
	})
	want := numbers(n)
	suspended := start(t, nil, "watch", "--values", address, "demo")
	interrupted := start(t, nil, "watch", "--values", throughProxy, "demo")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	feeder := start(t, reader, "append", "--json", address, "demo", "numbers")

	feed(t, writer, want[:len(want)/10])
	suspended.stdout.says(t, "\n1000\n")
	suspended.signal(syscall.SIGSTOP)
	feed(t, writer, want[len(want)/10:])
	_ = writer.Close()
	if code := feeder.exit(); code != 0 {
		t.Fatalf("append ended with %d: %s", code, feeder.stderr.text())
	}
	suspended.signal(syscall.SIGCONT)

	for name, watcher := range map[string]*process{"suspended": suspended, "interrupted": interrupted} {
		got := watcher.stdout.until(t, "the last number", func(text string) bool {
			return strings.HasSuffix(text, fmt.Sprintf("\n%d\n", n)) || len(text) > len(want)
		})
		if got != want {
			t.Errorf("the %s watcher: %s", name, firstDifference(got, want))
		}
	}
	if cut.count() < 3 {
		t.Errorf("the connection was cut %d times only: the test shows too little", cut.count())
	}
}

func feed(t *testing.T, writer *os.File, text string) {
	t.Helper()
	if _, err := writer.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func firstDifference(got, want string) string {
	left, right := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return fmt.Sprintf("line %d is %q, not %q (%d lines of %d)", i+1, left[i], right[i], len(left), len(right))
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(left), len(right))
}

// The one who appends is cut off: what it had sent without an answer is not sent into the state a second time.
func TestAppendIsExactlyOnceOverLostConnections(t *testing.T) {
	const n = 20_000
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	cut, throughProxy := cuttingProxy(t, strings.TrimPrefix(address, "ws://"), func(nth int) int64 {
		if nth > 3 {
			return 0
		}
		return int64(nth * 20_011)
	})
	watcher := start(t, nil, "watch", "--values", address, "demo")
	feeder := start(t, strings.NewReader(numbers(n)), "append", "--json", throughProxy, "demo", "numbers")
	if code := feeder.exit(); code != 0 {
		t.Fatalf("append ended with %d: %s", code, feeder.stderr.text())
	}
	got := watcher.stdout.until(t, "the last number", func(text string) bool {
		return strings.HasSuffix(text, fmt.Sprintf("\n%d\n", n)) || len(text) > len(numbers(n))
	})
	if got != numbers(n) {
		t.Error(firstDifference(got, numbers(n)))
	}
	if cut.count() < 3 {
		t.Errorf("the connection was cut %d times only: the test shows too little", cut.count())
	}
	feeder.stderr.says(t, "statesync: disconnected: ")
}

// Two pipelines into one array: each line once, and the lines of each in their own order.
func TestTwoPipelinesShareAnArray(t *testing.T) {
	const n = 2000
	_, address := serve(t, "--create-missing")
	var feeders []*process
	for _, name := range []string{"a", "b"} {
		text := strings.ReplaceAll(numbers(n), "\n", name+"\n")
		feeders = append(feeders, start(t, strings.NewReader(text), "append", address, "fresh", "lines"))
	}
	for _, feeder := range feeders {
		if code := feeder.exit(); code != 0 {
			t.Fatalf("append ended with %d: %s", code, feeder.stderr.text())
		}
	}
	watcher := start(t, nil, "watch", "--json", address, "fresh")
	text := watcher.stdout.says(t, "\n")
	for _, name := range []string{"a", "b"} {
		last := -1
		for i := range n {
			word := fmt.Sprintf(`"%d%s"`, i+1, name)
			if count := strings.Count(text, word); count != 1 {
				t.Fatalf("%s is there %d times", word, count)
			}
			at := strings.Index(text, word)
			if at < last {
				t.Fatalf("%s is out of order", word)
			}
			last = at
		}
	}
}

// The server goes and comes back, with another life of the state: the watcher says so and prints the way to it.
func TestWatchSurvivesARestart(t *testing.T) {
	states := statesFile(t, exampleStates)
	server, address := serve(t, "--states", states)
	watcher := start(t, nil, "watch", address, "demo")
	watcher.stdout.says(t, "+ /counter 0\n")
	if _, stderr, code := runs(t, "one\n", "append", address, "demo", "messages"); code != 0 {
		t.Fatalf("append ended with %d: %s", code, stderr)
	}
	watcher.stdout.says(t, "+ /messages/0 \"one\"\n")
	server.signal(syscall.SIGTERM)
	if code := server.exit(); code != 0 {
		t.Errorf("serve ended with %d after SIGTERM: %s", code, server.stderr.text())
	}
	watcher.stderr.says(t, "statesync: disconnected: ")
	again := start(t, nil, "serve", "--address", strings.TrimPrefix(address, "ws://"), "--states", states)
	addressOf(t, again)
	watcher.stderr.says(t, "statesync: connected\n")
	watcher.stderr.says(t, "statesync: state_replaced: state demo: the state was made anew")
	watcher.stdout.says(t, "- /messages/0\n")
}

// What was appended before the server was killed is gone with it, and append says so.
func TestAppendTellsWhatAReplacedStateLost(t *testing.T) {
	states := statesFile(t, exampleStates)
	server, address := serve(t, "--states", states)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	appender := start(t, reader, "append", address, "demo", "messages")
	watcher := start(t, nil, "watch", address, "demo")
	watcher.stdout.says(t, "+ /counter 0\n")
	feed(t, writer, "one\n")
	watcher.stdout.says(t, "+ /messages/0 \"one\"\n")
	server.signal(syscall.SIGKILL)
	appender.stderr.says(t, "statesync: disconnected: ")
	addressOf(t, start(t, nil, "serve", "--address", strings.TrimPrefix(address, "ws://"), "--states", states))
	appender.stderr.says(t, "statesync: connected\n")
	feed(t, writer, "two\n")
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if code := appender.exit(); code != 1 {
		t.Errorf("append ended with %d", code)
	}
	said := appender.stderr.text()
	const lost = "2 lines were appended (the first 1 of them before the state was made anew: they are gone)\n"
	const refused = "1 line was appended, 1 refused\n" // the verdict on the first line was lost with the server
	if !strings.HasSuffix(said, lost) && !strings.HasSuffix(said, refused) {
		t.Errorf("append said %q", said)
	}
}

// The server comes back and lets this client in no more: the programs end by themselves, also while the input is silent.
func TestShutOutAfterARestart(t *testing.T) {
	states := statesFile(t, exampleStates)
	server, address := serve(t, "--states", states)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = reader.Close(), writer.Close() }()
	watcher := start(t, nil, "watch", "--values", address, "demo")
	feeder := start(t, reader, "append", address, "demo", "messages")
	feed(t, writer, "one\n")
	watcher.stdout.says(t, "\"one\"\n")
	server.signal(syscall.SIGTERM)
	server.exit()
	addressOf(t, start(t, nil, "serve", "--address", strings.TrimPrefix(address, "ws://"), "--states", states, "--token", "s3cret"))
	for name, p := range map[string]*process{"watch": watcher, "append": feeder} {
		if code := p.exit(); code != 3 {
			t.Errorf("%s: exit code %d, want 3", name, code)
		}
		p.stderr.says(t, "give a token that the server accepts")
	}
	feeder.stderr.says(t, "; 1 line was appended\n")
}

// SIGTERM while lines stream in: every line that append says it appended was in the state that a watcher saw.
func TestDrain(t *testing.T) {
	server, address := serve(t, "--states", statesFile(t, exampleStates))
	watcher := start(t, nil, "watch", "--values", address, "demo")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	feeder := start(t, reader, "append", "--json", address, "demo", "numbers")
	feed(t, writer, numbers(5000))
	watcher.stdout.says(t, "\n100\n")
	server.signal(syscall.SIGTERM)
	if code := server.exit(); code != 0 {
		t.Errorf("serve ended with %d after SIGTERM: %s", code, server.stderr.text())
	}
	_ = writer.Close()
	feeder.stderr.says(t, "statesync: disconnected: ")
	feeder.signal(os.Interrupt)
	if code := feeder.exit(); code != 130 {
		t.Errorf("append ended with %d after an interruption, want 130", code)
	}
	var appended int
	summary := feeder.stderr.text()
	if _, err := fmt.Sscanf(summary[strings.LastIndex(summary, "interrupted: "):], "interrupted: %d line", &appended); err != nil && appended != 5000 {
		t.Fatalf("no sum in %q: %v", summary, err)
	}
	watcher.stdout.until(t, "every acknowledged line", func(text string) bool { return strings.Count(text, "\n") >= appended })
}

func TestWatchToAFileThatCannotBeWritten(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	sealed, err := os.Open(os.DevNull) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sealed.Close() }()
	p := startWith(t, nil, sealed, "watch", address, "demo")
	if code := p.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	p.stderr.says(t, "write to standard output: ")
}

// A pipe that the reader closed ends the program silently, as other programs of a pipeline end.
func TestWatchIntoAClosedPipe(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	p := startWith(t, nil, writer, "watch", address, "demo")
	_ = writer.Close()
	<-p.ended
	if got := p.stderr.text(); got != "" {
		t.Errorf("standard error: %q", got)
	}
}

// What goes in as a line comes out as the same line.
func TestValuesMirrorLines(t *testing.T) {
	_, address := serve(t, "--create-missing")
	lines := []string{`{"text":"a\nb","at":1.5}`, `[1,2]`, `"é"`, `null`, `-0.25`}
	in := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(in, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := runs(t, string(bytes.TrimSpace(text)), "append", "--json", address, "s", "x"); code != 0 {
		t.Fatalf("append ended with %d: %s", code, stderr)
	}
	watcher := start(t, nil, "watch", "--property", "x", address, "s")
	watcher.stdout.says(t, `+ /x [{"at":1.5,"text":"a\nb"},[1,2],"é",null,-0.25]`+"\n")
}
