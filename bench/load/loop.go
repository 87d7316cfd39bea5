// Package load speaks to a server as many clients at once, at little cost: one goroutine, one epoll, frames that are
// parsed no further than needed. So the load has time to spare on its core, and the server is what is measured.
package load

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Mark stands once in each update, so that updates are counted without parsing them, however many a frame has.
const Mark = '~'

// Loop drives connections. It belongs to one goroutine.
type Loop struct {
	// Deliver is called with how many updates a connection has just received; nil: nobody wants to know.
	Deliver func(c *Conn, updates int)
	// ByFrame counts frames that bring an update instead of marks, for updates that may have several marks or none.
	ByFrame bool
	// Now is when the current connection was read.
	Now time.Time

	epoll  int
	conns  map[int32]*Conn
	events []unix.EpollEvent
	buffer []byte
	err    error
}

// NewLoop returns a loop without connections. Close it in the end.
func NewLoop() (*Loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &Loop{epoll: epoll, conns: map[int32]*Conn{}, events: make([]unix.EpollEvent, 512), buffer: make([]byte, 256<<10)}, nil
}

// Close drops all connections.
func (l *Loop) Close() {
	for _, c := range l.conns {
		c.Drop()
	}
	_ = unix.Close(l.epoll)
}

// Turn waits until something can be read, at most as long as said, and handles it.
func (l *Loop) Turn(wait time.Duration) error {
	n, err := unix.EpollWait(l.epoll, l.events, int((wait+time.Millisecond-1)/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return l.err
	}
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range l.events[:n] {
		c := l.conns[event.Fd]
		if c == nil {
			continue
		}
		if event.Events&unix.EPOLLOUT != 0 {
			c.flush()
		}
		if event.Events&^unix.EPOLLOUT != 0 {
			c.read()
		}
		if l.err != nil {
			return l.err
		}
	}
	return l.err
}

// Until turns until done says so, which must happen in the time given.
func (l *Loop) Until(done func() bool, within time.Duration, what string) error {
	deadline := time.Now().Add(within)
	for !done() {
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("%s: not within %v", what, within)
		}
		if err := l.Turn(min(left, 100*time.Millisecond)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// For turns for a time.
func (l *Loop) For(d time.Duration) error {
	for deadline := time.Now().Add(d); ; {
		left := time.Until(deadline)
		if left <= 0 {
			return nil
		}
		if err := l.Turn(left); err != nil {
			return err
		}
	}
}
