//go:build !js

package jointtest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
	"github.com/server-state-sync/server-state-sync/wasmclient/typed"
)

type game struct {
	Round  int            `json:"round"`
	Scores map[string]int `json:"scores"`
	Note   string         `json:"note,omitempty"`
}

func TestATypedState(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{
		Identifier: "game", InitialValue: map[string]any{"round": 1, "scores": map[string]any{}, "other": true},
	})
	ctx := within(t)
	ada, bob := typed.Of[game](h.join("ada", "game")), typed.Of[game](h.join("bob", "game"))
	last := make(chan game, 1024)
	bob.AddStateUpdateListener("round", func(g game, err error) {
		if err != nil {
			t.Error(err)
		}
		last <- g
	}, "round")
	var players sync.WaitGroup
	for name, g := range map[string]typed.State[game]{"ada": ada, "bob": bob} {
		players.Go(func() {
			for range 50 {
				if _, err := g.Update(ctx, func(g *game) error { g.Round++; g.Scores[name]++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	players.Wait()
	h.settle("game", ada.State(), bob.State())
	got, err := ada.Get()
	if err != nil || got.Round != 101 || got.Scores["ada"] != 50 || got.Scores["bob"] != 50 {
		t.Errorf("got %+v, %v", got, err)
	}
	for g := range last {
		if g.Round == 101 {
			break
		}
	}

	if _, err := ada.Put(ctx, game{Round: 7, Note: "new"}); err != nil {
		t.Error(err)
	}
	if _, err := ada.Update(ctx, func(g *game) error { g.Note = ""; return nil }, "note"); err != nil {
		t.Error(err)
	}
	if got, want := h.settle("game", ada.State()), `{"note":null,"other":true,"round":7,"scores":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestATypedStateThatDoesNotFit(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "game", InitialValue: map[string]any{"round": "one"}})
	ctx := within(t)
	g := typed.Of[game](h.join("ada", "game"))
	const want = "decode the state as jointtest.game: "
	if _, err := g.Get(); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Get: got %v", err)
	}
	if _, err := g.Update(ctx, func(*game) error { return nil }); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Update: got %v", err)
	}
	if _, err := typed.Of[chan int](g.State()).Put(ctx, nil); err == nil || !strings.HasPrefix(err.Error(), "encode a chan int: ") {
		t.Errorf("Put of what has no JSON form: got %v", err)
	}
	if _, err := typed.Of[map[string]string](g.State()).Put(ctx, map[string]string{"__proto__": ""}); err == nil {
		t.Error("Put of a reserved key is taken")
	}
	var coded *wasmclient.Error
	if _, err := typed.Of[int](g.State()).Put(ctx, 1); !errors.As(err, &coded) {
		t.Errorf("Put of what is no object: got %v", err)
	}
}
