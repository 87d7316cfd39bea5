//go:build !js

package jointtest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// Every line of the original package's client side, against a server as in its full example.
func TestEveryLineOfTheOriginalClientSide(t *testing.T) {
	h := open(t, server.Options{Authorize: emailOf}, server.StateOptions{
		Identifier:   "myGroupChat",
		InitialValue: map[string]any{"chatMessages": []any{}, "property": map[string]any{"kept": true}},
		AllowConnectingClient: func(_ context.Context, clientInformation any) bool {
			return clientInformation == "ada@example.com"
		},
		SelfDestruct: func(clientsLeft int, _ time.Time) bool { return clientsLeft == 0 },
	})
	ctx := within(t)
	// new Client('ws://...', 'clientIdentifier', 'accessToken')
	client := h.client("userIdentifier", wasmclient.WithTokenSource(func(context.Context) (string, error) { return "ada@example.com", nil }))
	// client.onError().then(...)
	client.OnError(func(err error) { t.Error(err) })
	// client.onConnection().then(...)
	if err := client.OnConnection(ctx); err != nil {
		t.Fatal(err)
	}
	// client.connectToState('stateIdentifier').then((state) => ...)
	state, err := client.ConnectToState(ctx, "myGroupChat")
	if err != nil {
		t.Fatal(err)
	}
	if got := state.GetState().Get("chatMessages").Len(); got != 0 {
		t.Errorf("the state has %d messages", got)
	}
	// client.addStateUpdateListener('client', (updates, previous) => ..., ['chatMessages'])
	updates := make(chan wasmclient.Update, 8)
	client.AddStateUpdateListener("client", func(u wasmclient.Update) { updates <- u }, "chatMessages")
	// client.updateState({ chatMessages: [...messages, { content }] })
	messages := []any{map[string]any{"content": "This is a new message"}}
	if _, err := client.UpdateState(ctx, map[string]any{"chatMessages": messages}); err != nil {
		t.Fatal(err)
	}
	u := <-updates
	if u.Updates.String() != `{"chatMessages":[{"content":"This is a new message"}]}` || u.Previous.String() != `{"chatMessages":[]}` {
		t.Errorf("the listener got %v, before %v", u.Updates, u.Previous)
	}
	// client.updateState({ property: { ...client.getState().property, nestedProperty: 'value' } })
	property := client.GetState().Get("property").With("nestedProperty", document.MustOf("value"))
	if _, err := client.UpdateState(ctx, map[string]any{"property": property}); err != nil {
		t.Fatal(err)
	}
	if got := client.GetState().Get("property").String(); got != `{"kept":true,"nestedProperty":"value"}` {
		t.Errorf("the property is %s", got)
	}
	// client.removeStateUpdateListener('listenerIdentifier')
	if !client.RemoveStateUpdateListener("client") {
		t.Error("the listener was not there")
	}
	h.settle("myGroupChat", state)

	stranger := h.client("stranger")
	if _, err := stranger.ConnectToState(ctx, "myGroupChat"); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("a stranger got %v", err)
	}
	if _, err := client.ConnectToState(ctx, "abc"); !errors.Is(err, wasmclient.ErrStateNotFound) {
		t.Errorf("a state that nobody made: got %v", err)
	}
}

func emailOf(r *http.Request) (any, error) { return server.AccessToken(r), nil }

func TestARefusedHandshakeEndsTheClient(t *testing.T) {
	h := open(t, server.Options{Authorize: func(*http.Request) (any, error) { return nil, errors.New("no") }}, chat())
	client := h.client("ada")
	if err := client.OnConnection(within(t)); !errors.Is(err, wasmclient.ErrUnauthorized) {
		t.Errorf("got %v, want unauthorized", err)
	}
}

