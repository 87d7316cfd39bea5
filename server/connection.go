package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// connection drives a peer over a transport: one goroutine reads. What there is to write is written by the goroutines of
// launch, and by one of its own while the network does not take it at once.
type connection struct {
	server *StateSyncer
	conn   transport.Conn
	peer   *peer
	place  *place
	writer sync.WaitGroup // whoever writes
	frames *rate.Limiter  // nil: no limit
	bytes  *rate.Limiter

	nextLaunch *connection // of the lock of launch
}

// serve runs a connection on goroutines of its own; a visitor that may not connect is only told so.
func (s *StateSyncer) serve(conn transport.Conn, v visitor) {
	c := &connection{server: s, conn: conn, place: v.place}
	c.peer = s.connect(v.client, c.startWriter)
	c.peer.owner = v.owner
	refusal := v.refusal
	if refusal == nil && s.draining.Load() {
		refusal = &Error{Code: protocol.CodeShuttingDown}
	}
	if refusal != nil {
		s.options.Logger.Debug("a client was turned away", "code", refusal.Code.String())
		c.peer.fail(refusal)
	}
	c.limitRates()
	s.startTicking()
	go c.run()
}

// advice returns for how many milliseconds a client should stay away.
func (s *StateSyncer) advice(code protocol.Code) uint32 {
	switch code {
	case protocol.CodeShuttingDown, protocol.CodeOverloaded:
		return uint32(1 + s.spread(s.options.DrainSpread).Milliseconds())
	}
	return 0
}

func (c *connection) limitRates() {
	limits := &c.server.options.Limits
	if n := limits.FramesPerSecond; n > 0 {
		c.frames = rate.NewLimiter(rate.Limit(n), limits.FrameBurst)
	}
	if n := limits.BytesPerSecond; n > 0 {
		c.bytes = rate.NewLimiter(rate.Limit(n), max(n, limits.Message))
	}
}

// run reads until the connection ends.
func (c *connection) run() {
	defer c.server.giveBack(c.place)
	err := c.read()
	c.explain(err)
	c.writer.Wait() // it may have a bye to write
	c.conn.Abort()
	c.peer.disconnect()
}

// read hands frames to the peer until one cannot be read. The first has to come soon.
func (c *connection) read() error {
	timeout := c.server.options.HandshakeTimeout
	ctx, cancel := context.WithTimeoutCause(c.server.ctx, timeout, errNoHello)
	frame, err := c.conn.Read(ctx)
	cancel()
	if err != nil {
		if errors.Is(context.Cause(ctx), errNoHello) {
			return errNoHello
		}
		return err
	}
	for {
		c.peer.receive(frame)
		if err := c.throttle(len(frame)); err != nil {
			return err
		}
		if frame, err = c.conn.Read(c.server.ctx); err != nil {
			return err
		}
	}
}

var errNoHello = errors.New("the first message did not come in time")

// throttle waits as the rate limits demand: the client feels it as a slow server.
func (c *connection) throttle(bytes int) error {
	if c.frames != nil {
		if err := c.frames.Wait(c.server.ctx); err != nil {
			return err
		}
	}
	if c.bytes != nil {
		return c.bytes.WaitN(c.server.ctx, bytes)
	}
	return nil
}

// explain tells the client why reading from it ended, if it is still there.
func (c *connection) explain(err error) {
	var violation *transport.ViolationError
	switch {
	case errors.Is(err, errNoHello):
		c.peer.fail(failure(protocol.CodeHandshakeTimeout, "no message came within %v", c.server.options.HandshakeTimeout))
	case errors.As(err, &violation):
		c.peer.fail(&Error{Code: violationCodes[violation.Violation], Reason: violation.Reason})
	default: // nobody is there, or the server has closed; what waits is not written
		c.peer.leaveAll()
		c.peer.silence() // after this no writer is started, so run can wait for the last one
	}
}

// violationCodes are our codes for what the transport found.
var violationCodes = map[transport.Violation]protocol.Code{
	transport.FrameTooLarge:     protocol.CodeMessageTooLarge,
	transport.FrameTooSlow:      protocol.CodeMessageTimeout,
	transport.TooManyFragments:  protocol.CodeTooManyFragments,
	transport.TooManyPings:      protocol.CodeTooManyPings,
	transport.NotText:           protocol.CodeBadMessage,
	transport.InvalidUTF8:       protocol.CodeInvalidUTF8,
	transport.ProtocolViolation: protocol.CodeBadMessage,
}

// keptFrame is the largest buffer that is kept for other connections.
const keptFrame = 128 << 10

var frames = sync.Pool{New: func() any { return new([]byte) }}

// turnFrames is how many frames a connection may write before the others that wait have their turn.
const turnFrames = 4

// writeNow writes what waits, as long as the network takes it at once; what has to be waited for it leaves to a goroutine of
// the connection's own. more says that the connection still has something to write, and should have another turn.
func (c *connection) writeNow() (more bool) {
	buffer := frames.Get().(*[]byte)
	for range turnFrames {
		frame := c.take(buffer)
		if len(frame) == 0 {
			c.endWriting(buffer)
			return false
		}
		rest, err := c.tryWrite(frame)
		_, said := c.peer.farewell()
		if rest != nil || err != nil || said {
			go c.write(buffer, rest, err)
			return false
		}
	}
	frames.Put(buffer)
	return true
}

// tryWrite is Write where the connection cannot do without waiting.
func (c *connection) tryWrite(frame []byte) (rest func() error, err error) {
	if t, ok := c.conn.(transport.Trier); ok {
		return t.TryWrite(c.server.ctx, frame)
	}
	return func() error { return c.conn.Write(c.server.ctx, frame) }, nil
}

// write writes until nothing waits, first what is left of a frame.
func (c *connection) write(buffer *[]byte, rest func() error, err error) {
	defer c.endWriting(buffer)
	if rest != nil {
		err = rest()
	}
	for c.goesOn(err) {
		frame := c.take(buffer)
		if len(frame) == 0 {
			return
		}
		err = c.conn.Write(c.server.ctx, frame)
	}
}

// take returns the next frame, in the buffer unless it is large.
func (c *connection) take(buffer *[]byte) []byte {
	frame := c.peer.take((*buffer)[:0], c.server.options.Limits.BatchBytes)
	if cap(frame) <= keptFrame {
		*buffer = frame[:0]
	}
	return frame
}

// goesOn reports whether more may be written, after a frame with the given result; else it ends the connection.
func (c *connection) goesOn(err error) bool {
	if err != nil {
		c.server.options.Logger.Debug("a connection ended in writing", "error", err)
		c.peer.silence()
		c.conn.Abort()
		return false
	}
	if bye, said := c.peer.farewell(); said {
		_ = c.conn.Close(int(bye.Code), bye.Reason)
		return false
	}
	return true
}

func (c *connection) endWriting(buffer *[]byte) {
	frames.Put(buffer)
	c.writer.Done()
}

// endTimeout bounds how long Close waits for connections that it has aborted.
const endTimeout = 5 * time.Second
