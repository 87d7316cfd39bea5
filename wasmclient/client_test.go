package wasmclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestNewChecksItsArguments(t *testing.T) {
	for _, row := range []struct {
		name, endpoint, identifier string
		option                     wasmclient.Option
		want                       string
	}{
		{"no URL", "localhost:5000", "ada", nil, `the endpoint "localhost:5000" is not a URL such as wss://example.com`},
		{"scheme", "ftp://host", "ada", nil, `the endpoint's scheme is "ftp", not ws, wss, http or https`},
		{"no host", "ws:///path", "ada", nil, `the endpoint "ws:///path" names no host`},
		{"nothing behind", "wss://", "ada", nil, `the endpoint "wss://" names no host`},
		{"fragment", "ws://host/#a", "ada", nil, `the endpoint holds the character "#", which cannot stand in it`},
		{"space", "ws://ho st", "ada", nil, `the endpoint holds the character " ", which cannot stand in it`},
		{"token source", "ws://host", "ada", wasmclient.WithTokenSource(nil), "the token source is nil"},
		{"backoff", "ws://host", "ada", wasmclient.WithBackoff(2*time.Second, time.Second), "the backoff must be at least a millisecond, and its longest wait not below its shortest"},
		{"connect timeout", "ws://host", "ada", wasmclient.WithConnectTimeout(0), "the connect timeout must be at least a millisecond"},
		{"pending limit", "ws://host", "ada", wasmclient.WithPendingLimit(0, 1), "the pending limit must be at least one change and one byte"},
		{"backlog", "ws://host", "ada", wasmclient.WithListenerBacklog(0), "the listener backlog must be at least one update"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var opts []wasmclient.Option
			if row.option != nil {
				opts = append(opts, row.option)
			}
			_, err := wasmclient.New(row.endpoint, row.identifier, "", opts...)
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	if _, err := wasmclient.New("ws://host", "", ""); err == nil {
		t.Error("an empty client identifier is taken")
	}
}

func TestEveryFormOfEndpointIsDialed(t *testing.T) {
	for given, want := range map[string]string{
		"ws://host":           "ws://host",
		"WSS://host:1/p?q=1":  "wss://host:1/p?q=1",
		"http://127.0.0.1":    "ws://127.0.0.1",
		"https://[::1]:8/sub": "wss://[::1]:8/sub",
	} {
		synctest.Test(t, func(t *testing.T) {
			dialed := make(chan string, 1)
			client, err := wasmclient.New(given, "ada", "", wasmclient.WithDial(refuse(func(endpoint, _ string) error {
				select {
				case dialed <- endpoint:
				default:
				}
				return errors.New("no")
			})))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if got := <-dialed; got != want {
				t.Errorf("%s is dialed as %s, want %s", given, got, want)
			}
		})
	}
}

func TestOnConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := client.OnConnection(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "the client is not connected yet: context deadline exceeded" {
			t.Errorf("before the welcome: got %v", err)
		}
		server := f.accept(false)
		for range 2 {
			if err := client.OnConnection(t.Context()); err != nil {
				t.Errorf("after the welcome: got %v", err)
			}
		}
		f.refuse(errors.New("nobody there"))
		server.conn.Abort()
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := client.OnConnection(soon); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after a loss: got %v", err)
		}
		f.refusal.Store(nil)
		again := make(chan error)
		go func() { again <- client.OnConnection(t.Context()) }()
		f.accept(true)
		if err := <-again; err != nil {
			t.Errorf("after a reconnect: got %v", err)
		}
		client.Close()
		if err := client.OnConnection(t.Context()); !errors.Is(err, wasmclient.ErrClosed) {
			t.Errorf("after Close: got %v", err)
		}
	})
}

func TestATerminalRefusalEndsTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		p := <-f.dials
		p.next()
		p.send(protocol.Bye{Code: protocol.CodeUnauthorized, Reason: "the token has expired"})
		_ = p.conn.Close(int(protocol.CodeUnauthorized), "the token has expired")
		err := client.OnConnection(t.Context())
		if !errors.Is(err, wasmclient.ErrUnauthorized) || err.Error() != "unauthorized: the token has expired" {
			t.Errorf("OnConnection: got %v", err)
		}
		if _, err := client.ConnectToState(t.Context(), "chat"); !errors.Is(err, wasmclient.ErrUnauthorized) {
			t.Errorf("ConnectToState: got %v", err)
		}
		if got := client.Status().Phase; got != wasmclient.Failed {
			t.Errorf("the phase is %v, want failed", got)
		}
		time.Sleep(time.Hour)
		if len(f.tokens) != 1 {
			t.Errorf("dialed %d times, want once", len(f.tokens))
		}
	})
}

func TestConnectToState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		server := f.accept(false)
		var got verdictOfJoin
		join := func(identifier string) {
			go func() { got.state, got.err = client.ConnectToState(t.Context(), identifier) }()
			synctest.Wait()
		}

		join("missing")
		server.expect(`["join",1,"missing"]`)
		server.send(protocol.Closed{N: 1, Code: protocol.CodeStateNotFound, Reason: "there is no such state"})
		synctest.Wait()
		if !errors.Is(got.err, wasmclient.ErrStateNotFound) || got.err.Error() != "state_not_found: there is no such state" {
			t.Errorf("a missing state: got %v", got.err)
		}

		join("chat")
		server.admit(`{"n":1}`)
		synctest.Wait()
		chat := got.state
		if got.err != nil || chat.GetState().String() != `{"n":1}` || chat.Version() != 1 || chat.Identifier() != "chat" {
			t.Fatalf("chat: got %v, %v", chat, got.err)
		}
		join("game")
		server.admit(`{"m":2}`)
		synctest.Wait()
		if client.GetState().String() != `{"m":2}` || chat.GetState().String() != `{"n":1}` {
			t.Error("the client does not act on the state connected last, or the earlier one is gone")
		}
		join("chat")
		if got.state != chat {
			t.Error("connecting twice gives two states")
		}
		if client.GetState().String() != `{"n":1}` {
			t.Error("the client does not act on the state connected last")
		}
	})
}

