//go:build !js

package jointtest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// selfish is a program whose callbacks use the server that calls them, also for the state that they are asked about.
type selfish struct {
	*house
	asked atomic.Int64 // SelfDestruct
}

// note lets the program itself change a state.
func (p *selfish) note(ctx context.Context, identifier string) error {
	_, err := p.server.UpdateStateValue(ctx, identifier, map[string]any{"by": identifier})
	return err
}

func (p *selfish) must(err error) {
	if err != nil {
		p.t.Error(err)
	}
}

func (p *selfish) options() server.Options {
	return server.Options{
		InterceptTimeout: time.Minute,
		Authorize: func(r *http.Request) (any, error) {
			p.must(p.note(r.Context(), "plain"))
			r.Header, r.URL, r.Host = nil, &url.URL{}, "elsewhere" // the handshake has its own
			return nil, nil
		},
		OnMissingState: func(ctx context.Context, identifier string, _ any) (server.StateOptions, error) {
			_, err := p.server.CreateState(server.StateOptions{Identifier: identifier, InitialValue: map[string]any{"n": 5}})
			p.must(err)
			p.must(p.note(ctx, identifier))
			return server.StateOptions{InitialValue: map[string]any{"not": "this one"}}, nil
		},
	}
}

func (p *selfish) states() []server.StateOptions {
	zero := map[string]any{"n": 0}
	return []server.StateOptions{
		{Identifier: "plain"},
		{Identifier: "joined", InitialValue: zero, AllowConnectingClient: func(ctx context.Context, _ any) bool {
			p.must(p.note(ctx, "joined"))
			return true
		}},
		{Identifier: "gone at the join", AllowConnectingClient: func(context.Context, any) bool {
			return p.server.RemoveState("gone at the join")
		}},
		{Identifier: "gone at the change", InitialValue: zero, InterceptStateUpdate: func(context.Context, *server.Update) error {
			p.server.RemoveState("gone at the change")
			return nil
		}},
		{Identifier: "intercepted", InitialValue: zero, InterceptStateUpdate: p.intercept},
		{Identifier: "asked", InitialValue: zero, SelfDestruct: func(int, time.Time) bool {
			p.must(p.note(context.Background(), "asked"))
			p.asked.Add(1)
			return false
		}},
	}
}

// intercept tries to change the state that it decides about, which would wait for itself.
func (p *selfish) intercept(ctx context.Context, u *server.Update) error {
	if err := p.note(ctx, "intercepted"); !errors.Is(err, server.ErrReentrant) {
		p.t.Errorf("from inside its interceptor: got %v, want reentrant", err)
	}
	if _, err := p.server.Submit(ctx, "intercepted", server.Change{Updates: map[string]any{}}); !errors.Is(err, server.ErrReentrant) {
		p.t.Errorf("submitted from inside its interceptor: got %v, want reentrant", err)
	}
	for _, op := range u.Ops() {
		op.Path[0] = document.Key("elsewhere") // its own copy
	}
	return p.note(ctx, "plain")
}

// Callbacks may use the server that calls them; only a change of a state from inside its own interceptor is an error.
func TestCallbacksMayUseTheServer(t *testing.T) {
	p := &selfish{house: &house{t: t}}
	p.start("127.0.0.1:0", p.options(), p.states()...)
	t.Cleanup(func() { p.server.Close() })
	ctx, client := within(t), p.client("ada")
	for _, test := range []struct {
		identifier string
		want       error
		value      string
	}{
		{"plain", nil, `{"by":"plain","n":1}`},
		{"missing", nil, `{"by":"missing","n":6}`},
		{"joined", nil, `{"by":"joined","n":1}`},
		{"gone at the join", wasmclient.ErrStateRemoved, ""},
		{"gone at the change", wasmclient.ErrStateRemoved, ""},
		{"intercepted", nil, `{"n":1}`},
		{"asked", nil, `{"n":1}`},
	} {
		if err := putAndCount(ctx, client, test.identifier); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.identifier, err, test.want)
		}
		if value, _ := p.server.GetValueOfState(test.identifier); test.value != "" && value.String() != test.value {
			t.Errorf("%s: got %v, want %s", test.identifier, value, test.value)
		}
	}
	s, err := client.ConnectToState(ctx, "asked")
	if err != nil {
		t.Fatal(err)
	}
	s.Leave()
	s.Leave() // once for each time that it was joined
	await(t, "the rule to be asked", func() bool { return p.asked.Load() > 0 })
}

// putAndCount joins the state, where the counter may not be there yet, and counts.
func putAndCount(ctx context.Context, client *wasmclient.Client, identifier string) error {
	s, err := client.ConnectToState(ctx, identifier)
	if err != nil {
		return err
	}
	if !s.GetState().Get("n").Exists() {
		if _, err := s.UpdateState(ctx, map[string]any{"n": 0}); err != nil {
			return err
		}
	}
	_, err = s.Increment(ctx, "n", 1)
	return err
}

// A listener that changes what it is given, panics or blocks harms neither the view nor the changes of its client, nor
// other listeners.
func TestListenersThatMisbehaveAreContained(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0, "gone": 1}})
	ctx := within(t)
	client := h.client("ada")
	s, err := client.ConnectToState(ctx, "s")
	if err != nil {
		t.Fatal(err)
	}
	other := h.join("other", "s")
	heard, release := make(chan wasmclient.Update, 64), make(chan struct{})
	var reported atomic.Int64
	client.OnError(func(error) { panic("also this one") })
	client.OnError(func(error) { reported.Add(1) })
	s.AddStateUpdateListener("a mutates", func(u wasmclient.Update) {
		for i := range u.Ops {
			for j := range u.Ops[i].Path {
				u.Ops[i].Path[j] = document.Key("mutated")
			}
			u.Ops[i].Value = document.MustOf("mutated")
		}
		for i := range u.Removed {
			u.Removed[i] = "mutated"
		}
	})
	s.AddStateUpdateListener("b panics", func(wasmclient.Update) { panic("oh") })
	s.AddStateUpdateListener("c hears", func(u wasmclient.Update) { heard <- u })
	s.AddStateUpdateListener("d blocks", func(wasmclient.Update) { <-release })
	if _, err := other.PatchState(ctx, document.PatchOp{Kind: document.Remove, Path: "/gone"}, document.PatchOp{Kind: document.Increment, Path: "/n", Value: document.MustOf(1)}); err != nil {
		t.Fatal(err)
	}
	u := <-heard
	if len(u.Removed) != 1 || u.Removed[0] != "gone" {
		t.Errorf("the next listener hears that %q are removed", u.Removed)
	}
	for _, op := range u.Ops {
		if op.Path[0] == document.Key("mutated") {
			t.Errorf("the next listener hears of %v", op)
		}
	}
	for range 20 { // while a listener blocks
		if _, err := s.Increment(ctx, "n", 1); err != nil {
			t.Error(err)
		}
	}
	if got := h.settle("s", s, other); got != `{"n":21}` {
		t.Errorf("got %s", got)
	}
	close(release)
	await(t, "the panics to be reported", func() bool { return reported.Load() >= 2 })
}
