package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A program is one of ours, run as a user runs it. It can be killed and started again with the same command line.
type program struct {
	t         *testing.T
	path      string
	arguments []string
	ready     *regexp.Regexp // what it prints when it can be used; nil: at once
	output    *output
	stdin     io.WriteCloser
	running   *exec.Cmd
	ended     chan struct{}
}

// start runs the program until the end of the test and waits until it says that it is ready.
func start(t *testing.T, ready *regexp.Regexp, path string, arguments ...string) *program {
	t.Helper()
	p := &program{t: t, path: path, arguments: arguments, ready: ready, output: &output{}}
	t.Cleanup(func() {
		p.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("%s %s said:\n%s", filepath.Base(path), strings.Join(arguments, " "), p.output.text())
		}
	})
	p.again()
	return p
}

// again starts the program once more.
func (p *program) again() {
	p.t.Helper()
	p.running = exec.Command(p.path, p.arguments...)
	p.running.Stdout, p.running.Stderr = p.output, p.output
	var err error
	if p.stdin, err = p.running.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	begin := len(p.output.text())
	if err := p.running.Start(); err != nil {
		p.t.Fatal(err)
	}
	running, ended := p.running, make(chan struct{})
	p.ended = ended
	go func() {
		defer close(ended)
		_ = running.Wait()
	}()
	if p.ready == nil {
		return
	}
	eventually(p.t, p.path+" says that it is ready", func() (bool, string) {
		said := p.output.text()[begin:]
		select {
		case <-ended:
			p.t.Fatalf("%s has ended: %s", p.path, said)
		default:
		}
		return p.ready.MatchString(said), said
	})
}

// end sends the signal and waits for the end.
func (p *program) end(signal os.Signal) {
	p.t.Helper()
	if p.running == nil || p.running.Process == nil {
		return
	}
	_ = p.running.Process.Signal(signal)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Errorf("%s has not ended after %v", p.path, patience)
		_ = p.running.Process.Kill()
		<-p.ended
	}
}

// kill ends the program as a crash does.
func (p *program) kill() {
	p.t.Helper()
	p.end(syscall.SIGKILL)
}

// line types a line into the program's standard input.
func (p *program) line(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, text+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// says waits until the program has printed the text.
func (p *program) says(text string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%s prints %q", p.path, text), func() (bool, string) {
		said := p.output.text()
		return strings.Contains(said, text), said
	})
}

// output collects what a program prints.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(text)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// freeAddress returns a loopback address that stays free while a server on it is down: its port is below those that
// the operating system gives to connections.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal(errors.New("no port is free"))
	return ""
}

var listening = regexp.MustCompile(`listens on ws://\S+`)

// serve starts statesync with states, given as JSON, and returns its address.
func serve(t *testing.T, states string, flags ...string) (server *program, address string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "states.json")
	if err := os.WriteFile(file, []byte(states), 0o600); err != nil {
		t.Fatal(err)
	}
	address = freeAddress(t)
	arguments := append([]string{"serve", "--address", address, "--states", file}, flags...)
	return start(t, listening, statesync, arguments...), address
}

// follow starts a native client that prints the elements that come into the state's arrays.
func follow(t *testing.T, address, state string) *program {
	t.Helper()
	return start(t, nil, statesync, "watch", "--values", "ws://"+address, state)
}

// write starts a native client that appends each line that is typed into it.
func write(t *testing.T, address, state, property string, flags ...string) *program {
	t.Helper()
	return start(t, nil, statesync, append(append([]string{"append"}, flags...), "ws://"+address, state, property)...)
}

// get returns what the server has of a state, or of a value in it, as JSON.
func get(t *testing.T, address, state string, pointer ...string) string {
	t.Helper()
	out, err := command(root, statesync, append([]string{"get", "ws://" + address, state}, pointer...)...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}
