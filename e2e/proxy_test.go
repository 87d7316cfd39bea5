package e2e

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// A proxy passes connections on, and is the cable that a test may pull: everything at once, or one direction silently.
// Where toxiproxy drops what it holds back, this keeps it as a network does that sends again.
type proxy struct {
	listener net.Listener
	server   string
	ended    sync.WaitGroup

	mu       sync.Mutex
	changed  *sync.Cond
	silent   [2]bool // by direction: nothing gets through
	open     map[net.Conn]bool
	attempts int
	sockets  int // WebSockets among the connections
}

// direction is the way that bytes go through a proxy.
type direction int

const (
	toServer direction = iota
	toClient
)

func (d direction) String() string { return [...]string{"to the server", "to the client"}[d] }

// newProxy listens on loopback until the end of the test.
func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, server: server, open: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.ended.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		p.ended.Wait()
	})
	return p
}

// address is where clients find the proxy.
func (p *proxy) address() string { return p.listener.Addr().String() }

// silence holds back everything that goes into the direction, or lets it through again with what was held back.
func (p *proxy) silence(d direction, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent[d] = on
	p.changed.Broadcast()
}

// cut closes every connection; new ones may be made.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		_ = conn.Close()
	}
	clear(p.open)
	p.changed.Broadcast()
}

// count returns how many connections were tried.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.attempts
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.attempts++
		p.mu.Unlock()
		p.ended.Go(func() { p.connect(client) })
	}
}

func (p *proxy) connect(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.open[client], p.open[server] = true, true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, toServer) })
	both.Go(func() { p.pass(client, server, toClient) })
	both.Wait()
	p.mu.Lock()
	delete(p.open, client)
	delete(p.open, server)
	p.mu.Unlock()
}

// pass carries the bytes of one direction until an end closes.
func (p *proxy) pass(to, from net.Conn, d direction) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if d == toServer && bytes.Contains(buffer[:n], []byte("Sec-WebSocket-Key")) {
			p.addSocket(1)
			defer p.addSocket(-1)
		}
		if n > 0 {
			if !p.wait(from, d) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				p.wait(from, d) // the end of a connection is not told either
			}
			return
		}
	}
}

// wait blocks while the direction is silent; false: the connection was cut.
func (p *proxy) wait(conn net.Conn, d direction) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.silent[d] && p.open[conn] {
		p.changed.Wait()
	}
	return p.open[conn]
}

func (p *proxy) addSocket(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets += n
}

// connected returns how many WebSockets there are now.
func (p *proxy) connected() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sockets
}
