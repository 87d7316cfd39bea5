package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
)

// longestInput bounds what is read of standard input, in bytes. What a server takes is less, unless its limit was raised.
const longestInput = 64 << 20

// changeLimits are wide: the server's own decide, and it says so with a code.
var changeLimits = document.Limits{Bytes: longestInput, Depth: document.MaxDepth, KeyBytes: longestInput}

// changeText returns the text of a change: the argument, or standard input where there is none or it is "-"; and which
// of the two it is. Reading ends with ctx.
func changeText(ctx context.Context, command *cli.Command, argument []string) (text []byte, source string, err error) {
	if len(argument) > 0 && argument[0] != "-" {
		return []byte(argument[0]), "the command line", nil
	}
	const standardInput = "standard input"
	root := command.Root()
	if isTerminal(root.Reader) {
		fmt.Fprintln(root.ErrWriter, "statesync: type the JSON; ctrl-D at the beginning of a line ends it, and ctrl-C gives up")
	}
	text, err = readAll(ctx, root.Reader)
	switch {
	case ctx.Err() != nil:
		return nil, standardInput, ctx.Err()
	case err != nil:
		return nil, standardInput, fmt.Errorf("read standard input: %w", err)
	case len(text) > longestInput:
		return nil, standardInput, fmt.Errorf("standard input has more than %d bytes, which is more than one change may have", longestInput)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, standardInput, errors.New("standard input is empty; write the JSON there, or give it as an argument")
	}
	return text, standardInput, nil
}

// readAll reads until the input ends, is longer than longestInput, or ctx ends.
func readAll(ctx context.Context, input io.Reader) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() { // ends with the program when the input never does
		text, err := io.ReadAll(io.LimitReader(input, longestInput+1))
		read <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-read:
		return r.text, r.err
	}
}

// position says, as an addition to err, in which line and column a text of several lines is no JSON; "" where err is about
// something else.
func position(text []byte, err error) string {
	text = bytes.TrimRight(text, "\r\n")
	if !errors.Is(err, &document.Error{Code: document.CodeInvalidJSON}) || !bytes.Contains(text, []byte("\n")) {
		return ""
	}
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(text, new(json.RawMessage)), &syntax) || syntax.Offset < 1 {
		return ""
	}
	before := text[:syntax.Offset-1]
	return fmt.Sprintf(" (line %d, column %d)", bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'))
}
