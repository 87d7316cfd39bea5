//go:build !js

package jointtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// A chat: the server makes it, a client connects, hears its own message, and counts it in a transaction.
func Example() {
	syncer, err := server.New(server.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		panic(err)
	}
	defer syncer.Close()
	if _, err := syncer.CreateState(server.StateOptions{
		Identifier:   "myGroupChat",
		InitialValue: map[string]any{"chatMessages": []any{}, "count": 0},
	}); err != nil {
		panic(err)
	}
	if err := syncer.Start("127.0.0.1:0"); err != nil {
		panic(err)
	}

	ctx := context.Background()
	client, err := wasmclient.New("ws://"+syncer.Addr().String(), "userIdentifier", "accessToken")
	if err != nil {
		panic(err)
	}
	defer client.Close()
	chat, err := client.ConnectToState(ctx, "myGroupChat")
	if err != nil {
		panic(err)
	}
	heard := make(chan wasmclient.Update, 1)
	chat.AddStateUpdateListener("print", func(u wasmclient.Update) { heard <- u }, "chatMessages")
	version, err := chat.Append(ctx, "chatMessages", "This is a new message")
	fmt.Println("version", version, err)
	update := <-heard
	fmt.Println(update.Origin, update.Previous, "->", update.Updates)

	version, err = chat.Transact(ctx, []string{"chatMessages"}, func(previous document.Value) (any, error) {
		return map[string]any{"count": previous.Get("chatMessages").Len()}, nil
	})
	fmt.Println("version", version, err)
	fmt.Println(chat.GetState())
	// Output:
	// version 1 <nil>
	// local {"chatMessages":[]} -> {"chatMessages":["This is a new message"]}
	// version 2 <nil>
	// {"chatMessages":["This is a new message"],"count":1}
}
