//go:build !js

package transport_test

import (
	"bytes"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// counted counts the writes of a connection. Each is a system call.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

type countedListener struct {
	net.Listener
	writes *atomic.Int64
}

func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return counted{conn, l.writes}, err
}

func TestFrameIsWrittenInOneCall(t *testing.T) {
	var writes atomic.Int64
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan transport.Conn, 1)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := transport.Accept(w, r, transport.AcceptOptions{}); err == nil {
			accepted <- c
		}
	})}
	go func() { _ = s.Serve(countedListener{inner, &writes}) }()
	defer s.Close()
	client, err := transport.Dial(t.Context(), "ws://"+inner.Addr().String(), transport.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Abort()
	server := <-accepted
	defer server.Abort()
	for _, c := range []struct {
		size int
		want int64
	}{{0, 1}, {100, 1}, {4092, 1}, {4093, 1}, {65532, 1}, {65533, 2}, {1 << 20, 17}} {
		writes.Store(0)
		written := make(chan error)
		go func() { written <- server.Write(t.Context(), bytes.Repeat([]byte("x"), c.size)) }()
		if frame, err := client.Read(t.Context()); len(frame) != c.size || err != nil {
			t.Fatalf("read %d bytes and got %v, want %d", len(frame), err, c.size)
		}
		if err := <-written; err != nil || writes.Load() != c.want {
			t.Errorf("%d bytes took %d writes and got %v, want %d", c.size, writes.Load(), err, c.want)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	client, server := connectPlain(t)
	frame := make([]byte, 100)
	allocatesNothing(t, client, func() {
		if err := server.Write(t.Context(), frame); err != nil {
			t.Fatal(err)
		}
	})
}

// allocatesNothing runs what writes to a client. What it makes for the first time, and what others do meanwhile, is not
// counted: one turn of a few must be without an allocation.
func allocatesNothing(t *testing.T, client transport.Conn, write func()) {
	t.Helper()
	const runs = 100 // what they write fits into the kernel's buffers
	least := 1e9
	for range 5 {
		least = min(least, testing.AllocsPerRun(runs, write))
		for range runs + 1 { // AllocsPerRun runs it once more
			if _, err := client.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if least > 0 && !raceEnabled { // the race detector's pools throw things away at random
		t.Errorf("%v allocations in a write", least)
	}
}

func connectPlain(t *testing.T) (client, server transport.Conn) {
	t.Helper()
	address, accepted := serve(t, transport.AcceptOptions{})
	client, err := transport.Dial(t.Context(), address, transport.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() {
		client.Abort()
		server.Abort()
	})
	return client, server
}
