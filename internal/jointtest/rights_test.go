//go:build !js

package jointtest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// A client whose right to one of its states was taken away while it was gone does not get it back by resuming: it sees
// nothing more of that state and changes nothing there. Its other state goes on.
func TestRightsAreAskedAgainWhenAClientResumes(t *testing.T) {
	var allowed atomic.Bool
	allowed.Store(true)
	rule := func(context.Context, any) bool { return allowed.Load() }
	h := open(t, server.Options{}, server.StateOptions{Identifier: "open", InitialValue: map[string]any{"n": 0}},
		server.StateOptions{Identifier: "shut", InitialValue: map[string]any{"n": 0}, AllowConnectingClient: rule})
	p := proxyTo(t, h.addr)
	client := (&house{t: t, server: h.server, addr: p.addr}).client("ada")
	ctx := within(t)
	free, err := client.ConnectToState(ctx, "open")
	if err != nil {
		t.Fatal(err)
	}
	shut, err := client.ConnectToState(ctx, "shut")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*wasmclient.State{free, shut} {
		if _, err := s.Increment(ctx, "n", 1); err != nil {
			t.Fatal(err)
		}
	}
	p.down()
	allowed.Store(false)
	await(t, "the client to notice", func() bool { return client.Status().Phase != wasmclient.Connected })
	mine, err := free.Submit(ctx, map[string]any{"mine": 1})
	if err != nil {
		t.Fatal(err)
	}
	lost, err := shut.Submit(ctx, map[string]any{"mine": 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.server.UpdateStateValue(ctx, "shut", map[string]any{"secret": true}); err != nil {
		t.Fatal(err)
	}
	p.up()
	if _, err := mine.Wait(ctx); err != nil {
		t.Errorf("the other state: %v", err)
	}
	if _, err := lost.Wait(ctx); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("the change to the state that is not allowed any more: got %v, want not_allowed", err)
	}
	if _, err := shut.UpdateState(ctx, map[string]any{"mine": 2}); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("a change afterwards: got %v, want not_allowed", err)
	}
	if _, err := client.ConnectToState(ctx, "shut"); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("joining again: got %v, want not_allowed", err)
	}
	if got := shut.GetState(); got.Get("secret").Exists() {
		t.Errorf("the client sees %v", got)
	}
	if value, _ := h.server.GetValueOfState("shut"); value.String() != `{"n":1,"secret":true}` {
		t.Errorf("the state is %v", value)
	}
	h.settle("open", free)
	allowed.Store(true)
	again, err := client.ConnectToState(ctx, "shut")
	if err != nil {
		t.Fatal(err)
	}
	h.settle("shut", again)
}
