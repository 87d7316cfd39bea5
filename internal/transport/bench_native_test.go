//go:build !js

package transport_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// BenchmarkWrite writes frames at one end while the other reads them.
func BenchmarkWrite(b *testing.B) {
	for _, end := range []string{"server", "client"} {
		for _, size := range []int{100, 1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", end, size), func(b *testing.B) {
				from, to := connectBench(b)
				if end == "client" {
					from, to = to, from
				}
				benchmarkWrite(b, from, to, size)
			})
		}
	}
}

func connectBench(b *testing.B) (server, client transport.Conn) {
	address, accepted := serve(b, transport.AcceptOptions{})
	client, err := transport.Dial(b.Context(), address, transport.DialOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return <-accepted, client
}

func benchmarkWrite(b *testing.B, from, to transport.Conn, size int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := to.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	frame := make([]byte, size)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if err := from.Write(ctx, frame); err != nil {
			b.Fatal(err)
		}
	}
	from.Abort()
	to.Abort()
	<-done
}

// BenchmarkIdle measures what an accepted connection holds while nothing
// happens, together with its goroutine. The plain socket of the client's end,
// about half a KiB, is counted with it.
func BenchmarkIdle(b *testing.B) {
	const n = 1000
	server, accepted := listen(b)
	defer server.Close()
	for b.Loop() {
		conns := make([]io.Closer, 0, 2*n)
		before := memory()
		for range n {
			client, err := net.Dial("tcp", server.Addr)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.WriteString(client, rawHandshake); err != nil {
				b.Fatal(err)
			}
			far := <-accepted
			go func() { _, _ = far.Read(context.Background()) }()
			conns = append(conns, client, aborter{far})
		}
		b.ReportMetric(float64(memory()-before)/n/1024, "KiB/conn")
		for _, c := range conns {
			_ = c.Close()
		}
	}
}

// BenchmarkAccept connects and answers the handshake; the least of a client is in
// it.
func BenchmarkAccept(b *testing.B) {
	server, accepted := listen(b)
	defer server.Close()
	b.ReportAllocs()
	for b.Loop() {
		client, err := net.Dial("tcp", server.Addr)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.WriteString(client, rawHandshake); err != nil {
			b.Fatal(err)
		}
		(<-accepted).Abort()
		_ = client.Close()
	}
}

type aborter struct{ transport.Conn }

func (a aborter) Close() error {
	a.Abort()
	return nil
}

// listen starts a server whose handlers return as soon as they have accepted.
func listen(b *testing.B) (*http.Server, <-chan transport.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	accepted := make(chan transport.Conn)
	server := &http.Server{Addr: listener.Addr().String(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := transport.Accept(w, r, transport.AcceptOptions{})
		if err != nil {
			b.Error(err)
			return
		}
		go func() { accepted <- c }()
	})}
	go func() { _ = server.Serve(listener) }()
	return server, accepted
}

// memory returns the bytes of heap and stacks in use.
func memory() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
