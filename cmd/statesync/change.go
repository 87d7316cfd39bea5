package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// changeRules is what the help of update and of patch says of both.
const changeRules = `

Without JSON, or where it is "-", the JSON is read from standard input, and the change is made when
that has ended.

Prints the version that the change made; with --json as {"version":N}. Where the JSON cannot be used or the change is
refused, the code and the reason are told on standard error, with --json also printed as
{"code":"CODE","reason":"REASON"}, and the exit code is 1. The change is made once, also when the connection is lost and
made again. The code outcome_unknown says that it may have been made or not.`

func updateCommand() *cli.Command {
	return &cli.Command{
		Name:      "update",
		Usage:     "set top-level properties of a state",
		ArgsUsage: "URL STATE [JSON|-]",
		Description: `JSON is an object: properties with their new values. Properties that it does not name stay; of two writers of the same
property the last one wins. null is a value like others: "statesync patch" removes.` + changeRules + `

Example: statesync update ws://127.0.0.1:5000 demo '{"topic": "cats"}'`,
		Flags: clientFlags(changeFlag()),
		Action: func(ctx context.Context, command *cli.Command) error {
			return makeChange(ctx, command, "updates", readUpdates)
		},
	}
}

func patchCommand() *cli.Command {
	return &cli.Command{
		Name:      "patch",
		Usage:     "change a state by the operations of a JSON Patch",
		ArgsUsage: "URL STATE [JSON|-]",
		Description: `JSON is an array of operations, of which all are made or none: those of JSON Patch (RFC 6902), which are add, remove,
replace, move, copy and test, and increment, which adds the number "value" to the number at "path".` + changeRules + `

Example: statesync patch ws://127.0.0.1:5000 demo '[{"op": "increment", "path": "/counter", "value": 1}]'`,
		Flags: clientFlags(changeFlag()),
		Action: func(ctx context.Context, command *cli.Command) error {
			return makeChange(ctx, command, "patch", readPatch)
		},
	}
}

func changeFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print the version, or the code and the reason, as a JSON object"}
}

// A submission gives a change that was read to the state.
type submission func(ctx context.Context, state *wasmclient.State) (version uint64, err error)

func readUpdates(text []byte) (submission, error) {
	updates, err := document.Parse(text, changeLimits)
	if err == nil && updates.Kind() != document.Object {
		err = &document.Error{Code: document.CodeInvalidPatch, Reason: "updates are an object, and the kind of this is " + updates.Kind().String()}
	}
	return func(ctx context.Context, state *wasmclient.State) (uint64, error) {
		return state.UpdateState(ctx, updates)
	}, err
}

func readPatch(text []byte) (submission, error) {
	ops, err := document.ParsePatch(text, changeLimits)
	return func(ctx context.Context, state *wasmclient.State) (uint64, error) {
		return state.PatchState(ctx, ops...)
	}, err
}

// makeChange is update and patch: it reads the change, which is called what, makes it and prints what became of it.
func makeChange(ctx context.Context, command *cli.Command, what string, read func(text []byte) (submission, error)) error {
	arguments, err := take(command, "URL", "STATE", "[JSON]")
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	text, source, err := changeText(ctx, command, arguments[2:])
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	submit, err := read(text)
	if err != nil {
		return refusal(command, err, fmt.Errorf("read the %s from %s: %w%s", what, source, err, position(text, err)))
	}
	client, state, err := connect(ctx, command, arguments[0], arguments[1])
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	version, err := submit(ctx, state)
	if err != nil {
		return refusal(command, err, verdictError(ctx, client, state, err))
	}
	return write(command.Root().Writer, versionLine(version, command.Bool("json")))
}

// verdictError says what became of a change that has no version.
func verdictError(ctx context.Context, client *wasmclient.Client, state *wasmclient.State, err error) error {
	unknown := errors.Is(err, wasmclient.ErrOutcomeUnknown)
	switch {
	case ctx.Err() != nil && unknown:
		return &exitError{exitInterrupted, errors.New("interrupted: the outcome of the change is unknown")}
	case ctx.Err() != nil:
		return &exitError{exitInterrupted, errors.New("interrupted: the change was not made")}
	case state.Err() != nil && unknown:
		return fmt.Errorf("%w; the outcome of the change is unknown", endError(client, state.Err()))
	case state.Err() != nil:
		return endError(client, state.Err())
	case unknown:
		return err
	default:
		return fmt.Errorf("the change was refused: %w", err)
	}
}

// refusal prints, with --json, the code and the reason of a cause that has them, and returns what is told of it.
func refusal(command *cli.Command, cause, told error) error {
	code, reason, ok := codeAndReason(cause)
	if !ok || !command.Bool("json") {
		return told
	}
	line := appendString([]byte(`{"code":`), code)
	line = appendString(append(line, `,"reason":`...), reason)
	if err := write(command.Root().Writer, append(line, "}\n"...)); err != nil {
		return fmt.Errorf("%w; %w", told, err)
	}
	return told
}

// codeAndReason splits the error of a client or of a document. The reason is there for people.
func codeAndReason(err error) (code, reason string, ok bool) {
	var verdict *wasmclient.Error
	var local *document.Error
	switch {
	case errors.As(err, &verdict):
		code, reason = verdict.Code.String(), verdict.Error()
	case errors.As(err, &local):
		code, reason = string(local.Code), local.Error()
	default:
		return "", "", false
	}
	return code, strings.ToValidUTF8(strings.TrimPrefix(reason, code+": "), "\uFFFD"), true
}

func versionLine(version uint64, asJSON bool) []byte {
	number := strconv.FormatUint(version, 10)
	if asJSON {
		return []byte(`{"version":` + number + "}\n")
	}
	return []byte(number + "\n")
}
