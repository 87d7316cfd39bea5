package transport_test

import (
	"context"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

func TestPageConforms(t *testing.T) {
	transporttest.Conform(t, connectPage)
	if n := transport.Handlers(); n != 0 {
		t.Errorf("%d js.Funcs are alive", n)
	}
}

func TestPageDialFails(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	page := transport.PlatformOptions{WebSocket: webSocket(t)}
	for _, c := range []struct {
		name    string
		ctx     context.Context
		address string
		options transport.DialOptions
		want    string
	}{
		{"nobody listens", t.Context(), "ws://127.0.0.1:1/sync?token=secret", transport.DialOptions{PlatformOptions: page},
			"connection lost: the WebSocket to ws://127.0.0.1:1/sync closed with code 1006"},
		{"the server refuses", t.Context(), "ws://" + farAddress + "/refuse", transport.DialOptions{PlatformOptions: page},
			"connection lost: the WebSocket to ws://" + farAddress + "/refuse closed with code 1006"},
		{"the context has ended", canceled, "ws://" + farAddress + "/connect?id=x", transport.DialOptions{PlatformOptions: page},
			"context canceled"},
		{"the address is not one", t.Context(), "file:///secret", transport.DialOptions{PlatformOptions: page},
			"connect: the address or a subprotocol is not valid"},
		{"a subprotocol is not one", t.Context(), "ws://" + farAddress, transport.DialOptions{Subprotocols: []string{"a b"}, PlatformOptions: page},
			"connect: the address or a subprotocol is not valid"},
		{"there is no WebSocket", t.Context(), "ws://" + farAddress, transport.DialOptions{},
			"connect: there is no WebSocket here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := transport.Dial(c.ctx, c.address, c.options)
			if conn != nil || err == nil || err.Error() != c.want {
				t.Errorf("got %v and error %v, want error %q", conn, err, c.want)
			}
		})
	}
	if n := transport.Handlers(); n != 0 {
		t.Errorf("%d js.Funcs are alive", n)
	}
}
