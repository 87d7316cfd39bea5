// Package listen has the clients whose own cost is measured: each receives changes in a process of its own, and prints
// how far it has come.
package listen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// Step is after how many changes a client reports. The publisher is at most two of them ahead.
const Step = 512

// Ways are the ways to receive changes.
var Ways = []string{"raw", "decode", "client"}

// Run receives so many changes of the state s0, and returns.
func Run(way, address string, changes int) error {
	ctx := context.Background()
	switch way {
	case "client":
		return client(ctx, address, changes)
	case "raw":
		return read(ctx, address, changes, func([]byte) error { return nil })
	case "decode":
		return read(ctx, address, changes, func(line []byte) error {
			var message []any
			return json.Unmarshal(line, &message)
		})
	}
	return errors.New("there is no such way to listen")
}

// begin prints that the state was joined, and returns what prints in the end how much processor time receiving took.
func begin() (end func()) {
	fmt.Println(0)
	before := used()
	return func() { fmt.Println(used() - before) }
}

// used returns the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report prints how many changes have come, from time to time.
func report(n, before int) {
	if n/Step > before/Step {
		_, _ = fmt.Fprintln(os.Stdout, n)
	}
}

// client is a program on the Go client, with a listener that looks at each update.
func client(ctx context.Context, address string, changes int) error {
	c, err := wasmclient.New("ws://"+address, "listener", "")
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	state, err := c.ConnectToState(ctx, "s0")
	if err != nil {
		return err
	}
	heard, done := 0, make(chan struct{})
	state.AddStateUpdateListener("count", func(u wasmclient.Update) {
		before := heard
		heard += int(u.To - u.From)
		report(heard, before)
		if before < changes && heard >= changes {
			close(done)
		}
	}, "p")
	end := begin()
	<-done
	end()
	return nil
}

// read is the loop of who reads frames and does with each message what is wanted.
func read(ctx context.Context, address string, changes int, each func(line []byte) error) error {
	conn, _, err := websocket.Dial(ctx, "ws://"+address, &websocket.DialOptions{Subprotocols: []string{"server-state-sync.v1"}})
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(64 << 20)
	hello := fmt.Sprintf("[\"hello\",\"session-of-listener-%d\",\"listener\",{}]\n[\"join\",1,\"s0\"]", os.Getpid())
	if err := conn.Write(ctx, websocket.MessageText, []byte(hello)); err != nil {
		return err
	}
	heard, joined := 0, false
	var end func()
	for heard < changes {
		_, frame, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if !joined {
			if joined = bytes.Contains(frame, []byte(`["joined"`)); joined {
				end = begin()
			}
			continue
		}
		before := heard
		heard += bytes.Count(frame, []byte{'~'})
		for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
			if err := each(line); err != nil {
				return err
			}
		}
		report(heard, before)
	}
	end()
	return nil
}
