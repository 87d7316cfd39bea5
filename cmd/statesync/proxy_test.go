package main_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy passes connections on to a server and cuts them when the test says so, or after a number of bytes.
type proxy struct {
	listener net.Listener
	server   string
	cutAfter func(nth int) int64 // bytes from the server after which connection nth is cut; 0: never
	ended    sync.WaitGroup

	mu   sync.Mutex
	nth  int
	open map[net.Conn]bool
	cuts int
}

// cuttingProxy listens on loopback and returns the address for clients.
func cuttingProxy(t *testing.T, server string, cutAfter func(nth int) int64) (p *proxy, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = &proxy{listener: listener, server: server, cutAfter: cutAfter, open: map[net.Conn]bool{}}
	p.ended.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		for conn := range p.open {
			_ = conn.Close()
		}
		p.mu.Unlock()
		p.ended.Wait()
	})
	return p, "ws://" + listener.Addr().String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.ended.Go(func() { p.pass(client) })
	}
}

// pass carries one connection until an end closes it or it is cut.
func (p *proxy) pass(client net.Conn) {
	defer p.forget(client)
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer p.forget(server)
	p.mu.Lock()
	p.nth++
	limit := p.cutAfter(p.nth)
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()

	p.ended.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	if limit == 0 {
		_, _ = io.Copy(client, server)
		return
	}
	if n, _ := io.CopyN(client, server, limit); n == limit {
		p.mu.Lock()
		p.cuts++
		p.mu.Unlock()
	}
}

func (p *proxy) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	_ = conn.Close()
}

// count returns how many connections were cut.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}
