package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// link is the page's connection to a room, from entering it to leaving it.
type link struct {
	client  *wasmclient.Client
	state   *wasmclient.State
	drawing atomic.Bool // a refresh is on its way
}

// enter connects to the room. What happens from then on is drawn by look, and told is an error that nobody waits for.
func enter(ctx app.Context, endpoint, identifier, token, room string, look func(), told func(error)) (*link, error) {
	client, err := wasmclient.New(endpoint, identifier, token)
	if err != nil {
		return nil, err
	}
	l := &link{client: client, state: client.State(room)}
	refresh := func() {
		if l.drawing.CompareAndSwap(false, true) {
			ctx.Dispatch(func(app.Context) {
				l.drawing.Store(false)
				look()
			})
		}
	}
	client.OnStatus(func(wasmclient.Status) { refresh() })
	client.OnError(func(err error) { ctx.Dispatch(func(app.Context) { told(err) }) })
	l.state.AddStateUpdateListener("chat", func(wasmclient.Update) { refresh() }, "messages")
	go func() {
		_ = l.state.Ready(context.Background())
		refresh()
		<-l.state.Done()
		refresh()
	}()
	return l, nil
}

// leave ends the connection; changes without a verdict settle.
func (l *link) leave() { go func() { _ = l.client.Close() }() }

// ended says why there will be no more: the client has given up, or the room has ended. Otherwise nil.
func (l *link) ended() error {
	if status := l.client.Status(); status.Phase == wasmclient.Failed {
		return status.LastError
	}
	if err := l.state.Err(); err != nil && !errors.Is(err, wasmclient.ErrClosed) {
		return err
	}
	return nil
}
