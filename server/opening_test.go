package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/stores"
)

// openSlowly opens logs slowly, and panics where it is told to.
func openSlowly(identifier, _ string, _ stores.Committed) (stores.Log, error) {
	time.Sleep(time.Minute)
	if identifier == "panics" {
		panic("no log")
	}
	return &slowLog{}, nil
}

func TestOpeningALogDelaysNobodyElse(t *testing.T) {
	timed(t, withLogs(openSlowly), func(t *testing.T, f *fixture) {
		made := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := f.CreateState(StateOptions{Identifier: "s"})
				made <- err
			}()
		}
		synctest.Wait()
		start := time.Now()
		if _, found := f.GetValueOfState("s"); found {
			t.Error("the state was found before its log was open")
		}
		f.RemoveAllStates()
		f.askAll()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("others waited %v", waited)
		}
		if err := <-made; err != nil {
			t.Error(err)
		}
		if err := <-made; !errors.Is(err, ErrStateExists) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_, _ = f.CreateState(StateOptions{Identifier: "panics"})
			t.Error("the panic did not come through")
		}()
		if len(f.opening) != 0 || f.state("panics") != nil {
			t.Error("something is left of a state whose log panicked")
		}
		go func() {
			_, err := f.CreateState(StateOptions{Identifier: "late"})
			made <- err
		}()
		synctest.Wait()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := <-made; !errors.Is(err, ErrClosed) || f.state("late") != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestHastyShutdownDoesNotCutAPatientOne(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Hour}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(context.Context, *Update) error {
			time.Sleep(30 * time.Second)
			return nil
		}})
		handle, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{"a": 1}})
		if err != nil {
			t.Fatal(err)
		}
		patient := make(chan error)
		go func() { patient <- f.Shutdown(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the hasty one: got %v", err)
		}
		if err := <-patient; err != nil {
			t.Errorf("the patient one: got %v", err)
		}
		for range 20 { // a verdict that has come goes before a context that has ended
			if version, err := handle.Wait(ctx); version != 1 || err != nil {
				t.Fatalf("got %d, %v", version, err)
			}
		}
		if _, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{}}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Shutdown: got %v", err)
		}
	})
}

func TestSubmittedPatchIsACopy(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Hour}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: slowRule})
		if _, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{"first": true}}); err != nil {
			t.Fatal(err)
		}
		patch := patchOf(t, `[{"op":"add","path":"/a","value":1}]`)
		handle, err := f.Submit(t.Context(), "s", Change{Patch: patch})
		if err != nil {
			t.Fatal(err)
		}
		patch[0].Value = document.MustOf("changed behind its back")
		if _, err := handle.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if got, want := f.value("s"), `{"a":1,"first":true}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
