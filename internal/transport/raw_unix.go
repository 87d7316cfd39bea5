//go:build unix

package transport

import (
	"errors"
	"net"
	"syscall"
)

// attempt writes to a socket without waiting, one call at a time.
type attempt struct {
	raw  syscall.RawConn
	once func(fd uintptr) bool // write; kept, for making it would allocate

	p   []byte // what is written
	n   int    // how much of it was
	err error
}

// attemptOn returns what writes to the connection without waiting; nil where
// that cannot be had: with TLS, and with a connection of a listener of the
// user's, which may be a socket with a Write of its own that counts, limits or
// encrypts.
func attemptOn(conn net.Conn) *attempt {
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
	a := &attempt{raw: raw}
	a.once = a.write
	return a
}

// try writes as much of p as the kernel has room for.
func (a *attempt) try(p []byte) (int, error) {
	a.p, a.n, a.err = p, 0, nil
	err := a.raw.Write(a.once)
	a.p = nil
	if err != nil {
		return a.n, err
	}
	return a.n, a.err
}

// write makes the system call. It returns true: nothing is waited for.
func (a *attempt) write(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), a.p)
		switch {
		case err == nil:
			a.n = n
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EAGAIN):
			a.err = err
		}
		return true
	}
}
