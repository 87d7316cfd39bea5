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

// connection drives a peer over a transport: one goroutine reads, and one writes while there is something to write.
type connection struct {
	server *StateSyncer
	conn   transport.Conn
	peer   *peer
	place  *place
	writer sync.WaitGroup // the goroutine that writes
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

// write writes until nothing waits.
func (c *connection) write() {
	defer c.writer.Done()
	buffer := frames.Get().(*[]byte)
	for {
		frame := c.peer.take((*buffer)[:0], c.server.options.Limits.BatchBytes)
		if cap(frame) <= keptFrame {
			*buffer = frame[:0]
		}
		if len(frame) == 0 {
			break
		}
		if err := c.conn.Write(c.server.ctx, frame); err != nil {
			c.server.options.Logger.Debug("a connection ended in writing", "error", err)
			c.peer.silence()
			c.conn.Abort()
			break
		}
		if bye, said := c.peer.farewell(); said {
			_ = c.conn.Close(int(bye.Code), bye.Reason)
			break
		}
	}
	frames.Put(buffer)
}

// endTimeout bounds how long Close waits for connections that it has aborted.
const endTimeout = 5 * time.Second
