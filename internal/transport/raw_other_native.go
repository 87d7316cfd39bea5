//go:build !unix && !js

package transport

import (
	"net"
	"syscall"
)

// rawOf returns nil: here a socket cannot be written to without waiting.
func rawOf(net.Conn) syscall.RawConn { return nil }

func tryRaw(syscall.RawConn, []byte) (int, error) { return 0, nil }
