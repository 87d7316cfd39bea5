//go:build !js

package jointtest

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// program is a server's program whose callbacks misbehave until it is mended.
type program struct {
	*house
	mended  atomic.Bool
	release chan struct{} // closed when those that block go on
	called  atomic.Int64
	badly   func()
}

func newProgram() *program { return &program{release: make(chan struct{})} }

func (p *program) misbehave() {
	p.called.Add(1)
	if !p.mended.Load() {
		p.badly()
	}
}

func (p *program) panics() { panic("oh") }
func (p *program) blocks() { <-p.release } // whatever its context says: its answer comes late

// callbacks are the places where a program is called, as options that misbehave.
var callbacks = []struct {
	name          string
	set           func(p *program, o *server.Options, s *server.StateOptions)
	panics, block protocol.Code // what comes of the join or the change; 0: it is done
}{
	{"Authorize", func(p *program, o *server.Options, _ *server.StateOptions) {
		o.Authorize = func(r *http.Request) (any, error) {
			if server.AccessToken(r) != "token of other" {
				p.misbehave()
			}
			return nil, nil
		}
	}, protocol.CodeUnauthorized, 0}, // who gets no answer tries again
	{"OnMissingState", func(p *program, o *server.Options, s *server.StateOptions) {
		s.Identifier = "elsewhere"
		o.OnMissingState = func(context.Context, string, any) (server.StateOptions, error) {
			p.misbehave()
			return server.StateOptions{InitialValue: map[string]any{"n": 0}}, nil
		}
	}, protocol.CodeStateUnavailable, protocol.CodeStateUnavailable},
	{"AllowConnectingClient", func(p *program, _ *server.Options, s *server.StateOptions) {
		s.AllowConnectingClient = func(context.Context, any) bool { p.misbehave(); return true }
	}, protocol.CodeStateUnavailable, protocol.CodeStateUnavailable},
	{"InterceptStateUpdate", func(p *program, _ *server.Options, s *server.StateOptions) {
		s.InterceptStateUpdate = func(context.Context, *server.Update) error { p.misbehave(); return nil }
	}, protocol.CodeInterceptPanic, protocol.CodeInterceptTimeout},
	{"SelfDestruct", func(p *program, o *server.Options, s *server.StateOptions) {
		o.SelfDestructInterval = time.Millisecond
		s.SelfDestruct = func(int, time.Time) bool { p.misbehave(); return false }
	}, 0, 0},
}

// A callback that panics, or blocks and answers late, fails the join or the change that it was asked about. The other
// state and its client go on meanwhile, and so does the first when the program is mended.
func TestCallbacksThatMisbehaveAreContained(t *testing.T) {
	for _, callback := range callbacks {
		for _, kind := range []string{"panics", "blocks"} {
			t.Run(callback.name+" "+kind, func(t *testing.T) {
				p := newProgram()
				p.badly = p.panics
				want := callback.panics
				if kind == "blocks" {
					p.badly, want = p.blocks, callback.block
				}
				options := server.Options{InterceptTimeout: 500 * time.Millisecond, DrainSpread: 10 * time.Millisecond}
				bad := server.StateOptions{Identifier: "bad", InitialValue: map[string]any{"n": 0}}
				callback.set(p, &options, &bad)
				p.house = open(t, options, bad, server.StateOptions{Identifier: "good", InitialValue: map[string]any{"n": 0}})
				p.contain(want, callback.name == "Authorize" && kind == "blocks")
			})
		}
	}
}

// contain lets a client meet the callback, and another one work elsewhere. The client may be told to try again.
func (p *program) contain(want protocol.Code, again bool) {
	t, ctx := p.t, within(p.t)
	other := p.join("other", "good")
	met := make(chan error, 1)
	client := p.client("met")
	go func() { met <- joinAndCount(ctx, client, "bad") }()
	await(t, "the callback to be called", func() bool { return p.called.Load() > 0 })
	for range 20 {
		if _, err := other.Increment(ctx, "n", 1); err != nil {
			t.Errorf("the other state: %v", err)
		}
	}
	if want != 0 {
		if err, refused := <-met, new(wasmclient.Error); !errors.As(err, &refused) || refused.Code != want {
			t.Errorf("got %v, want %v", err, want)
		}
		close(met)
	}
	if again {
		await(t, "the client to be told to try again", func() bool { return client.Status().LastError != nil })
	}
	p.mended.Store(true)
	close(p.release)
	if err := <-met; err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	if err := joinAndCount(ctx, p.client("next"), "bad"); err != nil {
		t.Errorf("the next client: %v", err)
	}
	p.settle("good", other)
}

// joinAndCount joins the state and changes it.
func joinAndCount(ctx context.Context, client *wasmclient.Client, identifier string) error {
	s, err := client.ConnectToState(ctx, identifier)
	if err != nil {
		return err
	}
	_, err = s.Increment(ctx, "n", 1)
	return err
}
