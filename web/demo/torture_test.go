package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestATortureLosesNothing(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var last progress
	var arrived []any
	run := &torture{
		program: program, messages: 250, lasts: 3 * time.Second,
		report: func(p progress) { last = p },
		arrived: func(messages []any) {
			mu.Lock()
			defer mu.Unlock()
			arrived = append(arrived, messages...)
		},
	}
	found, err := run.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (tally{sent: 250, here: 250}); found.ours != want {
		t.Errorf("by appends: got %+v, want %+v", found.ours, want)
	}
	if found.seed.sent != 250 || found.seed.lost == 0 {
		t.Errorf("by the old idiom: got %+v, which loses nothing", found.seed)
	}
	if last.kills == 0 || last.cuts == 0 {
		t.Errorf("nothing was done to them: %+v", last)
	}
	if seen := tallyOf(250, document.MustOf(arrived)); seen != (tally{sent: 250, here: 250}) {
		t.Errorf("the watcher saw %+v", seen)
	}
}

// A server that does not come up ends the torture, not the patience of who watches.
func TestAVictimThatDoesNotListenIsGivenUp(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = startVictim(t.Context(), program, "mute", time.Millisecond)
	if want := "start the server that is to be killed: it did not listen within 1ms; it said: "; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the program ends"))
	_, err = startVictim(ctx, program, "mute", time.Hour)
	if want := "start the server that is to be killed: the program ends; it said: "; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestATallyCountsWhatIsLostAndDoubled(t *testing.T) {
	got := tallyOf(5, document.MustOf([]any{"a", "b", "b", "c"}))
	if want := (tally{sent: 5, here: 4, lost: 2, doubled: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOneTortureAtATimeAndPagesCannotWriteItsState(t *testing.T) {
	tormentor, err := newTorturer(50, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer tormentor.close()
	if err := tormentor.syncer.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	client, err := wasmclient.New("ws://"+tormentor.syncer.Addr().String(), "page", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	state, err := client.ConnectToState(t.Context(), tortureState)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.UpdateState(t.Context(), map[string]any{"phase": "done"}); err == nil {
		t.Error("a page may write the state")
	}
	over := make(chan document.Value, 1)
	state.AddStateUpdateListener("over", func(u wasmclient.Update) {
		if phase := u.View.Get("phase").Text(); phase == "done" || phase == "failed" {
			over <- u.View
		}
	}, "phase")
	for i, want := range []int{http.StatusAccepted, http.StatusConflict} {
		answer := httptest.NewRecorder()
		tormentor.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/torture", nil))
		if answer.Code != want {
			t.Errorf("request %d was answered %d, want %d", i, answer.Code, want)
		}
	}
	select {
	case view := <-over:
		if view.Get("phase").Text() != "done" || view.Get("messages").Len() != 50 {
			t.Errorf("the page has %v with %d messages", view.Get("phase"), view.Get("messages").Len())
		}
	case <-t.Context().Done():
	}
}
