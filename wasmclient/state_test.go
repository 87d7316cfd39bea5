package wasmclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestAStateIsThereBeforeItsValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		state := client.State("chat")
		if state.Joined() || state.GetState().String() != "{}" {
			t.Errorf("before the join: joined %v, %v", state.Joined(), state.GetState())
		}
		change := later(func() (uint64, error) { return state.UpdateState(t.Context(), map[string]any{"n": 2}) })
		synctest.Wait()
		if got := state.GetState().String(); got != `{"n":2}` {
			t.Errorf("the change does not show before the join: %s", got)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := state.Ready(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Ready beyond its context: got %v", err)
		}
		server := f.accept(false)
		server.admit(`{"m":1,"n":1}`)
		if err := state.Ready(t.Context()); err != nil || !state.Joined() {
			t.Errorf("got %v, joined %v", err, state.Joined())
		}
		server.expect(`["merge",1,1,1,{"n":2}]`)
		server.send(protocol.Accepted{N: 1, Number: 1, Version: 2})
		if v := <-change; v.err != nil || state.GetState().String() != `{"m":1,"n":2}` {
			t.Errorf("got %+v, %v", v, state.GetState())
		}
		if _, err := client.UpdateState(t.Context(), map[string]any{}); !errors.Is(err, wasmclient.ErrNotConnectedToState) {
			t.Errorf("State has made it the one connected last: %v", err)
		}
		server.send(protocol.Closed{N: 1, Code: protocol.CodeStateRemoved})
		<-state.Done()
		if !errors.Is(state.Err(), wasmclient.ErrStateRemoved) || state.Joined() {
			t.Errorf("after the end: %v, joined %v", state.Err(), state.Joined())
		}
	})
}

func TestReadyTellsThatTheStateCannotBeJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		state := f.client().State("missing")
		server := f.accept(false)
		server.expect(`["join",1,"missing"]`)
		server.send(protocol.Closed{N: 1, Code: protocol.CodeStateNotFound})
		if err := state.Ready(t.Context()); !errors.Is(err, wasmclient.ErrStateNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestATransactionTellsWhatItHasRead(t *testing.T) {
	play(t, `{"m":1,"n":1}`, func(t *testing.T, s scene) {
		change := later(func() (uint64, error) {
			return s.state.TransactReading(t.Context(), func(previous document.Value) (any, []string, error) {
				return map[string]any{"n": previous.Get("m").Number() + 1}, []string{"m"}, nil
			})
		})
		s.server.expect(`["transaction",1,1,1,{"n":2},["m"],0]`)
		s.server.send(protocol.Accepted{N: 1, Number: 1, Version: 2})
		if v := <-change; v.err != nil || v.version != 2 {
			t.Errorf("got %+v, want version 2", v)
		}
	})
}
