package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
)

// transferLimits are wide: each state is held to the limits of the server that takes it.
var transferLimits = document.Limits{Bytes: longestTransfer, Depth: document.MaxDepth, KeyBytes: longestTransfer}

// longestTransfer bounds a line of an export, in bytes.
const longestTransfer = 64 << 20

// stateLine is a state as a line of an export: canonical JSON, with its newline.
func stateLine(state server.StateValue) []byte {
	line := document.MustOf(map[string]any{
		"identifier": state.Identifier,
		"version":    state.Version,
		"createdAt":  state.CreatedAt.UTC().Format(time.RFC3339Nano),
		"value":      state.Value,
	})
	return append(line.AppendJSON(nil), '\n')
}

// parseStateLine reads what stateLine writes. A line needs an identifier and a value only; what else it has is ignored.
func parseStateLine(line []byte) (server.StateOptions, error) {
	var options server.StateOptions
	parsed, err := document.Parse(line, transferLimits)
	if err != nil {
		return options, err
	}
	identifier, value, createdAt := parsed.Get("identifier"), parsed.Get("value"), parsed.Get("createdAt")
	switch {
	case parsed.Kind() != document.Object:
		return options, fmt.Errorf("it is no JSON object but %s", parsed.Kind())
	case identifier.Kind() != document.String || identifier.Text() == "":
		return options, errors.New("it has no identifier that is a string")
	case value.Kind() != document.Object:
		return options, fmt.Errorf("the value of %q is no JSON object", identifier.Text())
	}
	options.Identifier, options.InitialValue = identifier.Text(), value
	if createdAt.Exists() {
		options.CreatedAt, err = time.Parse(time.RFC3339Nano, createdAt.Text())
		if options.CreatedAt = options.CreatedAt.UTC(); err != nil {
			return options, fmt.Errorf("createdAt of %q is no time as in RFC 3339", options.Identifier)
		}
	}
	return options, nil
}

// A keeper has the states of a folder: the server that runs on it, or this program.
type keeper interface {
	// export calls visit with a line for each state, or for the named ones. A state that cannot be read is told to failed.
	export(ctx context.Context, identifiers []string, visit func(line []byte) error, failed func(why string)) error
	// add makes the state of a line. replace ends one that is there.
	add(ctx context.Context, line []byte, replace bool) error
	// close gives the folder back.
	close() error
}

// exportStates is export for a server of this process.
func exportStates(ctx context.Context, syncer *server.StateSyncer, identifiers []string, visit func(line []byte) error, failed func(why string)) error {
	wanted := make(map[string]bool, len(identifiers))
	for _, identifier := range identifiers {
		wanted[identifier] = true
	}
	var ended error
	err := syncer.EachState(func(state server.StateValue) error {
		if ended = ctx.Err(); ended == nil && (len(identifiers) == 0 || wanted[state.Identifier]) {
			delete(wanted, state.Identifier)
			ended = visit(stateLine(state))
		}
		return ended
	})
	if ended != nil {
		return ended
	}
	for _, damaged := range joined(err) {
		failed(damaged.Error())
	}
	for _, identifier := range identifiers {
		if wanted[identifier] {
			failed(fmt.Sprintf("the state %q is not there", identifier))
			delete(wanted, identifier)
		}
	}
	return nil
}

// joined takes apart what errors.Join put together.
func joined(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// addState is add for a server of this process.
func addState(syncer *server.StateSyncer, line []byte, replace bool) error {
	options, err := parseStateLine(line)
	if err != nil {
		return err
	}
	if replace {
		return syncer.ReplaceState(options)
	}
	_, err = syncer.CreateState(options)
	if errors.Is(err, server.ErrStateExists) {
		return fmt.Errorf("the state %q is there already; --replace ends it and takes this one", options.Identifier)
	}
	return err
}
