//go:build !js

package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// closeWait is how long Close waits for the peer.
	closeWait = time.Second
	// drainLimit is how many bytes of a peer that broke a rule are thrown away
	// while it is told so. A connection that is closed over unread bytes is
	// reset, and a reset can overtake the close frame.
	drainLimit = 16 << 20
)

// past is a deadline that interrupts what waits.
var past = time.Unix(1, 0)

// errInterrupted ends the reading of a stream whose context has ended.
var errInterrupted = errors.New("reading was interrupted")

// stream stands between the WebSocket library and the network. It holds the
// peer to the rules, keeps the deadlines, and lets one fragment out at a time.
type stream struct {
	net.Conn                    // the network's connection
	body     io.ReadWriteCloser // what carries the bytes: Conn or something around it
	early    []byte             // bytes that came together with the handshake
	raw      *attempt           // writes to Conn for TryWrite; nil: it cannot be had

	frameTimeout time.Duration // 0: none
	writeTimeout time.Duration

	// The next fields belong to whoever holds the library's read lock.
	meter meter
	armed uint64 // meter.begun of what the read deadline is set for; 0: no deadline

	// writing is held while a fragment is written.
	writing   sync.Mutex
	closeSent bool
	writeBy   time.Time // the write deadline that is set

	// mu guards the fields below and the order in which deadlines are set.
	mu        sync.Mutex
	end       error     // why nothing more is read: *ViolationError, *lostError or errInterrupted
	closeBy   time.Time // when set, deadlines are no longer touched
	writeStop bool      // writing was interrupted
}

// Read reads for the library. It never returns io.EOF, which the library would
// take, between two fragments, for the end of the frame.
func (s *stream) Read(p []byte) (int, error) {
	if end := s.ended(); end != nil {
		s.drain()
		return 0, end
	}
	s.arm()
	n, err := s.receive(p)
	kept, breach := s.meter.follow(p[:n])
	if breach != nil {
		return kept, s.setEnd(breach)
	}
	if err != nil {
		return n, s.readFailed(err)
	}
	return n, nil
}

func (s *stream) receive(p []byte) (int, error) {
	if len(s.early) > 0 {
		n := copy(p, s.early)
		s.early = s.early[n:]
		return n, nil
	}
	s.early = nil
	return s.body.Read(p)
}

// arm sets a deadline when the rest of a frame is waited for, and none when
// the next frame may take its time.
func (s *stream) arm() {
	switch {
	case s.frameTimeout <= 0:
	case !s.meter.waiting():
		if s.armed != 0 {
			s.armed = 0
			s.setReadDeadline(time.Time{})
		}
	case s.armed != s.meter.begun:
		s.armed = s.meter.begun
		s.setReadDeadline(time.Now().Add(s.frameTimeout))
	}
}

func (s *stream) setReadDeadline(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil && s.closeBy.IsZero() {
		_ = s.Conn.SetReadDeadline(at)
	}
}

func (s *stream) readFailed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.end != nil:
	case errors.Is(err, os.ErrDeadlineExceeded) && s.closeBy.IsZero():
		s.end = &ViolationError{FrameTooSlow, "frame was not whole within " + s.frameTimeout.String()}
	case errors.Is(err, io.EOF):
		s.end = &lostError{io.ErrUnexpectedEOF}
	default:
		s.end = &lostError{err}
	}
	return s.end
}

// setEnd sets why nothing more is read, unless that is set, and returns it.
func (s *stream) setEnd(end error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = end
	}
	return s.end
}

func (s *stream) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}

// drain takes what a peer still sends after it was told that this end closes,
// when its bytes can no longer be followed.
func (s *stream) drain() {
	s.writing.Lock()
	told := s.closeSent
	s.writing.Unlock()
	if !told {
		return
	}
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	s.mu.Lock()
	_ = s.Conn.SetReadDeadline(s.closeBy)
	s.mu.Unlock()
	_, _ = io.CopyN(io.Discard, s.Conn, drainLimit)
}

// interruptRead ends a Read that waits, and all later ones.
func (s *stream) interruptRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end == nil {
		s.end = errInterrupted
	}
	if s.closeBy.IsZero() {
		_ = s.Conn.SetReadDeadline(past)
	}
}

// interruptWrite ends a Write that waits, and all later ones.
func (s *stream) interruptWrite() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeStop = true
	_ = s.Conn.SetWriteDeadline(past)
}

// Write writes a control frame for the library, which hands it over whole.
func (s *stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closeSent {
		return 0, net.ErrClosed
	}
	if err := s.send(p); err != nil {
		return 0, err
	}
	s.closeSent = p[0]&opBits == opClose
	return len(p), nil
}

// writeFrame writes a whole text frame as one fragment.
func (s *stream) writeFrame(frame []byte, masked bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closeSent {
		return ErrClosed
	}
	out := newOutput(frame, masked)
	defer out.release()
	return s.sendAll(out)
}

// sendAll writes what is left of a frame.
func (s *stream) sendAll(out *output) error {
	for piece := out.next(); piece != nil; piece = out.next() {
		if err := s.send(piece); err != nil {
			return err
		}
	}
	return nil
}

// endFrame lets the next fragment be written after one that tryFrame began.
func (s *stream) endFrame(out *output) {
	out.release()
	s.writing.Unlock()
}

// send writes p, which the peer has writeTimeout to take, or a little more.
func (s *stream) send(p []byte) error {
	if err := s.setWriteDeadline(); err != nil {
		return err
	}
	_, err := s.body.Write(p)
	return err
}

// setWriteDeadline makes sure that a write has writeTimeout, and not more than
// half as much again. Setting a deadline costs about as much as a tenth of a
// write, so most writes find one that is late enough.
func (s *stream) setWriteDeadline() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeStop {
		return context.Canceled
	}
	now := time.Now()
	if !s.closeBy.IsZero() || s.writeBy.Sub(now) >= s.writeTimeout {
		return nil
	}
	s.writeBy = now.Add(s.writeTimeout + s.writeTimeout/2)
	return s.Conn.SetWriteDeadline(s.writeBy)
}

// endWriteDeadline lets what does not wait be written whenever it is.
func (s *stream) endWriteDeadline() {
	if s.writeBy.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.writeStop && s.closeBy.IsZero() {
		s.writeBy = time.Time{}
		_ = s.Conn.SetWriteDeadline(s.writeBy)
	}
}

// beginClose bounds everything that still happens by closeWait.
func (s *stream) beginClose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeBy = time.Now().Add(closeWait)
	_ = s.Conn.SetDeadline(s.closeBy)
}

// toldClose reports whether a close frame was sent.
func (s *stream) toldClose() bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.closeSent
}

// drop ends the connection at once; what the peer has not taken is discarded.
func (s *stream) drop(why error) {
	_ = s.setEnd(why)
	network := bottom(s.Conn)
	if tcp, ok := network.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = network.Close()
}

// Close closes the connection for the library.
func (s *stream) Close() error { return s.body.Close() }

// bottom returns the connection below TLS, whose Close does not wait.
func bottom(conn net.Conn) net.Conn {
	if upper, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return upper.NetConn()
	}
	return conn
}
