//go:build !js

package jointtest

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a server on loopback whose connections can be cut.
type house struct {
	t      *testing.T
	server *server.StateSyncer
	addr   string

	mu       sync.Mutex
	conns    []*transporttest.Conn
	repeats  *rand.Rand    // draws which frames of clients come twice; nil: none does
	repeated *atomic.Int64 // counts those
}

// open starts a server with the states, and stops it at the end of the test.
func open(t *testing.T, options server.Options, states ...server.StateOptions) *house {
	t.Helper()
	h := &house{t: t}
	h.start("127.0.0.1:0", options, states...)
	t.Cleanup(func() { h.server.Close() })
	return h
}

// start starts a server at the address.
func (h *house) start(addr string, options server.Options, states ...server.StateOptions) {
	h.t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	syncer, err := server.New(options)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, state := range states {
		if _, err := syncer.CreateState(state); err != nil {
			h.t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.server, h.addr = syncer, listener.Addr().String()
	if err := syncer.Serve(&tapped{listener, h}); err != nil {
		h.t.Fatal(err)
	}
}

// tapped is a listener whose connections the house knows.
type tapped struct {
	net.Listener
	house *house
}

func (l *tapped) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.house.mu.Lock()
	defer l.house.mu.Unlock()
	wrapped := transporttest.Wrap(conn, transporttest.Faults{})
	l.house.conns = append(l.house.conns, wrapped)
	if l.house.repeats != nil {
		return repeatingConn(wrapped, &l.house.mu, l.house.repeats, l.house.repeated), nil
	}
	return wrapped, nil
}

// cut cuts all connections that were made so far, and returns how many there were.
func (h *house) cut() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.conns)
	for _, conn := range h.conns {
		conn.Cut()
	}
	h.conns = nil
	return n
}

// soon lets clients come back at once.
var soon = wasmclient.WithBackoff(time.Millisecond, 20*time.Millisecond)

// client returns a client that is closed at the end of the test, before the server.
func (h *house) client(identifier string, opts ...wasmclient.Option) *wasmclient.Client {
	h.t.Helper()
	private := &http.Transport{} // so that no idle connection outlives the test
	client, err := wasmclient.New("ws://"+h.addr, identifier, "token of "+identifier, append([]wasmclient.Option{
		soon, wasmclient.WithHTTPClient(&http.Client{Transport: private}),
	}, opts...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		client.Close()
		private.CloseIdleConnections()
	})
	return client
}

// join returns a new client's connection to the state.
func (h *house) join(identifier, state string, opts ...wasmclient.Option) *wasmclient.State {
	h.t.Helper()
	s, err := h.client(identifier, opts...).ConnectToState(within(h.t), state)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// within is a context for everything that a test waits for.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// settle waits until every state has the version that the server has, and checks that all have its value.
func (h *house) settle(identifier string, states ...*wasmclient.State) string {
	h.t.Helper()
	value, ok := h.server.GetValueOfState(identifier)
	if !ok {
		h.t.Fatalf("the server has no state %q", identifier)
	}
	for i, s := range states {
		await(h.t, "replica "+strconv.Itoa(i)+" to be like the server", func() bool {
			confirmed, _ := s.Confirmed()
			return confirmed.Equal(value)
		})
		if got := s.GetState(); !got.Equal(value) {
			h.t.Errorf("replica %d is %v, the server %v", i, got, value)
		}
	}
	return value.String()
}

// await polls, because a replica that catches up tells nobody.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for ctx := within(t); !done(); {
		select {
		case <-ctx.Done():
			t.Fatalf("waited too long for %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
