// Package hub has the servers in Go that the benchmark compares, each as its users would write it: ours, and the peers
// that keep a state for clients and send its changes on. Those for Node.js are in the folder node.
package hub

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
)

// Setup is what a server holds when a round begins, and what is asked of it. The servers for Node.js read the same JSON.
type Setup struct {
	States    int    `json:"states"`    // named s0, s1 and so on
	Bytes     int    `json:"bytes"`     // of a text in each state
	Messages  int    `json:"messages"`  // in an array in each state
	History   bool   `json:"history"`   // clients come back and want what they missed
	Intercept bool   `json:"intercept"` // a rule of the program is asked about every change, and accepts
	Durable   string `json:"durable"`   // the folder that keeps the states; empty: memory. Ours only
	Profile   string `json:"profile"`   // where a CPU profile of the server goes; empty: none. Ours only
}

// Message returns the i-th message of the array that the states begin with.
func Message(i int) string {
	return fmt.Sprintf(`{"id":%d,"author":"ann","text":"%s"}`, i, strings.Repeat("m", 60))
}

// Messages returns the array.
func Messages(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = Message(i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// properties returns what each state has in the beginning.
func (s Setup) properties() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"text":     json.RawMessage(`"` + strings.Repeat("t", s.Bytes) + `"`),
		"messages": json.RawMessage(Messages(s.Messages)),
		"count":    json.RawMessage("0"),
	}
}

// Name returns the identifier of the i-th state.
func Name(i int) string { return fmt.Sprint("s", i) }

// Servers are the hubs of this package by the name of what they stand for.
var Servers = map[string]func(net.Listener, Setup) error{
	"ours":       ours,
	"floor":      floor,
	"gorilla":    gorilla,
	"centrifuge": centrifugeHub,
}

// Serve runs a server until the process is ended, and prints its address first.
func Serve(name, setup string) error {
	run, ok := Servers[name]
	if !ok {
		return fmt.Errorf("there is no server %q", name)
	}
	var s Setup
	if err := json.Unmarshal([]byte(setup), &s); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return run(listener, s)
}
