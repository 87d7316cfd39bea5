//go:build unix

package transport

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// rawOf returns what writes to the connection without waiting; nil where that
// cannot be had, as with TLS.
func rawOf(conn net.Conn) syscall.RawConn {
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// attempt is one system call on a socket that does not block.
type attempt struct {
	p    []byte
	n    int
	err  error
	once func(fd uintptr) bool // run; kept, for making it would allocate
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.once = a.run
	return a
}}

// tryRaw writes as much of p as the kernel has room for.
func tryRaw(raw syscall.RawConn, p []byte) (int, error) {
	a := attempts.Get().(*attempt)
	a.p, a.n, a.err = p, 0, nil
	err := raw.Write(a.once)
	n := a.n
	if err == nil {
		err = a.err
	}
	a.p, a.err = nil, nil
	attempts.Put(a)
	return n, err
}

// run makes the call. It returns true: nothing is waited for.
func (a *attempt) run(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), a.p)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
		case err != nil:
			a.err = err
		default:
			a.n = n
		}
		return true
	}
}
