package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func watchCommand() *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "print a state, and then every difference as it comes",
		ArgsUsage: "URL STATE",
		Description: `Prints a line for each difference: "+ PATH VALUE" for what is new, "= PATH VALUE" for another value and "- PATH" for what
is gone, with paths as JSON Pointers; first of all, what is there already. After a pause or a lost connection the lines
lead from what was printed last to what is there then. The state of the connection is told on standard error.

Example: statesync watch ws://127.0.0.1:5000 demo`,
		Flags: clientFlags(
			&cli.BoolFlag{Name: "json", Usage: "print each line as a JSON object: an operation of JSON Patch (RFC 6902) and the version"},
			&cli.BoolFlag{Name: "values", Usage: "print the values of the elements that come into arrays, and nothing else: what append sends"},
			&cli.StringSliceFlag{Name: "property", Usage: "watch only this top-level property; may be given several times"},
			&cli.BoolFlag{Name: "changes-only", Usage: "leave out what is there already at the start"},
		),
		Action: watch,
	}
}

func watch(ctx context.Context, command *cli.Command) error {
	arguments, err := take(command, "URL", "STATE")
	if err != nil {
		return err
	}
	write, err := lineForm(command)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	client, state, err := connect(ctx, command, arguments[0], arguments[1])
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	ended := make(chan struct{}, 1)
	client.OnError(func(err error) {
		if errors.Is(err, wasmclient.ErrStateReplaced) {
			fmt.Fprintln(command.Root().ErrWriter, "statesync:", err)
		}
		poke(ended)
	})
	p := newPrinter(command.Root().Writer, write, command.StringSlice("property"))
	p.onFailure = func() { poke(ended) }
	p.follow(state, command.Bool("changes-only"))
	return p.untilEnd(ctx, client, state, ended)
}

func lineForm(command *cli.Command) (form, error) {
	switch asJSON, values := command.Bool("json"), command.Bool("values"); {
	case asJSON && values:
		return nil, usageErrorf("watch: --json and --values are two forms of the lines; give one")
	case asJSON:
		return jsonLine, nil
	case values:
		return valueLine, nil
	default:
		return humanLine, nil
	}
}

// poke wakes the reader of the channel, which holds one.
func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// A printer writes the lines that lead from one view of a state to the next.
type printer struct {
	write      form
	properties []string // top-level; none: all
	onFailure  func()

	mu      sync.Mutex // guards what follows
	out     *bufio.Writer
	printed document.Value // the view that the lines so far have led to
	round   int            // of follow; listeners of earlier rounds are void
	line    []byte
	failed  error
}

func newPrinter(out io.Writer, write form, properties []string) *printer {
	return &printer{out: bufio.NewWriter(out), write: write, properties: properties, printed: document.EmptyObject}
}

// follow prints the state unless that is to be left out, and then whatever changes. A listener hears what comes after
// it was added, so it is added again until the view that was printed is the one that it goes on from.
func (p *printer) follow(state *wasmclient.State, changesOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	view, version := state.Confirmed()
	for {
		p.round++
		round := p.round
		state.AddStateUpdateListener("watch", func(u wasmclient.Update) { p.update(round, u) })
		again, after := state.Confirmed()
		if after == version {
			break
		}
		view, version = again, after
	}
	if !changesOnly {
		differences("", p.printed, view, p.lineAt(version))
	}
	p.printed = view
	p.flush()
}

// update is the listener: it prints what the update changes, and returns when that is written.
func (p *printer) update(round int, u wasmclient.Update) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if round != p.round {
		return
	}
	p.print(u)
	p.printed = u.View
	p.flush()
}

func (p *printer) flush() {
	if err := p.out.Flush(); err != nil && p.failed == nil {
		p.failed = fmt.Errorf("write to standard output: %w", err)
		p.onFailure()
	}
}

func (p *printer) print(u wasmclient.Update) {
	line := p.lineAt(u.To)
	if changes, ok := changesOf(p.printed, u.Ops); ok {
		for _, c := range changes {
			line(c)
		}
		return
	}
	differences("", p.printed, u.View, line)
}

// lineAt returns the function that writes a change that led to the version.
func (p *printer) lineAt(version uint64) func(change) {
	return func(c change) {
		if p.wants(c.pointer) {
			p.line = p.write(p.line[:0], version, c)
			_, _ = p.out.Write(p.line) // Flush returns the error
		}
	}
}

// wants reports whether a change at the pointer is of a property that is watched. A change of the root is of all.
func (p *printer) wants(pointer string) bool {
	if len(p.properties) == 0 || pointer == "" {
		return true
	}
	name, _, _ := strings.Cut(pointer[1:], "/")
	return slices.Contains(p.properties, unescape(name))
}

// untilEnd waits for the program to be interrupted, for the state or the client to end, or for a line that cannot be
// written.
func (p *printer) untilEnd(ctx context.Context, client *wasmclient.Client, state *wasmclient.State, ended <-chan struct{}) error {
	for {
		if err := state.Err(); err != nil {
			return endError(client, err)
		}
		if err := p.failure(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errInterrupted
		case <-ended:
		}
	}
}

func (p *printer) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}
