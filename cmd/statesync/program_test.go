package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen soon.
const patience = 60 * time.Second

// binary is the program, built once.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "statesync-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(folder, "statesync")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	code := 1
	if build.Run() == nil {
		code = m.Run()
	}
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// A process is the program run as a user runs it.
type process struct {
	t       *testing.T
	command *exec.Cmd
	stdout  *lines
	stderr  *lines
	ended   chan struct{}
}

// start runs the program with the arguments; stdin may be nil.
func start(t *testing.T, stdin io.Reader, arguments ...string) *process {
	t.Helper()
	return startWith(t, stdin, nil, arguments...)
}

// startWith is start with standard output going to a file.
func startWith(t *testing.T, stdin io.Reader, stdout *os.File, arguments ...string) *process {
	t.Helper()
	p := &process{
		t: t, command: exec.Command(binary, arguments...), ended: make(chan struct{}),
		stdout: newLines(), stderr: newLines(),
	}
	p.command.Env = append(os.Environ(), "STATESYNC_TOKEN=")
	p.command.Stdin = stdin
	p.command.Stdout, p.command.Stderr = p.stdout, p.stderr
	if stdout != nil {
		p.command.Stdout = stdout
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait()
		p.stdout.close()
		p.stderr.close()
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("statesync %s\nstandard error:\n%s", strings.Join(arguments, " "), p.stderr.text())
		}
	})
	return p
}

// exit waits for the end and returns the exit code.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("the program has not ended after %v", patience)
		return -1
	}
}

func (p *process) signal(signal os.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// runs gives what one run of the program says.
func runs(t *testing.T, stdin string, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	p := start(t, strings.NewReader(stdin), arguments...)
	code = p.exit()
	return p.stdout.text(), p.stderr.text(), code
}

// lines collects an output and lets a test wait for what it must say.
type lines struct {
	mu      sync.Mutex
	buffer  bytes.Buffer
	closed  bool
	changed chan struct{} // closed and made anew at every write
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer.Write(p)
	l.signal()
	return len(p), nil
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.signal()
}

func (l *lines) signal() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// until waits for the output to satisfy done.
func (l *lines) until(t *testing.T, what string, done func(text string) bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		l.mu.Lock()
		text, changed, closed := l.buffer.String(), l.changed, l.closed
		l.mu.Unlock()
		if done(text) {
			return text
		}
		if closed {
			t.Fatalf("the program ended before it said %s; it said:\n%s", what, tail(text))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("the program has not said %s after %v; it said:\n%s", what, patience, tail(text))
		}
	}
}

// says waits for the text.
func (l *lines) says(t *testing.T, want string) string {
	t.Helper()
	return l.until(t, fmt.Sprintf("%q", want), func(text string) bool { return strings.Contains(text, want) })
}

func tail(text string) string {
	const most = 2000
	if len(text) > most {
		return "..." + text[len(text)-most:]
	}
	return text
}

// serve starts a server on a free port of loopback and returns its address for clients.
func serve(t *testing.T, arguments ...string) (server *process, address string) {
	t.Helper()
	server = start(t, nil, append([]string{"serve", "--address", "127.0.0.1:0"}, arguments...)...)
	return server, addressOf(t, server)
}

func addressOf(t *testing.T, server *process) string {
	t.Helper()
	text := server.stdout.until(t, "where it listens", func(text string) bool {
		return strings.Contains(text, "://") && strings.Contains(text, "\n")
	})
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		for word := range strings.FieldsSeq(scanner.Text()) {
			if strings.HasPrefix(word, "ws://") || strings.HasPrefix(word, "wss://") {
				return word
			}
		}
	}
	t.Fatal(errors.New("no address in: " + text))
	return ""
}

// statesFile writes the file of states.
func statesFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "states.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
