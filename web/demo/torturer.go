package main

import (
	"context"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
)

// tortureState is where pages see how a torture goes. It is of the program's own, in memory.
const tortureState = "torture"

// torturer runs one torture at a time and tells the pages of it through a state, messages and all: they count for
// themselves.
type torturer struct {
	syncer   *server.StateSyncer
	messages int
	lasts    time.Duration
	ctx      context.Context
	cancel   context.CancelFunc

	mu      sync.Mutex // guards running
	running bool
	runs    sync.WaitGroup
}

func newTorturer(messages int, lasts time.Duration) (*torturer, error) {
	syncer, err := server.New(server.Options{})
	if err != nil {
		return nil, err
	}
	_, err = syncer.CreateState(server.StateOptions{
		Identifier:   tortureState,
		InitialValue: map[string]any{"phase": "none", "messages": []any{}, "planned": messages},
		InterceptStateUpdate: func(_ context.Context, update *server.Update) error {
			if update.ClientInformation() != itself {
				return server.Refuse("Only the program writes here.")
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	removeStale(os.TempDir())
	t := &torturer{syncer: syncer, messages: messages, lasts: lasts}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t, nil
}

// byProgram marks the program's own changes; no client has it.
type byProgram struct{}

var itself any = byProgram{}

// ServeHTTP begins a torture; 409 if there is one.
func (t *torturer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running || t.ctx.Err() != nil {
		http.Error(w, "A torture is running.", http.StatusConflict)
		return
	}
	t.running = true
	t.set(map[string]any{"phase": "running", "messages": []any{}, "sent": 0, "answered": 0, "cuts": 0, "kills": 0, "seed": nil, "error": nil})
	t.runs.Go(t.run)
	w.WriteHeader(http.StatusAccepted)
}

func (t *torturer) run() {
	program, err := os.Executable()
	began := time.Now()
	run := &torture{
		program: program, messages: t.messages, lasts: t.lasts,
		report: func(p progress) {
			t.set(map[string]any{"sent": p.sent, "answered": p.answered, "cuts": p.cuts, "kills": p.kills, "seconds": int(time.Since(began).Seconds())})
		},
		arrived: t.arrived,
	}
	var found outcome
	if err == nil {
		found, err = run.run(t.ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = false
	if err != nil {
		t.set(map[string]any{"phase": "failed", "error": err.Error()})
		return
	}
	t.set(map[string]any{
		"phase": "done", "answered": found.ours.sent - found.ours.refused, "sent": found.ours.sent, "seconds": int(time.Since(began).Seconds()),
		"ours": found.ours.value(), "seed": found.seed.value(),
	})
}

func (t tally) value() map[string]any {
	return map[string]any{"sent": t.sent, "here": t.here, "lost": t.lost, "doubled": t.doubled, "refused": t.refused}
}

// arrived passes messages on to the pages, as they came.
func (t *torturer) arrived(messages []any) {
	patch := make([]document.PatchOp, len(messages))
	for i, m := range messages {
		patch[i] = document.PatchOp{Kind: document.Add, Path: "/messages/-", Value: m.(document.Value)}
	}
	_, _ = t.syncer.PatchState(t.ctx, tortureState, patch, itself)
}

// set tells the pages; what cannot be told when the program ends is of no account.
func (t *torturer) set(updates map[string]any) {
	_, _ = t.syncer.UpdateStateValue(t.ctx, tortureState, updates, itself)
}

// close ends a run that there is, and waits for it.
func (t *torturer) close() {
	t.mu.Lock()
	t.cancel() // no other one begins
	t.mu.Unlock()
	t.runs.Wait()
	_ = t.syncer.Close()
}
