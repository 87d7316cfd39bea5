//go:build !js

package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// nodeFlags: Node 20 has a WebSocket, but not without being asked.
var nodeFlags = []string{"--experimental-websocket", "--no-warnings"}

// nodeCommand returns a command that runs a program of testdata under Node. A run without Node is a failure.
func nodeCommand(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the JavaScript clients need Node.js 20 or later in the PATH: ", err)
	}
	return exec.Command(program, append(append([]string{}, nodeFlags...), arguments...)...)
}

// node is a client under Node, to which requests and from which answers go line by line.
type node struct {
	input io.WriteCloser
	said  *lockedBuffer // on its standard error
	ended chan struct{} // closed when no answer comes any more

	mu      sync.Mutex
	last    int
	waiting map[int]chan answer
}

type request struct {
	ID    int    `json:"id"`
	Do    string `json:"do"`
	Key   string `json:"key"`
	State string `json:"state,omitempty"`
	Late  bool   `json:"late,omitempty"`
	Step  *step  `json:"step,omitempty"`
}

type answer struct {
	ID     int    `json:"id"`
	Text   string `json:"text"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// startNode starts node.mjs in a role, and ends it at the end of the test.
func startNode(t *testing.T, arguments ...string) *node {
	t.Helper()
	command := nodeCommand(t, append([]string{filepath.Join("testdata", "node.mjs")}, arguments...)...)
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	n := &node{input: input, said: &lockedBuffer{}, ended: make(chan struct{}), waiting: map[int]chan answer{}}
	command.Stderr = n.said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go n.read(output)
	t.Cleanup(func() {
		_ = input.Close() // it ends by itself then
		<-n.ended
		if err := command.Wait(); err != nil {
			t.Errorf("node %v: %v\n%s", arguments, err, n.said)
		}
	})
	return n
}

func (n *node) read(output io.Reader) {
	defer close(n.ended)
	for lines := bufio.NewReaderSize(output, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			_, _ = fmt.Fprintf(n.said, "%s: %v\n", line, err)
			return
		}
		n.mu.Lock()
		waiting := n.waiting[a.ID]
		delete(n.waiting, a.ID)
		n.mu.Unlock()
		if waiting != nil {
			waiting <- a
		}
	}
}

func (n *node) ask(ctx context.Context, r request) (answer, error) {
	waiting := make(chan answer, 1)
	n.mu.Lock()
	n.last++
	r.ID = n.last
	n.waiting[r.ID] = waiting
	line, err := json.Marshal(r)
	if err == nil {
		_, err = n.input.Write(append(line, '\n'))
	}
	n.mu.Unlock()
	if err != nil {
		return answer{}, fmt.Errorf("ask node: %w\n%s", err, n.said)
	}
	select {
	case a := <-waiting:
		return a, nil
	case <-n.ended:
		return answer{}, fmt.Errorf("node has ended\n%s", n.said)
	case <-ctx.Done():
		return answer{}, fmt.Errorf("wait for node to %s: %w\n%s", r.Do, ctx.Err(), n.said)
	}
}

// text asks for a text, for which a code is an error.
func (n *node) text(ctx context.Context, r request) (string, error) {
	a, err := n.ask(ctx, r)
	if err == nil && a.Code != "" {
		err = errors.New(a.Code + ": " + a.Reason)
	}
	return a.Text, err
}

func (n *node) join(ctx context.Context, key, identifier string, late bool) (string, error) {
	return n.text(ctx, request{Do: "join", Key: key, State: identifier, Late: late})
}

func (n *node) fenced(ctx context.Context, key string) (string, error) {
	return n.text(ctx, request{Do: "fenced", Key: key})
}

func (n *node) leave(ctx context.Context, key string) error {
	_, err := n.text(ctx, request{Do: "leave", Key: key})
	return err
}

func (n *node) change(ctx context.Context, key string, s step) (string, error) {
	a, err := n.ask(ctx, request{Do: "change", Key: key, Step: &s})
	return a.Code, err
}

// lockedBuffer collects what a program says on its standard error.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// buildModule builds the browser's module and returns its file, and that of Go's wasm_exec.js.
func buildModule(t *testing.T) (wasmExec, module string) {
	t.Helper()
	module = filepath.Join(t.TempDir(), "client.wasm")
	build := exec.Command("go", "build", "-o", module, "github.com/server-state-sync/server-state-sync/jsbridge/cmd/client")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"), module
}
