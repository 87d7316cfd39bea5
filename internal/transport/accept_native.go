//go:build !js

package transport

import (
	"bufio"
	"fmt"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// Buffers of an accepted connection. The library takes those that Hijack
// returns; with the 4 KiB of net/http in both directions an idle connection
// would cost twice as much.
const (
	acceptReadBuffer  = 1 << 10
	acceptWriteBuffer = maxHeader + maxShort // control frames only
)

// Accept answers a WebSocket handshake. When it fails it has answered the
// request with an HTTP error.
//
// The origin of the request is not checked: that is the caller's. Compression
// is never agreed on. The handler should return and read in a goroutine of its
// own, so that what net/http holds for the request is freed.
func Accept(w http.ResponseWriter, r *http.Request, o AcceptOptions) (Conn, error) {
	o.setDefaults()
	h := &hijacker{ResponseWriter: w, options: &o}
	library, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		Subprotocols:       o.Subprotocols,
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("accept: %w", err)
	}
	return newSocket(library, h.stream, o.ReadLimit), nil
}

// hijacker is a ResponseWriter that hands over the connection as a stream with
// small buffers.
type hijacker struct {
	http.ResponseWriter
	options *AcceptOptions
	stream  *stream
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := buffers.Reader.Peek(buffers.Reader.Buffered())
	h.stream = acceptedStream(conn, append([]byte(nil), early...), h.options)
	reader := bufio.NewReaderSize(h.stream, acceptReadBuffer)
	writer := bufio.NewWriterSize(h.stream, acceptWriteBuffer)
	return h.stream, bufio.NewReadWriter(reader, writer), nil
}

func acceptedStream(conn net.Conn, early []byte, o *AcceptOptions) *stream {
	if tcp, ok := bottom(conn).(*net.TCPConn); ok && o.SendBuffer > 0 {
		_ = tcp.SetWriteBuffer(o.SendBuffer)
	}
	return &stream{
		Conn:         conn,
		body:         conn,
		early:        early,
		raw:          attemptOn(conn),
		frameTimeout: o.FrameTimeout,
		writeTimeout: o.WriteTimeout,
		meter: meter{rules: rules{
			masked:    true,
			readLimit: o.ReadLimit,
			fragments: o.Fragments,
			pings:     o.Pings,
		}},
	}
}
