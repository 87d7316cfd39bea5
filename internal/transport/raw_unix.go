//go:build unix

package transport

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// rawOf returns what writes to the connection without waiting; nil where that
// cannot be had: with TLS, and with a connection of a listener of the user's,
// which may be a socket with a Write of its own that counts, limits or encrypts.
func rawOf(conn net.Conn) syscall.RawConn {
	var socket syscall.Conn
	switch c := conn.(type) {
	case *net.TCPConn:
		socket = c
	case *net.UnixConn:
		socket = c
	default:
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
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
