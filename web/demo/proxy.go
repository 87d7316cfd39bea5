package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
)

// proxy carries connections to a server, and cuts them when it is told to. It keeps its address while the server comes
// and goes.
type proxy struct {
	listener net.Listener
	ended    sync.WaitGroup

	mu     sync.Mutex // guards everything below
	target string     // "": there is no server
	open   map[*carried]bool
	cuts   int
}

// carried is one connection, in its two halves.
type carried struct{ client, server net.Conn }

func (c *carried) close() {
	_ = c.client.Close()
	_ = c.server.Close()
}

func newProxy() (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, open: map[*carried]bool{}}
	p.ended.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return "ws://" + p.listener.Addr().String() }

// aim names the server for new connections.
func (p *proxy) aim(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.ended.Go(func() { p.carry(client) })
	}
}

func (p *proxy) carry(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &carried{client, server}
	p.mu.Lock()
	p.open[c] = true
	p.mu.Unlock()
	p.ended.Go(func() {
		_, _ = io.Copy(server, client)
		c.close()
	})
	_, _ = io.Copy(client, server)
	c.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

// cut ends each connection with the given probability, wherever in a message it is.
func (p *proxy) cut(probability float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		if rand.Float64() < probability {
			c.close()
			delete(p.open, c)
			p.cuts++
		}
	}
}

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut(1)
	p.ended.Wait()
}
