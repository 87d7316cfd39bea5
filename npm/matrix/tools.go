package main

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
	"regexp"
	"sync"
	"syscall"
	"time"
)

// output collects what programs say, for when they fail.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

// Reset forgets what was said.
func (o *output) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Reset()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// build returns a command that runs in a folder of the project, in a process group of its own.
func (m *matrix) build(ctx context.Context, folder string, env []string, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = filepath.Join(m.project, folder)
	// CI keeps tools from asking; what they would report home is nobody's business.
	command.Env = append(append(os.Environ(), "CI=1", "NEXT_TELEMETRY_DISABLED=1", "NO_COLOR=1", "FORCE_COLOR=0"), env...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	return command
}

// command runs a program to its end.
func (m *matrix) command(ctx context.Context, folder string, env []string, name string, args ...string) error {
	command := m.build(ctx, folder, env, name, args...)
	command.Stdout, command.Stderr = &m.said, &m.said
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}

// bin is a program of the project's node_modules.
func (m *matrix) bin(name string) string {
	return filepath.Join(m.project, "node_modules", ".bin", name)
}

// A program runs until it is stopped and has said where it listens.
type program struct {
	address string
	stop    func()
}

// start starts a program and waits until it says where it listens.
func (m *matrix) start(ctx context.Context, folder string, env []string, listens *regexp.Regexp, name string, args ...string) (*program, error) {
	ctx, cancel := context.WithCancel(ctx)
	command := m.build(ctx, folder, env, name, args...)
	out, in := io.Pipe()
	command.Stdout, command.Stderr = in, in
	if err := command.Start(); err != nil {
		cancel()
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // it is ended by a signal
		_ = in.Close()
		close(ended)
	}()
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			_, _ = m.said.Write(append(lines.Bytes(), '\n'))
			if address := listens.FindString(lines.Text()); address != "" {
				select {
				case found <- address:
				default:
				}
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	select {
	case address := <-found:
		return &program{address, stop}, nil
	case <-ended:
		stop()
		return nil, errors.New(filepath.Base(name) + " ended before it listened")
	case <-ctx.Done():
		stop()
		return nil, ctx.Err()
	}
}
