//go:build !js

package transport_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server that hands each accepted connection to the test.
func serve(t testing.TB, o transport.AcceptOptions) (address string, accepted <-chan transport.Conn) {
	t.Helper()
	conns := make(chan transport.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := transport.Accept(w, r, o)
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		conns <- c
	}))
	t.Cleanup(server.Close)
	return "ws" + server.URL[len("http"):], conns
}

func connectWebSocket(t *testing.T, s transporttest.Settings) (client, server transport.Conn) {
	t.Helper()
	address, accepted := serve(t, transport.AcceptOptions{
		ReadLimit: s.ReadLimit, WriteTimeout: s.WriteTimeout, Subprotocols: s.Subprotocols,
	})
	client, err := transport.Dial(t.Context(), address, transport.DialOptions{
		ReadLimit: s.ReadLimit, WriteTimeout: s.WriteTimeout.Milliseconds(), Subprotocols: s.Subprotocols,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, <-accepted
}

func TestDialedWebSocketConforms(t *testing.T) {
	transporttest.Conform(t, connectWebSocket)
}

func TestAcceptedWebSocketConforms(t *testing.T) {
	transporttest.Conform(t, func(t *testing.T, s transporttest.Settings) (near, far transport.Conn) {
		client, server := connectWebSocket(t, s)
		return server, client
	})
}
