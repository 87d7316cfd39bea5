package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// rawClient is somebody else's WebSocket client.
type rawClient struct {
	testing.TB
	ctx  context.Context
	conn *websocket.Conn
}

func dialRaw(t testing.TB, s *StateSyncer, options *websocket.DialOptions) *rawClient {
	t.Helper()
	return dialRawAt(t, s, "", options)
}

// dialRawAt is dialRaw with what follows the host in the URL.
func dialRawAt(t testing.TB, s *StateSyncer, path string, options *websocket.DialOptions) *rawClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	if options == nil {
		options = &websocket.DialOptions{Subprotocols: []string{Subprotocol}}
	}
	conn, _, err := websocket.Dial(ctx, "ws://"+s.Addr().String()+path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(64 << 20)
	return &rawClient{t, ctx, conn}
}

func (c *rawClient) send(messages ...string) {
	c.Helper()
	if err := c.conn.Write(c.ctx, websocket.MessageText, []byte(strings.Join(messages, "\n"))); err != nil {
		c.Fatal(err)
	}
}

func (c *rawClient) recv() string {
	c.Helper()
	_, frame, err := c.conn.Read(c.ctx)
	if err != nil {
		c.Fatal(err)
	}
	return string(frame)
}

// closed expects the connection to have been closed with the code.
func (c *rawClient) closed(code int) {
	c.Helper()
	_, frame, err := c.conn.Read(c.ctx)
	var closed websocket.CloseError
	if !errors.As(err, &closed) || int(closed.Code) != code {
		c.Fatalf("got %s, %v; want close %d", frame, err, code)
	}
}

// listen starts a server on a loopback socket.
func listen(t testing.TB, options Options) *StateSyncer {
	t.Helper()
	if options.Logger == nil {
		options.Logger = discard
	}
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRawClientOverLoopback(t *testing.T) {
	s := listen(t, Options{})
	if _, err := s.CreateState(StateOptions{Identifier: "chat"}); err != nil {
		t.Fatal(err)
	}
	c := dialRaw(t, s, nil)
	c.send(`["hello","0123456789abcdef","raw",{}]`, `["join",1,"chat"]`)
	got := c.recv()
	if !strings.HasPrefix(got, `["welcome","`) || !strings.Contains(got, `,{"heartbeat":15000,`) {
		t.Fatalf("got %s", got)
	}
	if _, joined, found := strings.Cut(got, "\n"); !found {
		got = c.recv()
	} else {
		got = joined
	}
	if want := `["joined",1,"` + s.state("chat").epoch + `",0,0,[],{}]`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	c.send(`["merge",1,1,0,{"n":1}]`)
	if got, want := c.recv(), `["accepted",1,1,1]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := s.UpdateStateValue(t.Context(), "chat", map[string]any{"n": 2}); err != nil {
		t.Fatal(err)
	}
	if got, want := c.recv(), `["entries",1,2,[["add",["n"],2]]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	if got := c.recv(); !strings.HasPrefix(got, `["bye",4000,`) {
		t.Errorf("got %s", got)
	}
	c.closed(4000)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
