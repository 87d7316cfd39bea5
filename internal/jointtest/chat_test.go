//go:build !js

package jointtest

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func chat() server.StateOptions {
	return server.StateOptions{Identifier: "chat", InitialValue: map[string]any{"messages": []any{}}}
}

// The defect that the original package is known for: two clients that append at once lose messages.
func TestTwoClientsThatAppendAtOnceLoseNothing(t *testing.T) {
	const each = 1000
	for name, send := range map[string]func(context.Context, *wasmclient.State, string) error{
		"helper": func(ctx context.Context, s *wasmclient.State, text string) error {
			_, err := s.Append(ctx, "messages", text)
			return err
		},
		"patch": func(ctx context.Context, s *wasmclient.State, text string) error {
			_, err := s.PatchState(ctx, document.PatchOp{Kind: document.Add, Path: "/messages/-", Value: document.MustOf(text)})
			return err
		},
		"pipelined patch": func(ctx context.Context, s *wasmclient.State, text string) error {
			_, err := s.SubmitAppend(ctx, "messages", text)
			return err
		},
		"transaction": func(ctx context.Context, s *wasmclient.State, text string) error {
			_, err := s.Transact(ctx, []string{"messages"}, func(previous document.Value) (any, error) {
				messages, _ := previous.Get("messages").Any().([]any)
				return map[string]any{"messages": append(messages, text)}, nil
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, server.Options{}, chat())
			ctx := within(t)
			clients := []*wasmclient.State{h.join("ada", "chat"), h.join("bob", "chat")}
			var writers sync.WaitGroup
			for i, s := range clients {
				writers.Go(func() {
					for n := range each {
						if err := send(ctx, s, strconv.Itoa(i)+":"+strconv.Itoa(n)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			writers.Wait()
			await(t, "all verdicts", func() bool { return clients[0].Pending()+clients[1].Pending() == 0 })
			h.settle("chat", clients...)
			checkMessages(t, clients[0].GetState().Get("messages"), len(clients), each)
		})
	}
}

// checkMessages checks that every writer's messages are there once and in order.
func checkMessages(t *testing.T, messages document.Value, writers, each int) {
	t.Helper()
	if got := messages.Len(); got != writers*each {
		t.Errorf("there are %d messages, want %d", got, writers*each)
	}
	next := make([]int, writers)
	for _, message := range messages.Elements() {
		text := message.Text()
		i := int(text[0] - '0')
		if want := strconv.Itoa(i) + ":" + strconv.Itoa(next[i]); text != want {
			t.Fatalf("got message %q where %q is due", text, want)
		}
		next[i]++
	}
}

func TestTwentyWritersOfOneProperty(t *testing.T) {
	const writers, each = 20, 50
	patient := server.Options{TransactionTurn: time.Minute} // a busy machine may take longer than the 250 ms of the default
	h := open(t, patient, server.StateOptions{Identifier: "counter", InitialValue: map[string]any{"n": 0}})
	ctx := within(t)
	var all sync.WaitGroup
	for i := range writers {
		s := h.join("writer "+strconv.Itoa(i), "counter")
		all.Go(func() {
			for range each {
				if _, err := s.Transact(ctx, []string{"n"}, increment); err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if got := h.settle("counter"); got != `{"n":1000}` {
		t.Errorf("the server has %s, want 1000", got)
	}
}

// Transactions that one client begins without waiting for each other all land as well.
func TestTransactionsSideBySide(t *testing.T) {
	const clients, each = 3, 40
	h := open(t, server.Options{}, server.StateOptions{Identifier: "counter", InitialValue: map[string]any{"n": 0}})
	ctx := within(t)
	var all sync.WaitGroup
	for i := range clients {
		s := h.join("client "+strconv.Itoa(i), "counter")
		for range each {
			all.Go(func() {
				if _, err := s.Transact(ctx, nil, increment); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
	}
	all.Wait()
	if got := h.settle("counter"); got != `{"n":120}` {
		t.Errorf("the server has %s, want 120", got)
	}
}

func increment(previous document.Value) (any, error) {
	return map[string]any{"n": previous.Get("n").Number() + 1}, nil
}

func TestUpdatesOverwriteThePropertiesTheyNameOnly(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "s", InitialValue: map[string]any{"both": "", "kept": 1}})
	ctx := within(t)
	names := []string{"ada", "bob"}
	states := []*wasmclient.State{h.join("ada", "s"), h.join("bob", "s")}
	var writers sync.WaitGroup
	last := make([]uint64, 2)
	for i, s := range states {
		writers.Go(func() {
			for n := range 200 {
				version, err := s.UpdateState(ctx, map[string]any{names[i]: n, "both": names[i]})
				if err != nil {
					t.Error(err)
				}
				last[i] = version
			}
		})
	}
	writers.Wait()
	winner := "ada"
	if last[1] > last[0] {
		winner = "bob"
	}
	want := `{"ada":199,"bob":199,"both":"` + winner + `","kept":1}`
	if got := h.settle("s", states...); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOwnChangesReachListeners(t *testing.T) {
	const each = 300
	h := open(t, server.Options{}, chat())
	ctx := within(t)
	names := []string{"0", "1"}
	var clients []*wasmclient.State
	var mu sync.Mutex
	heard := [2][]string{}
	for i, name := range names {
		s := h.join(name, "chat")
		clients = append(clients, s)
		s.AddStateUpdateListener("list", func(u wasmclient.Update) {
			mu.Lock()
			defer mu.Unlock()
			heard[i] = append(heard[i], u.Updates.Get("messages").String())
		}, "messages")
	}
	var writers sync.WaitGroup
	for i, s := range clients {
		writers.Go(func() {
			for n := range each {
				if _, err := s.SubmitAppend(ctx, "messages", names[i]+":"+strconv.Itoa(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	await(t, "all verdicts", func() bool { return clients[0].Pending()+clients[1].Pending() == 0 })
	h.settle("chat", clients...)
	for i, s := range clients {
		final := s.GetState().Get("messages").String()
		await(t, "the listener of "+names[i]+" to hear the last update", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(heard[i]) > 0 && heard[i][len(heard[i])-1] == final
		})
		mu.Lock()
		if len(heard[i]) < each {
			t.Errorf("listener %d heard %d updates, fewer than its own %d", i, len(heard[i]), each)
		}
		mu.Unlock()
	}
}