func TestSeveralStatesOnOneConnection(t *testing.T) {
	h := open(t, server.Options{},
		server.StateOptions{Identifier: "a", InitialValue: map[string]any{"n": 0}},
		server.StateOptions{Identifier: "b", InitialValue: map[string]any{"n": 0}})
	ctx := within(t)
	client := h.client("ada")
	a, err := client.ConnectToState(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := client.ConnectToState(ctx, "b")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		for _, s := range []*wasmclient.State{a, b, b} {
			if _, err := s.SubmitPatch(ctx, document.PatchOp{Kind: document.Increment, Path: "/n", Value: document.MustOf(1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	await(t, "all verdicts", func() bool { return client.Status().Pending == 0 })
	if gotA, gotB := h.settle("a", a), h.settle("b", b); gotA != `{"n":100}` || gotB != `{"n":200}` {
		t.Errorf("got %s and %s", gotA, gotB)
	}
	if n := h.cut(); n != 1 {
		t.Errorf("the client made %d connections, want one", n)
	}
	a.Leave()
	if _, err := b.Increment(ctx, "n", 1); err != nil {
		t.Error(err)
	}
	if err := a.Err(); !errors.Is(err, wasmclient.ErrClosed) {
		t.Errorf("the state that was left: %v", err)
	}
}

func TestAnInterceptorCorrectsTheView(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{
		Identifier:   "s",
		InitialValue: map[string]any{"text": ""},
		InterceptStateUpdate: func(_ context.Context, u *server.Update) error {
			switch u.Value("text").Text() {
			case "forbidden":
				return server.Refuse("mind your language")
			case "rewritten":
				return u.SetUpdates(map[string]any{"text": "better"})
			}
			return nil
		},
	})
	ctx := within(t)
	ada, bob := h.join("ada", "s"), h.join("bob", "s")
	var origins []string
	heard := make(chan struct{}, 16)
	ada.AddStateUpdateListener("log", func(u wasmclient.Update) {
		origins = append(origins, u.Origin.String()+" "+u.Updates.Get("text").Text())
		heard <- struct{}{}
	})
	_, err := ada.UpdateState(ctx, map[string]any{"text": "forbidden"})
	if !errors.Is(err, wasmclient.ErrRefused) || err.Error() != "refused: mind your language" {
		t.Errorf("got %v", err)
	}
	if _, err := ada.UpdateState(ctx, map[string]any{"text": "rewritten"}); err != nil {
		t.Error(err)
	}
	if got := h.settle("s", ada, bob); got != `{"text":"better"}` {
		t.Errorf("got %s", got)
	}
	for range 4 {
		<-heard
	}
	want := []string{"local forbidden", "rollback ", "local rewritten", "remote better"}
	for i := range want {
		if origins[i] != want[i] {
			t.Errorf("update %d is %q, want %q", i, origins[i], want[i])
		}
	}
}

// Two clients whose listeners answer each other, each waiting for its verdict inside the listener.
func TestListenersThatWaitForVerdicts(t *testing.T) {
	const rounds = 100
	h := open(t, server.Options{}, server.StateOptions{Identifier: "rally", InitialValue: map[string]any{"ball": 0}})
	ctx := within(t)
	done := make(chan struct{})
	var players []*wasmclient.State
	for i, name := range []string{"ada", "bob"} {
		s := h.join(name, "rally")
		players = append(players, s)
		s.AddStateUpdateListener("play", func(u wasmclient.Update) {
			switch ball := int(u.Updates.Get("ball").Number()); {
			case ball == rounds && u.Origin == wasmclient.Local:
				close(done)
			case ball < rounds && ball%2 == i && u.Origin == wasmclient.Remote:
				if _, err := s.UpdateState(ctx, map[string]any{"ball": ball + 1}); err != nil {
					t.Error(err)
				}
			}
		}, "ball")
	}
	if _, err := h.server.UpdateStateValue(ctx, "rally", map[string]any{"ball": 1}); err != nil {
		t.Fatal(err)
	}
	<-done
	await(t, "the last verdicts", func() bool { return players[0].Pending()+players[1].Pending() == 0 })
}

func TestAStateThatIsRemoved(t *testing.T) {
	h := open(t, server.Options{}, chat())
	client := h.client("ada")
	problems := make(chan error, 1)
	client.OnError(func(err error) { problems <- err })
	s, err := client.ConnectToState(within(t), "chat")
	if err != nil {
		t.Fatal(err)
	}
	h.server.RemoveState("chat")
	if err := <-problems; !errors.Is(err, wasmclient.ErrStateRemoved) {
		t.Errorf("OnError heard %v", err)
	}
	if err := s.Err(); !errors.Is(err, wasmclient.ErrStateRemoved) {
		t.Errorf("the state's error is %v", err)
	}
}