type verdictOfJoin struct {
	state *wasmclient.State
	err   error
}

func TestConnectToStateThatIsGivenUpLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		server := f.accept(false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.ConnectToState(ctx, "chat")
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != `the state "chat" is not connected yet: context deadline exceeded` {
			t.Errorf("got %v", err)
		}
		server.expect(`["join",1,"chat"]`)
		server.expect(`["leave",1]`)
	})
}

func TestLeaveIsCounted(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		if again, err := s.client.ConnectToState(t.Context(), "chat"); err != nil || again != s.state {
			t.Fatalf("got %v, %v", again, err)
		}
		s.state.Leave()
		if err := s.state.Err(); err != nil {
			t.Errorf("after the first of two Leaves: got %v", err)
		}
		s.state.Leave()
		s.state.Leave()
		s.server.expect(`["leave",1]`)
		const want = `closed: the state "chat" was left`
		if err := s.state.Err(); !errors.Is(err, wasmclient.ErrClosed) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := s.state.UpdateState(t.Context(), map[string]any{"n": 2}); err == nil || err.Error() != want {
			t.Errorf("UpdateState after Leave: got %v, want %s", err, want)
		}
		if _, err := s.client.UpdateState(t.Context(), map[string]any{"n": 2}); !errors.Is(err, wasmclient.ErrNotConnectedToState) {
			t.Errorf("the client's UpdateState after Leave: got %v", err)
		}
		if got := s.client.GetState(); !got.Equal(document.EmptyObject) {
			t.Errorf("the client's GetState after Leave: got %v", got)
		}
		s.view(`{"n":1}`)
		if n := s.client.States(); n != 0 {
			t.Errorf("the client still keeps account of %d states", n)
		}
	})
}

func TestAStateThatTheServerEnds(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var heard told
		s.client.OnError(func(err error) { heard.add(err.Error()) })
		change := later(func() (uint64, error) { return s.state.UpdateState(t.Context(), map[string]any{"n": 2}) })
		s.server.expect(`["merge",1,1,1,{"n":2}]`)
		s.server.send(protocol.Closed{N: 1, Code: protocol.CodeStateRemoved, Reason: "its time ended"})
		heard.want(t, `the state "chat" has ended: state_removed: its time ended`)
		if v := <-change; v.err == nil {
			t.Error("the pending change is accepted")
		}
		if err := s.state.Err(); !errors.Is(err, wasmclient.ErrStateRemoved) {
			t.Errorf("got %v", err)
		}
		if _, err := s.client.UpdateState(t.Context(), map[string]any{"n": 2}); !errors.Is(err, wasmclient.ErrStateRemoved) {
			t.Errorf("the client still acts on the state: %v", err)
		}
	})
}

func TestWhyAConnectedClientHasFailedIsToldOnce(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var heard told
		s.client.OnError(func(err error) { heard.add(err.Error()) })
		s.server.send(protocol.Bye{Code: protocol.CodeUnauthorized, Reason: "the token has expired"})
		_ = s.server.conn.Close(int(protocol.CodeUnauthorized), "the token has expired")
		heard.want(t, "unauthorized: the token has expired")
		if err := s.state.Err(); !errors.Is(err, wasmclient.ErrUnauthorized) {
			t.Errorf("the state: got %v", err)
		}
	})
}

func TestCloseSettlesWhatIsPending(t *testing.T) {
	play(t, `{"list":[1],"n":1}`, func(t *testing.T, s scene) {
		sent, err := s.state.Submit(t.Context(), map[string]any{"n": 2})
		if err != nil {
			t.Fatal(err)
		}
		s.server.expect(`["merge",1,1,1,{"n":2}]`)
		unsent, err := s.state.SubmitPatch(t.Context(), document.PatchOp{Kind: document.Remove, Path: "/list/0"}) // waits: it has an index
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sent.Verdict(); !errors.Is(err, wasmclient.ErrOutcomeUnknown) {
			t.Errorf("before the verdict: got %v", err)
		}
		s.client.Close()
		<-sent.Done()
		<-unsent.Done()
		if _, err := sent.Verdict(); !errors.Is(err, wasmclient.ErrClosed) || !errors.Is(err, wasmclient.ErrOutcomeUnknown) {
			t.Errorf("the change that was sent: got %v", err)
		}
		if _, err := unsent.Verdict(); !errors.Is(err, wasmclient.ErrClosed) || errors.Is(err, wasmclient.ErrOutcomeUnknown) {
			t.Errorf("the change that was not sent: got %v", err)
		}
		if _, err := s.state.UpdateState(t.Context(), map[string]any{"n": 3}); !errors.Is(err, wasmclient.ErrClosed) {
			t.Errorf("UpdateState after Close: got %v", err)
		}
		if _, err := s.client.ConnectToState(t.Context(), "chat"); !errors.Is(err, wasmclient.ErrClosed) {
			t.Errorf("ConnectToState after Close: got %v", err)
		}
		if got := s.client.Status().Phase; got != wasmclient.Closed {
			t.Errorf("the phase is %v, want closed", got)
		}
		if err := s.client.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	})
}
