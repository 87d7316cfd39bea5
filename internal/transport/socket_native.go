//go:build !js

package transport

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
)

// socket is a Conn over a WebSocket. The library does the handshakes, reads,
// and answers control frames; the stream below it keeps the rules, and the
// frames of this end go directly to the stream.
type socket struct {
	ws        *websocket.Conn
	stream    *stream
	readLimit int

	reading, writing watch
	readEnd          error // what Read returned in the end; the reader's

	closing  sync.Once
	closed   atomic.Bool
	closeErr error
}

func newSocket(library *websocket.Conn, s *stream, readLimit int) *socket {
	library.SetReadLimit(-1) // the stream has the limit, and applies it earlier
	c := &socket{ws: library, stream: s, readLimit: readLimit}
	c.reading.interrupt = s.interruptRead
	c.writing.interrupt = s.interruptWrite
	return c
}

func (c *socket) Subprotocol() string { return c.ws.Subprotocol() }

func (c *socket) Read(b Bound) ([]byte, error) {
	if c.closed.Load() {
		return nil, ErrClosed
	}
	if c.readEnd != nil {
		return nil, c.readEnd
	}
	if err := c.reading.begin(b); err != nil {
		return nil, err
	}
	defer c.reading.end()
	frame, err := c.read()
	if err != nil {
		c.readEnd = c.readError(b, err)
		return nil, c.readEnd
	}
	return frame, nil
}

func (c *socket) read() ([]byte, error) {
	_, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	frame, err := readFrame(r)
	if err != nil {
		return nil, err
	}
	if err := checkFrame(frame, c.readLimit); err != nil {
		_ = c.stream.setEnd(err)
		return nil, err
	}
	return frame, nil
}

// scratches hold frames while they are read, so that a small frame is
// allocated once and in its own size.
var scratches = sync.Pool{New: func() any { return new([smallOutput]byte) }}

func readFrame(r io.Reader) ([]byte, error) {
	scratch := scratches.Get().(*[smallOutput]byte)
	defer scratches.Put(scratch)
	n, err := readInto(r, scratch[:])
	if err == io.EOF {
		return append(make([]byte, 0, n), scratch[:n]...), nil
	}
	if err != nil {
		return nil, err
	}
	// Memory grows with what has come, not with what a header announced.
	frame := append(make([]byte, 0, 4*n), scratch[:n]...)
	for {
		n, err := readInto(r, frame[len(frame):cap(frame)])
		frame = frame[:len(frame)+n]
		if err == io.EOF {
			return frame, nil
		}
		if err != nil {
			return nil, err
		}
		frame = slices.Grow(frame, len(frame))
	}
}

// readInto reads until p is full or r fails.
func readInto(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// readError turns what the library returned into what Read promises.
func (c *socket) readError(b Bound, err error) error {
	if c.closed.Load() {
		return ErrClosed
	}
	if content, ok := err.(*ViolationError); ok { // whatever the stream has found behind this frame
		return content
	}
	var peer websocket.CloseError
	if errors.As(err, &peer) {
		return &CloseError{Code: int(peer.Code), Reason: strings.ToValidUTF8(peer.Reason, "\uFFFD")}
	}
	switch end := c.stream.ended(); {
	case end == nil: // the library objects to something that the stream lets pass
		return c.stream.setEnd(breach("close frame is malformed"))
	case end == errInterrupted && b.Err() != nil:
		return b.Err()
	default:
		return end
	}
}

func (c *socket) Write(b Bound, frame []byte) error {
	return c.guard(b, func() error { return c.stream.writeFrame(frame, !c.stream.meter.rules.masked) })
}

// guard runs something that writes, ends it with b, and drops the connection
// when it fails.
func (c *socket) guard(b Bound, write func() error) error {
	if c.closed.Load() {
		return ErrClosed
	}
	if err := c.writing.begin(b); err != nil {
		return err
	}
	defer c.writing.end()
	return c.writeFailed(b, write())
}

// writeFailed turns what ended a write into what Write promises, and drops the connection unless it was closed.
func (c *socket) writeFailed(b Bound, err error) error {
	if err == nil || err == ErrClosed {
		return err
	}
	err = c.writeError(b, err)
	c.stream.drop(&lostError{err})
	return err
}

func (c *socket) writeError(b Bound, err error) error {
	switch {
	case c.closed.Load():
		return ErrClosed
	case b.Err() != nil:
		return b.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrWriteTimeout
	}
	return &lostError{err}
}

func (c *socket) Close(code int, reason string) error {
	c.closing.Do(func() {
		c.closed.Store(true)
		c.stream.beginClose()
		err := c.ws.Close(websocket.StatusCode(sendableCode(code)), cutReason(reason))
		if !c.stream.toldClose() {
			c.closeErr = &lostError{err}
		}
		c.release()
	})
	return c.closeErr
}

func (c *socket) Abort() {
	c.closed.Store(true)
	c.stream.drop(ErrClosed)
	c.release()
}

// release lets go of everything that the connection holds.
func (c *socket) release() {
	_ = c.ws.CloseNow()
	c.reading.close()
	c.writing.close()
}
