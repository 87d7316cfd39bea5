package server

import (
	"bytes"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// FuzzReceive lets a client send anything: the server does not panic, stays consistent, answers in its own protocol, and
// another client is served as before.
func FuzzReceive(f *testing.F) {
	hello, join := `["hello","0123456789abcdef","a",{}]`, `["join",1,"s"]`
	for _, seed := range []string{
		``, `[`, hello, hello + "\n" + join,
		hello + "\n" + join + "\x00" + `["merge",1,1,0,{"a":[1,2]}]` + "\x00" + `["patch",1,2,1,[["add",["a",0],3],["move",["a",1],["b"]]]]`,
		hello + "\n" + join + "\x00" + `["transaction",1,1,0,{"a":1},null,0]` + "\n" + `["leave",1]` + "\n" + join + "\n" + `["pong"]`,
		hello + "\n" + join + "\x00" + `["patch",1,1,0,[["increment",["n"],1],["copy",["l"],["l","-"]],["test",["n"],1],["remove",["l",0]]]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		fx := newFixture(t, Options{Limits: Limits{HistoryEntries: 4, Window: 4, State: 4096}})
		fx.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0, "l": []any{1, 2, 3}}})
		witness := fx.joined("witness", "s")
		w := fx.dial(nil)
		for frame := range bytes.SplitSeq(input, []byte{0}) {
			w.send(string(frame))
			w.recv()
		}
		fx.update("s", map[string]any{"last": true})
		got := witness.recv()
		if len(got) == 0 || !strings.Contains(got[len(got)-1], `"last"`) {
			t.Errorf("the witness got %q", got)
		}
		if state := fx.state("s"); state.value.Size() > 4096+100 || state.value.Kind() != document.Object {
			t.Errorf("the state is %s", state.value)
		}
	})
}
