package server

import (
	"bytes"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// tap is a listener whose connections are sockets with a Write of their own, as somebody has who counts or encrypts.
type tap struct {
	net.Listener
	mu      sync.Mutex
	written bytes.Buffer
}

type tapped struct {
	*net.TCPConn
	tap *tap
}

func (l *tap) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tapped{conn.(*net.TCPConn), l}, nil
}

func (c tapped) Write(p []byte) (int, error) {
	c.tap.mu.Lock()
	c.tap.written.Write(p)
	c.tap.mu.Unlock()
	return c.TCPConn.Write(p)
}

func TestEveryFrameGoesThroughTheWriteOfTheListenersConnections(t *testing.T) {
	syncer, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syncer.Close() }()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &tap{Listener: inner}
	host := &http.Server{Handler: syncer}
	go func() { _ = host.Serve(l) }()
	defer func() { _ = host.Close() }()
	conn, _, err := websocket.Dial(t.Context(), "ws://"+inner.Addr().String(), &websocket.DialOptions{Subprotocols: []string{"server-state-sync.v1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`["hello","a-session-of-this-test","ada",{}]`)); err != nil {
		t.Fatal(err)
	}
	_, frame, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !bytes.Contains(l.written.Bytes(), frame) {
		t.Errorf("the frame %s went past the connection's Write, which saw %q", frame, l.written.String())
	}
}
