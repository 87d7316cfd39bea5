//go:build !js

package transporttest

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Fault says what goes wrong with one direction of a network connection. The
// zero value is a direction that works.
type Fault struct {
	Kind  Kind
	After int64 // bytes that still pass before it happens
	Slice int   // at most so many bytes pass in one call of Read, or of the system's write; 0: no limit
}

// Kind is what happens after Fault.After bytes.
type Kind int

// What can happen.
const (
	None  Kind = iota
	Cut        // the connection is reset: both ends lose it
	Stall      // nothing passes any more, and nobody is told
)

// Faults are those of both directions, as seen from the wrapped end.
type Faults struct{ Read, Write Fault }

// ErrCut is what the wrapped end gets when its connection was cut.
var ErrCut = errors.New("the network was cut")

// Conn is a network connection with faults. It keeps the promises of net.Conn
// for one reader and one writer.
type Conn struct {
	net.Conn

	// mu guards the fields below.
	mu          sync.Mutex
	read, write lane
	cut         bool
}

// lane is one direction of a Conn.
type lane struct {
	fault    Fault
	deadline time.Time
	changed  chan struct{} // closed and replaced when fault or deadline change
}

// Wrap returns conn with faults.
func Wrap(conn net.Conn, f Faults) *Conn {
	return &Conn{
		Conn:  conn,
		read:  lane{fault: f.Read, changed: make(chan struct{})},
		write: lane{fault: f.Write, changed: make(chan struct{})},
	}
}

// Set replaces the faults, also of calls that wait.
func (c *Conn) Set(f Faults) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.fault, c.write.fault = f.Read, f.Write
	c.read.change()
	c.write.change()
}

// Cut cuts the connection now.
func (c *Conn) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutLocked()
}

func (c *Conn) cutLocked() {
	if c.cut {
		return
	}
	c.cut = true
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Conn.Close()
	c.read.change()
	c.write.change()
}

// Close closes the connection, and ends calls that are stalled.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	c.read.change()
	c.write.change()
	return c.Conn.Close()
}

// Read reads as far as the fault allows.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.allow(&c.read, len(p))
	if err != nil {
		return 0, err
	}
	n, err = c.Conn.Read(p[:n])
	c.passed(&c.read, n)
	return n, err
}

// Write writes as far as the fault allows.
func (c *Conn) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		n, err := c.allow(&c.write, len(p))
		if err != nil {
			return written, err
		}
		n, err = c.Conn.Write(p[:n])
		c.passed(&c.write, n)
		written += n
		p = p[n:]
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// allow returns how many of n bytes may pass now. It waits while none may.
func (c *Conn) allow(l *lane, n int) (int, error) {
	for {
		allowed, wait, err := c.tryAllow(l, n)
		if wait == nil {
			return allowed, err
		}
		if err := await(wait, l.deadlineOf(c)); err != nil {
			return 0, err
		}
	}
}

func (c *Conn) tryAllow(l *lane, n int) (int, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := l.fault
	switch {
	case c.cut:
		return 0, nil, ErrCut
	case f.Kind == Cut && f.After <= 0:
		c.cutLocked()
		return 0, nil, ErrCut
	case f.Kind == Stall && f.After <= 0:
		return 0, l.changed, nil
	}
	if f.Slice > 0 {
		n = min(n, f.Slice)
	}
	if f.Kind != None {
		n = int(min(int64(n), f.After))
	}
	return n, nil, nil
}

func (c *Conn) passed(l *lane, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.fault.After -= int64(n)
}

func (l *lane) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lane) deadlineOf(c *Conn) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.deadline
}

func await(wait <-chan struct{}, deadline time.Time) error {
	if deadline.IsZero() {
		<-wait
		return nil
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-wait:
		return nil
	case <-timer.C:
		return os.ErrDeadlineExceeded
	}
}

// SetDeadline sets both deadlines, which also end what is stalled.
func (c *Conn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at))
}

// SetReadDeadline sets the deadline of Read.
func (c *Conn) SetReadDeadline(at time.Time) error {
	c.setDeadline(&c.read, at)
	return c.Conn.SetReadDeadline(at)
}

// SetWriteDeadline sets the deadline of Write.
func (c *Conn) SetWriteDeadline(at time.Time) error {
	c.setDeadline(&c.write, at)
	return c.Conn.SetWriteDeadline(at)
}

func (c *Conn) setDeadline(l *lane, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.deadline = at
	l.change()
}

// Listener is a net.Listener whose connections have faults.
type Listener struct {
	net.Listener
	next func() Faults
}

// Listen wraps a listener. next is asked for the faults of each connection that
// is accepted, one at a time.
func Listen(l net.Listener, next func() Faults) *Listener { return &Listener{l, next} }

// Accept returns the next connection as a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Wrap(conn, l.next()), nil
}
