//go:build !js

package jointtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// Every change is made once, in order, whatever the network does to the connections.
func TestChangesAreMadeOnceThoughConnectionsAreCut(t *testing.T) {
	const writers, each = 3, 2000
	h := open(t, server.Options{}, server.StateOptions{Identifier: "chat", InitialValue: map[string]any{"messages": []any{}, "n": 0}})
	ctx := within(t)
	var clients []*wasmclient.State
	for i := range writers {
		clients = append(clients, h.join(strconv.Itoa(i), "chat"))
	}
	var all, cutter sync.WaitGroup
	stop := make(chan struct{})
	cuts := 0
	cutter.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(5+rand.IntN(20)) * time.Millisecond):
				cuts += h.cut()
			}
		}
	})
	for i, s := range clients {
		all.Go(func() { writeThroughCuts(ctx, t, s, i, each) })
	}
	all.Wait()
	close(stop)
	cutter.Wait()
	h.settle("chat", clients...)
	view := clients[0].GetState()
	if got := view.Get("n").Number(); got != writers*each {
		t.Errorf("the counter is %v, want %d", got, writers*each)
	}
	checkMessages(t, view.Get("messages"), writers, each)
	if cuts < 10 {
		t.Errorf("only %d connections were cut", cuts)
	}
}

// writeThroughCuts appends and counts, some changes awaited and some on their way together.
func writeThroughCuts(ctx context.Context, t *testing.T, s *wasmclient.State, writer, each int) {
	var pending []*wasmclient.Pending
	for n := range each {
		message := document.MustOf(strconv.Itoa(writer) + ":" + strconv.Itoa(n))
		p, err := s.SubmitPatch(ctx,
			document.PatchOp{Kind: document.Add, Path: "/messages/-", Value: message},
			document.PatchOp{Kind: document.Increment, Path: "/n", Value: document.MustOf(1)})
		if err != nil {
			t.Error(err)
			return
		}
		if pending = append(pending, p); len(pending) < 8 {
			continue
		}
		for _, p := range pending {
			if _, err := p.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		pending = nil
	}
	for _, p := range pending {
		if _, err := p.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
}

// A connection that breaks at any byte, in either direction, is resumed with nothing lost and nothing twice.
func TestAConnectionMayBreakAtAnyByte(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "counter", InitialValue: map[string]any{"n": 0}})
	ctx := within(t)
	s := h.join("ada", "counter")
	made := 0
	for after := range int64(120) {
		h.mu.Lock()
		for _, conn := range h.conns {
			fault := transporttest.Fault{Kind: transporttest.Cut, After: after / 2}
			if after%2 == 0 {
				conn.Set(transporttest.Faults{Read: fault})
			} else {
				conn.Set(transporttest.Faults{Write: fault})
			}
		}
		h.conns = nil
		h.mu.Unlock()
		for range 3 {
			if _, err := s.Increment(ctx, "n", 1); err != nil {
				t.Fatalf("broken after %d bytes: %v", after/2, err)
			}
			made++
		}
	}
	if got, want := h.settle("counter", s), `{"n":`+strconv.Itoa(made)+`}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAClientCatchesUpAfterItWasAway(t *testing.T) {
	h := open(t, server.Options{Limits: server.Limits{HistoryEntries: 16}},
		server.StateOptions{Identifier: "s", InitialValue: map[string]any{"kept": 1, "n": 0}})
	ctx := within(t)
	away, busy := h.join("away", "s"), h.join("busy", "s")
	var mu sync.Mutex
	chain := []uint64{}
	away.AddStateUpdateListener("chain", func(u wasmclient.Update) {
		mu.Lock()
		defer mu.Unlock()
		chain = append(chain, u.From, u.To)
	})
	for _, changes := range []int{5, 100} { // those within the history come one by one, the others as a jump
		h.cut()
		for range changes {
			if _, err := busy.Increment(ctx, "n", 1); err != nil {
				t.Fatal(err)
			}
		}
		h.settle("s", away, busy)
	}
	if got := h.settle("s", away, busy); got != `{"kept":1,"n":105}` {
		t.Errorf("got %s", got)
	}
	await(t, "the listener", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(chain) > 0 && chain[len(chain)-1] == away.Version()
	})
	mu.Lock()
	defer mu.Unlock()
	for i := 2; i < len(chain); i += 2 {
		if chain[i] != chain[i-1] {
			t.Errorf("an update goes from version %d, the one before it went to %d", chain[i], chain[i-1])
		}
	}
}

func TestATokenSourceAgainstAServer(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	valid := "token 1"
	authorize := func(r *http.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		token := server.AccessToken(r)
		seen = append(seen, token)
		if token != valid {
			return nil, errors.New("the token has expired")
		}
		return token, nil
	}
	h := open(t, server.Options{Authorize: authorize}, chat())
	var asked atomic.Int64
	client := h.client("ada", wasmclient.WithTokenSource(func(context.Context) (string, error) {
		return "token " + strconv.FormatInt(asked.Add(1), 10), nil
	}))
	problems := make(chan error, 16)
	client.OnError(func(err error) { problems <- err })
	ctx := within(t)
	if _, err := client.ConnectToState(ctx, "chat"); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	valid = "token 2"
	mu.Unlock()
	h.cut()
	<-problems // the lost connection
	if err := client.OnConnection(ctx); err != nil {
		t.Fatal(err)
	}
	h.cut() // the third token is not valid
	await(t, "the client to give up", func() bool { return client.Status().Phase == wasmclient.Failed })
	if err := client.OnConnection(ctx); !errors.Is(err, wasmclient.ErrUnauthorized) {
		t.Errorf("got %v, want unauthorized", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3 || seen[0] != "token 1" || seen[1] != "token 2" || seen[2] != "token 3" {
		t.Errorf("the server has seen %q", seen)
	}
}

func TestTheTokenInTheQueryWhenAskedTo(t *testing.T) {
	queries := make(chan string, 1)
	h := open(t, server.Options{Authorize: func(r *http.Request) (any, error) {
		queries <- r.URL.RawQuery + " " + r.Header.Get("Authorization") + server.AccessToken(r)
		return nil, nil
	}}, chat())
	client, err := wasmclient.New("http://"+h.addr+"/?a=1", "ada", "sec ret&", wasmclient.WithTokenInQuery())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if got, want := <-queries, "a=1&token=sec%20ret%26 sec ret&"; got != want {
		t.Errorf("the server sees %q, want %q", got, want)
	}
}

// A server that comes back with another memory is another incarnation of its states: nothing of the old one is replayed.
func TestAServerThatCameBackWithoutItsMemory(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "s", InitialValue: map[string]any{"life": 1}})
	ctx := within(t)
	s := h.join("ada", "s")
	if _, err := s.UpdateState(ctx, map[string]any{"mine": 1}); err != nil {
		t.Fatal(err)
	}
	h.server.Close()
	p, err := s.Submit(ctx, map[string]any{"mine": 2})
	if err != nil {
		t.Fatal(err)
	}
	h.start(h.addr, server.Options{}, server.StateOptions{Identifier: "s", InitialValue: map[string]any{"life": 2}})
	if _, err := p.Wait(ctx); err == nil || err.Error()[:14] != "state_replaced" {
		t.Errorf("the change of the old life: got %v, want state_replaced", err)
	}
	if got := h.settle("s", s); got != `{"life":2}` {
		t.Errorf("got %s", got)
	}
	if _, err := s.UpdateState(ctx, map[string]any{"mine": 3}); err != nil {
		t.Error(err)
	}
}

func TestCloseWhileBusy(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0}})
	client := h.client("ada", wasmclient.WithPendingLimit(50, 1<<20))
	s, err := client.ConnectToState(within(t), "s")
	if err != nil {
		t.Fatal(err)
	}
	s.AddStateUpdateListener("echo", func(u wasmclient.Update) {
		if u.Updates.Get("n").Exists() {
			_, _ = s.UpdateState(context.Background(), map[string]any{"echo": u.View.Get("n")})
		}
	})
	var busy sync.WaitGroup
	var accepted atomic.Int64
	begun := make(chan struct{}, 8)
	for range 8 {
		busy.Go(func() {
			for first := true; ; first = false {
				if _, err := s.Increment(context.Background(), "n", 1); err != nil {
					if !errors.Is(err, wasmclient.ErrClosed) {
						t.Errorf("got %v, want closed", err)
					}
					return
				}
				accepted.Add(1)
				if first {
					begun <- struct{}{}
				}
			}
		})
	}
	for range 8 {
		<-begun
	}
	client.Close()
	busy.Wait()
	value, _ := h.server.GetValueOfState("s")
	if n := int64(value.Get("n").Number()); n < accepted.Load() {
		t.Errorf("the server counts %d, fewer than the %d that were accepted", n, accepted.Load())
	}
}
