//go:build !js

package jointtest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// Toxics say what they do, in a log of their own.
func init() { zerolog.SetGlobalLevel(zerolog.Disabled) }

// direction is one of the two in which a connection carries bytes.
type direction int

const (
	upstream   direction = iota // from the client to the server
	downstream                  // from the server to the client
)

func (d direction) String() string { return [...]string{"upstream", "downstream"}[d] }

// toxic makes a fault for one direction of one connection; nil means none.
type toxic func() toxics.Toxic

// proxy is a TCP proxy in front of a server, with toxiproxy's toxics on what it carries. The connections are its own,
// because those of toxiproxy 2.5.0 leave goroutines behind when an end closes while bytes are on their way, and it may
// then wait for ever when a toxic is taken off.
type proxy struct {
	t          *testing.T
	server     string // address
	addr       string
	goroutines sync.WaitGroup
	made       atomic.Int64 // connections
	ended      atomic.Int64

	mu       sync.Mutex // guards everything below
	target   string     // where new connections go
	listener net.Listener
	conns    map[*proxied]struct{}
	toxics   [2]toxic
	resets   bool // what a toxic ends is reset, not closed
}

// proxyTo starts a proxy in front of the address, and stops it at the end of the test.
func proxyTo(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{t: t, server: target, target: target, addr: "127.0.0.1:0", conns: map[*proxied]struct{}{}}
	p.up()
	t.Cleanup(func() {
		p.down()
		p.goroutines.Wait()
	})
	return p
}

// up listens, at the same address as before.
func (p *proxy) up() {
	p.t.Helper()
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener, p.addr = listener, listener.Addr().String()
	p.goroutines.Go(func() { p.accept(listener) })
}

// deaf closes the listener: whoever connects is refused. Connections go on.
func (p *proxy) deaf() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

// down closes the listener and all connections, and takes toxics off.
func (p *proxy) down() {
	p.deaf()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toxics = [2]toxic{}
	for c := range p.conns {
		c.close(false)
		for _, l := range c.lanes {
			l.set(nil)
		}
	}
}

func (p *proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target := p.target
		p.mu.Unlock()
		server, err := net.Dial("tcp", target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.carry(client.(*net.TCPConn), server.(*net.TCPConn), listener)
	}
}

// aim points new connections at another address.
func (p *proxy) aim(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// carry begins a connection, unless the proxy went down meanwhile.
func (p *proxy) carry(client, server *net.TCPConn, listener net.Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &proxied{proxy: p, client: client, server: server}
	if p.listener != listener {
		c.close(false)
		return
	}
	c.lanes = [2]*lane{newLane(client, server), newLane(server, client)}
	p.conns[c] = struct{}{}
	p.made.Add(1)
	var both sync.WaitGroup
	for d, l := range c.lanes {
		l.set(p.toxics[d])
		both.Go(func() { c.ferry(l) })
	}
	p.goroutines.Go(func() {
		both.Wait()
		c.close(false)
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
		p.ended.Add(1)
		for _, l := range c.lanes {
			l.wait()
		}
	})
}

// afflict puts a toxic on all connections, those to come included; nil takes it off. Where it has lost bytes the
// connection ends.
func (p *proxy) afflict(d direction, make toxic, resets bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.toxics[d], p.resets = make, resets
	for c := range p.conns {
		c.lanes[d].set(make)
	}
}

// endInput lets the senders of a direction, as the other side sees it, have ended.
func (p *proxy) endInput(d direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.lanes[d].source.SetReadDeadline(time.Unix(1, 0))
	}
}

// proxied is one connection through the proxy.
type proxied struct {
	proxy          *proxy
	client, server *net.TCPConn
	lanes          [2]*lane
}

// ferry writes what comes out of a lane until it ends, which the receiver is told: its half of the connection is closed.
func (c *proxied) ferry(l *lane) {
	for chunk := range l.out {
		if _, err := l.dest.Write(chunk.Data); err != nil {
			c.close(false)
			for range l.out { // so that no toxic waits
			}
			return
		}
	}
	c.proxy.mu.Lock()
	resets := c.proxy.resets
	c.proxy.mu.Unlock()
	if resets {
		c.close(true)
		return
	}
	_ = l.dest.CloseWrite()
}

func (c *proxied) close(reset bool) {
	for _, conn := range []*net.TCPConn{c.client, c.server} {
		if reset {
			_ = conn.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// lane is one direction of a connection: what is read from source goes through a toxic to out.
type lane struct {
	source, dest *net.TCPConn
	in, out      chan *stream.StreamChunk
	read         sync.WaitGroup

	mu   sync.Mutex // guards everything below
	stub *toxics.ToxicStub
	pipe toxics.Toxic // that runs
	runs sync.WaitGroup
}

func newLane(source, dest *net.TCPConn) *lane {
	const delayed = 1024 // chunks that a toxic may hold
	l := &lane{source: source, dest: dest, in: make(chan *stream.StreamChunk, delayed), out: make(chan *stream.StreamChunk)}
	l.stub = toxics.NewToxicStub(l.in, l.out)
	l.read.Go(func() {
		_, _ = io.Copy(stream.NewChanWriter(l.in), source)
		close(l.in)
	})
	return l
}

// set lets another toxic work.
func (l *lane) set(make toxic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pipe != nil {
		if !l.stub.InterruptToxic() {
			return
		}
		if cleanup, ok := l.pipe.(toxics.CleanupToxic); ok {
			cleanup.Cleanup(l.stub)
		}
	}
	l.pipe = new(toxics.NoopToxic)
	if make != nil {
		l.pipe = make()
	}
	if stateful, ok := l.pipe.(toxics.StatefulToxic); ok {
		l.stub.State = stateful.NewState()
	}
	work := &toxics.ToxicWrapper{Toxic: l.pipe, Toxicity: 1}
	l.runs.Go(func() {
		if !l.stub.Closed() {
			l.stub.Run(work)
		}
		if l.stub.Closed() {
			for range l.in { // so that the reader does not wait
			}
		}
	})
}

// wait waits until everything has ended. The connections are closed.
func (l *lane) wait() {
	l.read.Wait()
	l.runs.Wait()
}
