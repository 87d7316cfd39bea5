package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores"
)

func Example() {
	stateSyncer, err := server.New(server.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stateSyncer.Close() }()
	if err := stateSyncer.Start("localhost:0"); err != nil {
		fmt.Println(err)
		return
	}
	identifier, err := stateSyncer.CreateState(server.StateOptions{
		Identifier:   "myGroupChat",
		InitialValue: map[string]any{"chatMessages": []any{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	version, err := stateSyncer.PatchState(context.Background(), identifier, []document.PatchOp{
		{Kind: document.Add, Path: "/chatMessages/-", Value: document.MustOf("hello")},
	})
	fmt.Println(version, err)
	value, _ := stateSyncer.GetValueOfState(identifier)
	fmt.Println(value)
	// Output:
	// 1 <nil>
	// {"chatMessages":["hello"]}
}

func ExampleStateSyncer_UseAuthorizationMiddleware() {
	stateSyncer, err := server.New(server.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stateSyncer.Close() }()
	stateSyncer.UseAuthorizationMiddleware(func(r *http.Request) (any, error) {
		if server.AccessToken(r) != "secret" {
			return nil, server.Refuse("the access token is unknown")
		}
		return "alice", nil
	})
	// Output:
}

func ExampleUpdate() {
	stateSyncer, err := server.New(server.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = stateSyncer.Close() }()
	_, err = stateSyncer.CreateState(server.StateOptions{
		Identifier: "counter",
		InterceptStateUpdate: func(_ context.Context, u *server.Update) error {
			switch n := u.Value("n").Number(); {
			case n > 100:
				return server.Refuse("that is too much")
			case n > 10:
				return u.SetUpdates(map[string]any{"n": 10, "cut": true})
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range []int{5, 50, 500} {
		version, err := stateSyncer.UpdateStateValue(context.Background(), "counter", map[string]any{"n": n})
		var refusal *server.Error
		if errors.As(err, &refusal) {
			fmt.Println(refusal.Code, "-", refusal.Reason)
			continue
		}
		value, _ := stateSyncer.GetValueOfState("counter")
		fmt.Println(version, value)
	}
	// Output:
	// 1 {"n":5}
	// 2 {"cut":true,"n":10}
	// refused - that is too much
}

// A server that begins with what another one has kept goes on where that one was. stores/disk keeps states in a folder.
func Example_restart() {
	store := stores.NewMemory() // outlives the servers here
	state := server.StateOptions{Identifier: "counter", InitialValue: map[string]any{"n": 0}}
	for range 3 {
		syncer, err := server.New(server.Options{Store: store})
		if err != nil {
			panic(err)
		}
		if _, err := syncer.CreateState(state); err != nil {
			panic(err)
		}
		one := []document.PatchOp{{Kind: document.Increment, Path: "/n", Value: document.MustOf(1)}}
		if _, err := syncer.PatchState(context.Background(), "counter", one); err != nil {
			panic(err)
		}
		value, _ := syncer.GetValueOfState("counter")
		fmt.Println(value)
		_ = syncer.Close()
	}
	// Output:
	// {"n":1}
	// {"n":2}
	// {"n":3}
}
