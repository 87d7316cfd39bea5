package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
)

// importsAtOnce is how many states are made at the same time, so that they share the disk's syncs.
const importsAtOnce = 32

func importCommand() *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "make states in a folder of the lines that export printed",
		Description: `Reads lines of JSON from standard input, as statesync export prints them, and makes a state of each: with its value and its
time of creation, and a new life of its own, so its versions begin at 0. A line needs "identifier" and "value" only. A
server may be running on the folder. A state that is there already is refused, unless --replace is given, which ends it
first: its clients are told state_removed. Refused lines are told on standard error, the others go on, and the exit code
is 1.

Example: statesync import --data DIR < backup.ndjson`,
		Flags: []cli.Flag{
			dataFlag(makesFolder),
			&cli.BoolFlag{Name: "replace", Usage: "end states that are there already, and take those of the lines"},
		},
		Action: importLines,
	}
}

func importLines(ctx context.Context, command *cli.Command) error {
	if _, err := take(command); err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	states, err := keeperOf(ctx, command)
	if err != nil {
		return err
	}
	account := newAccount(command.Root().ErrWriter, "imported")
	err = addAll(ctx, states, command.Root().Reader, command.Bool("replace"), account)
	if failed := states.close(); err == nil && failed != nil {
		err = fmt.Errorf("import: %w", failed)
	}
	return account.verdict(ctx, err)
}

// arriving is a line on its way into a state.
type arriving struct {
	number int
	text   []byte
	done   chan error
}

// addAll makes a state of each line, several at a time, those of one identifier one after the other, and tells the
// account in the order of the lines.
func addAll(ctx context.Context, states keeper, input io.Reader, replace bool, account *account) error {
	var work [importsAtOnce]chan arriving
	for i := range work {
		work[i] = make(chan arriving)
	}
	order := make(chan arriving, importsAtOnce)
	read := make(chan error, 1)
	go func() { // ends with the program when the input never does
		defer close(order)
		read <- readArriving(ctx, input, &work, order)
		for _, lane := range work {
			close(lane)
		}
	}()
	for _, lane := range work {
		go func() { // ends with the reader
			for line := range lane {
				line.done <- states.add(ctx, line.text, replace)
			}
		}()
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for {
			select {
			case line, open := <-order:
				if !open {
					return
				}
				account.sent()
				account.answer(line.number, <-line.done)
			case <-ctx.Done():
				return
			}
		}
	}()
	account.showUntil(answered)
	select {
	case err := <-read:
		return err
	case <-ctx.Done():
		return nil
	}
}

// laneOf returns the lane of a line: lines of one identifier have the same.
func laneOf(text []byte) int {
	parsed, _ := document.Parse(text, transferLimits) // what is no JSON is refused by the lane
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(parsed.Get("identifier").Text()))
	return int(hash.Sum32() % importsAtOnce)
}

// readArriving hands over the lines that are not empty; without any there was nothing to import.
func readArriving(ctx context.Context, input io.Reader, work *[importsAtOnce]chan arriving, order chan<- arriving) error {
	scanner := bufio.NewScanner(input)
	scanner.Buffer(make([]byte, 64<<10), longestTransfer)
	some := false
	for number := 1; scanner.Scan(); number++ {
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		some = true
		line := arriving{number, bytes.Clone(text), make(chan error, 1)}
		for _, to := range []chan<- arriving{work[laneOf(text)], order} {
			select {
			case to <- line:
			case <-ctx.Done():
				return nil
			}
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("a line has more than %d bytes", longestTransfer)
	}
	if err := scanner.Err(); err != nil || some {
		return err
	}
	return errors.New("standard input has no lines; write there what export has printed")
}
