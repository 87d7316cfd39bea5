package hub

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The floor, gorilla and the hub on ws speak the protocol that one writes first: {"join":"s1"} is answered with
// {"state":{...}}, and {"update":{...}} and {"append":{...}} go to everybody else as they came.
type request struct {
	Join    string                     `json:"join"`
	Version *uint64                    `json:"version"` // the floor's clients come back with it
	Update  map[string]json.RawMessage `json:"update"`
	Append  map[string]json.RawMessage `json:"append"`
}

// text returns a state as the answer to a join.
func stateText(properties map[string]json.RawMessage) []byte {
	text, err := json.Marshal(map[string]any{"state": properties})
	if err != nil {
		panic(err) // the texts are ours, or were decoded before
	}
	return text
}

// identifierIn finds the identifier in a join without parsing it, for the floor.
func identifierIn(message []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(message, []byte(`{"join":"`))
	if !ok {
		return "", false
	}
	name, _, _ := strings.Cut(string(rest), `"`)
	return name, true
}
