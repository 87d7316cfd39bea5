//go:build !js

package jointtest

import (
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/server"
)

// A server may be given larger states than by default: its clients read all that the protocol lets a frame be.
func TestAStateMayBeLargerThan16MiB(t *testing.T) {
	const size = 20 << 20
	h := open(t, server.Options{Limits: server.Limits{State: 2 * size}},
		server.StateOptions{Identifier: "large", InitialValue: map[string]any{"text": strings.Repeat("x", size)}})
	state, err := h.client("ada").ConnectToState(within(t), "large")
	if err != nil {
		t.Fatal(err)
	}
	if got := len(state.GetState().Get("text").Text()); got != size {
		t.Errorf("got %d bytes of text, want %d", got, size)
	}
}
