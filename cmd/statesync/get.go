package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
)

func getCommand() *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "print a state, or a value in it",
		ArgsUsage: "URL STATE [POINTER]",
		Description: `Prints the value at POINTER, a top-level property or a JSON Pointer (RFC 6901); without it, the whole state. On a
terminal the JSON is indented; elsewhere it is one line of canonical JSON (RFC 8785), so equal values are equal texts.

With --json the line is {"version":N,"value":VALUE}, on a terminal too. The version counts the changes that the state
has accepted. Where there is no such value nothing is printed, standard error says how far POINTER leads, and the exit
code is 1.

Example: statesync get ws://127.0.0.1:5000 demo /messages/0`,
		Flags: clientFlags(
			&cli.BoolFlag{Name: "json", Usage: "print one line with the version and the value as a JSON object"},
		),
		Action: get,
	}
}

func get(ctx context.Context, command *cli.Command) error {
	arguments, err := take(command, "URL", "STATE", "[POINTER]")
	if err != nil {
		return err
	}
	var tokens []string
	if len(arguments) == 3 {
		if tokens, err = tokensOf(arguments[2]); err != nil {
			return usageErrorf("get: %w", err)
		}
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	client, state, err := connect(ctx, command, arguments[0], arguments[1])
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	whole, version := state.Confirmed()
	value, err := find(whole, tokens)
	if err != nil {
		return err
	}
	out := command.Root().Writer
	switch {
	case command.Bool("json"):
		return write(out, versionedLine(version, value))
	case isTerminal(out):
		return write(out, indented(value))
	default:
		return write(out, append(value.AppendJSON(nil), '\n'))
	}
}

// tokensOf reads a place as the other commands do: a JSON Pointer, or the name of a top-level property.
func tokensOf(place string) ([]string, error) {
	if place != "" && !strings.HasPrefix(place, "/") {
		return []string{place}, nil
	}
	return document.ParsePointer(place)
}

// find follows the tokens of a pointer; the error says where they leave what is there.
func find(value document.Value, tokens []string) (document.Value, error) {
	for i, token := range tokens {
		next := value.At(document.Pointer(token))
		if !next.Exists() {
			return next, fmt.Errorf("there is nothing at %s: %s", document.Pointer(tokens...), missing(value, document.Pointer(tokens[:i]...), token))
		}
		value = next
	}
	return value, nil
}

// missing says why the value at a pointer, which is there, has nothing under the token.
func missing(value document.Value, at, token string) string {
	switch {
	case at == "":
		return fmt.Sprintf("the state has no property %q", token)
	case value.Kind() == document.Object:
		return fmt.Sprintf("the object at %s has no member %q", at, token)
	case value.Kind() != document.Array:
		return fmt.Sprintf("the value at %s has no members and no elements: its kind is %s", at, value.Kind())
	}
	if _, err := document.ParsePath(value, document.Pointer(token)); err != nil || token == "-" {
		return fmt.Sprintf("the elements of the array at %s are counted from 0, and %q is no such number", at, token)
	}
	return fmt.Sprintf("the array at %s has no element %s: it has %d, counted from 0", at, token, value.Len())
}

func versionedLine(version uint64, value document.Value) []byte {
	line := strconv.AppendUint([]byte(`{"version":`), version, 10)
	line = value.AppendJSON(append(line, `,"value":`...))
	return append(line, "}\n"...)
}

// indented is the form for people. Indent refuses only what is no JSON, which no value is.
func indented(value document.Value) []byte {
	var text bytes.Buffer
	_ = json.Indent(&text, value.AppendJSON(nil), "", "  ")
	return append(text.Bytes(), '\n')
}

// write writes what a command has to say in the end.
func write(out io.Writer, text []byte) error {
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}
