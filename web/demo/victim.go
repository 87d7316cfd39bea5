package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores/disk"
)

// The states of a tortured server: one is written by appends, the other by the old idiom.
const (
	ours = "ours"
	seed = "seed"
)

// victimCommand is the server that the torture kills: this same program in a process of its own, with its states in a
// folder. It says its address on standard output, and ends when its standard input does, so that it does not outlive who
// started it.
func victimCommand() *cli.Command {
	return &cli.Command{
		Name:   "victim",
		Hidden: true,
		Flags:  []cli.Flag{&cli.StringFlag{Name: "data", Required: true}},
		Action: func(_ context.Context, command *cli.Command) error {
			store, err := disk.Open(command.String("data"), disk.Options{})
			if err != nil {
				return err
			}
			syncer, err := server.New(server.Options{Store: store})
			if err != nil {
				return err
			}
			for _, identifier := range []string{ours, seed} {
				state := server.StateOptions{Identifier: identifier, InitialValue: map[string]any{"messages": []any{}}}
				if _, err := syncer.CreateState(state); err != nil {
					return err
				}
			}
			if err := syncer.Start("127.0.0.1:0"); err != nil {
				return err
			}
			fmt.Fprintln(command.Root().Writer, syncer.Addr())
			_, _ = io.Copy(io.Discard, os.Stdin)
			return errors.Join(syncer.Close(), store.Close())
		},
	}
}

// victim is such a process.
type victim struct {
	command *exec.Cmd
	stdin   io.Closer
	address string
}

// startVictim returns when the server listens. One that does not in time, or before ctx ends, is killed.
func startVictim(ctx context.Context, program, folder string, limit time.Duration) (*victim, error) {
	command := exec.Command(program, "victim", "--data", folder)
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		return nil, err
	}
	v := &victim{command: command, stdin: stdin}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it did not listen within %v", limit))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		v.kill()
		return nil, fmt.Errorf("start the server that is to be killed: %w; it said: %s", err, said.String())
	}
	v.address = strings.TrimSpace(line)
	return v, nil
}

// kill is kill -9.
func (v *victim) kill() {
	_ = v.command.Process.Kill()
	_ = v.command.Wait()
	_ = v.stdin.Close()
}
