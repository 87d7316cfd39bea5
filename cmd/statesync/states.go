package main

import (
	"fmt"
	"os"

	"github.com/server-state-sync/server-state-sync/document"
)

// stateFileLimits is wide: the file is the operator's own, and each state in it is held to the server's limits.
var stateFileLimits = document.Limits{Bytes: 1 << 30}

// initialState is one member of the file of states.
type initialState struct {
	identifier string
	value      document.Value
}

// readStates reads a file that holds one JSON object: identifier to initial value, which is an object itself.
func readStates(file string) ([]initialState, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the states: %w", err)
	}
	all, err := document.Parse(text, stateFileLimits)
	if err != nil {
		return nil, fmt.Errorf("read the states: %s: %w", file, err)
	}
	if all.Kind() != document.Object {
		return nil, fmt.Errorf("read the states: %s: it must hold one JSON object: identifiers, each with its initial value", file)
	}
	var states []initialState
	for identifier, value := range all.Members() {
		if identifier == "" {
			return nil, fmt.Errorf("read the states: %s: an identifier is empty", file)
		}
		if value.Kind() != document.Object {
			return nil, fmt.Errorf("read the states: %s: the value of %q must be a JSON object", file, identifier)
		}
		states = append(states, initialState{identifier, value})
	}
	return states, nil
}
