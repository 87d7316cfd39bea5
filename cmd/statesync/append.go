package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

const (
	longestLine   = 1 << 20         // bytes; the default limit of a server's messages
	linesOnTheWay = 4096            // lines that are read and have no answer yet
	lastWait      = 5 * time.Second // for answers, after an interruption
)

func appendCommand() *cli.Command {
	return &cli.Command{
		Name:      "append",
		Usage:     "append the lines of standard input to an array of a state",
		ArgsUsage: "URL STATE PROPERTY",
		Description: `Each line becomes one element of the array PROPERTY, a top-level property or a JSON Pointer, in order and exactly once, also
when the connection is lost and made again. A property that is not there is made. A refused line is told with its
number and the reason; the others go on, and the exit code is 1.

Example: seq 1 1000 | statesync append --json ws://127.0.0.1:5000 demo numbers`,
		Flags: clientFlags(
			&cli.BoolFlag{Name: "json", Usage: "the lines are JSON values, not text"},
		),
		Action: appendLines,
	}
}

func appendLines(ctx context.Context, command *cli.Command) error {
	arguments, err := take(command, "URL", "STATE", "PROPERTY")
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
	err = makeArray(ctx, state, arguments[2])
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	root := command.Root()
	a := &appender{state: state, place: arguments[2], valueOf: textOf, account: newAccount(root.ErrWriter, "appended")}
	if command.Bool("json") {
		a.valueOf = jsonOf
	}
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	client.OnError(func(err error) { // also when the input is silent
		if errors.Is(err, wasmclient.ErrStateReplaced) {
			a.account.replaced(err)
		}
		if err := state.Err(); err != nil {
			end(endError(client, err))
		}
	})
	return a.run(working, root.Reader)
}

// makeArray makes the top-level property an empty array where it is not there. Of several programs that do so at the
// same time one makes it.
func makeArray(ctx context.Context, state *wasmclient.State, place string) error {
	if strings.HasPrefix(place, "/") || state.GetState().Get(place).Exists() {
		return nil
	}
	_, err := state.Transact(ctx, []string{place}, func(previous document.Value) (any, error) {
		if previous.Get(place).Exists() {
			return nil, nil
		}
		return map[string]any{place: []any{}}, nil
	})
	if err != nil {
		return fmt.Errorf("make the property %q: %w", place, err)
	}
	return nil
}

// textOf makes a string of a line.
func textOf(line string) (document.Value, error) {
	if !utf8.ValidString(line) {
		return document.Value{}, errors.New("it is not valid UTF-8")
	}
	return document.Of(line)
}

// jsonOf reads a line as a JSON value.
func jsonOf(line string) (document.Value, error) {
	value, err := document.Parse([]byte(line), document.Limits{})
	if err != nil {
		return value, fmt.Errorf("%w (without --json, lines are taken as text)", err)
	}
	return value, nil
}

// An appender sends lines while the answers to those before are on their way.
type appender struct {
	state   *wasmclient.State
	place   string
	valueOf func(line string) (document.Value, error)
	account *account
}

// A sent line waits for its answer.
type sent struct {
	line    int
	pending *wasmclient.Pending
}

// run reads until the input ends or ctx does, and returns when every line that was sent has its answer, or lastWait
// after ctx has ended.
func (a *appender) run(ctx context.Context, input io.Reader) error {
	way := make(chan sent, linesOnTheWay)
	read := make(chan error, 1)
	go func() { // ends with the program when the input never does
		defer close(way)
		read <- a.send(ctx, input, way)
	}()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		a.collect(ctx, way)
	}()
	a.account.showUntil(answered)
	select {
	case err := <-read:
		if err == nil && a.state.Err() != nil {
			<-ctx.Done() // with the reason
		}
		return a.account.verdict(ctx, err)
	default: // ended while it was reading
		return a.account.verdict(ctx, nil)
	}
}

// send submits each line and hands it to way.
func (a *appender) send(ctx context.Context, input io.Reader, way chan<- sent) error {
	lines := bufio.NewReaderSize(input, 64<<10)
	for line := 1; ; line++ {
		text, err := readLine(lines)
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, errLongLine):
			a.account.refuse(line, err)
			continue
		case err != nil:
			return err
		}
		value, err := a.valueOf(text)
		if err != nil {
			a.account.refuse(line, err)
			continue
		}
		pending, err := a.state.SubmitAppend(ctx, a.place, value)
		switch {
		case a.state.Err() != nil || ctx.Err() != nil:
			return nil
		case err != nil:
			a.account.refuse(line, err)
			continue
		}
		a.account.sent()
		select {
		case way <- sent{line, pending}:
		case <-ctx.Done():
			return nil
		}
	}
}

var errLongLine = fmt.Errorf("it is longer than %d bytes", longestLine)

// readLine returns the next line without its end. Of one that is too long it keeps nothing, and reads on behind it.
func readLine(lines *bufio.Reader) (string, error) {
	var line []byte
	for long := false; ; {
		part, err := lines.ReadSlice('\n')
		if long = long || len(line)+len(part) > longestLine+len("\r\n"); !long {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err != nil && (err != io.EOF || len(line) == 0 && !long):
			return "", err
		case long:
			return "", errLongLine
		default:
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		}
	}
}

// collect takes the answers in order, until there are no more or, after ctx has ended, lastWait has passed. Lines that
// are then without an answer stay so in the account.
func (a *appender) collect(ctx context.Context, way <-chan sent) {
	patient, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	context.AfterFunc(ctx, func() { time.AfterFunc(lastWait, giveUp) })
	for {
		s, open := next(ctx, way)
		if !open {
			return
		}
		_, err := s.pending.Wait(patient)
		if patient.Err() != nil {
			return
		}
		a.account.answer(s.line, err)
	}
}

// next takes what has been sent; after ctx has ended only what is there already, because the reader may never return.
func next(ctx context.Context, way <-chan sent) (s sent, open bool) {
	select {
	case s, open = <-way:
		return s, open
	case <-ctx.Done():
	}
	select {
	case s, open = <-way:
		return s, open
	default:
		return sent{}, false
	}
}
