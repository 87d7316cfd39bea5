package driver

import (
	"errors"

	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/protocol"
)

const (
	mostOutput = 64 << 10 // bytes of a frame that the writer asks for; a single longer message goes alone
	mostBuffer = 1 << 20  // bytes of a buffer that the writer keeps for its next frame
	maxFrame   = protocol.ServerBytes
)

// A link is one attempt to connect and the connection that comes of it. The core knows about one at a time; what an
// older one has to say is dropped. Its goroutines end when its scope does.
type link struct {
	scope Bound
	end   func()
	wake  chan struct{} // holds one: the core may have something to send

	// Guarded by Client.mu: what to tell the server at the end.
	code   int
	reason string
}

// openLink begins an attempt. It is called with mu held.
func (c *Client) openLink() {
	l := &link{wake: make(chan struct{}, 1), code: transport.CodeNormal}
	l.scope, l.end = newScope()
	c.link = l
	c.goroutines.Go(func() { c.runLink(l) })
}

// drop ends the link with mu held, without waiting: the core has done with it.
func (l *link) drop(code protocol.Code, reason string) {
	if l == nil {
		return
	}
	if code != 0 {
		l.code, l.reason = int(code), reason
	}
	l.end()
}

// poke wakes the writer.
func (l *link) poke() {
	if l != nil {
		poke(l.wake)
	}
}

// runLink connects, reads until the end and closes.
func (c *Client) runLink(l *link) {
	defer l.end()
	conn, err := c.connect(l.scope)
	if err != nil {
		c.lost(l, err)
		return
	}
	written := make(chan struct{})
	if c.linkEvent(l, c.core.Connected) {
		go func() {
			defer close(written)
			c.write(l, conn)
		}()
	} else {
		close(written)
	}
	c.lost(l, c.read(l, conn))
	l.end()
	<-written
	c.mu.Lock()
	code, reason := l.code, l.reason
	c.mu.Unlock()
	_ = conn.Close(code, reason) // the connection is over either way
}

// connect asks for the token and dials.
func (c *Client) connect(b Bound) (conn transport.Conn, err error) {
	var token string
	if problem := guard(func() { token, err = c.options.Token(b) }); problem != nil {
		problem.In, err = "the token source", problem
	}
	if err != nil {
		return nil, &tokenError{err}
	}
	return c.options.Dial(b, c.endpoint, token)
}

type tokenError struct{ cause error }

func (e *tokenError) Error() string { return "the token source gave no token: " + e.cause.Error() }
func (e *tokenError) Unwrap() error { return e.cause }

// read hands every frame to the core until there are no more, and returns why.
func (c *Client) read(l *link, conn transport.Conn) error {
	receive := func(frame []byte) {
		c.linkEvent(l, func(now core.Time) { c.core.Received(now, frame) })
	}
	if pusher, ok := conn.(transport.Pusher); ok {
		pusher.Deliver(receive)
	}
	for {
		frame, err := conn.Read(l.scope)
		if err != nil {
			return err
		}
		receive(frame)
	}
}

// write sends what the core has to send. When that fails the connection is dropped, and the reader tells why.
func (c *Client) write(l *link, conn transport.Conn) {
	var frame []byte
	for {
		frame = c.pull(l, frame[:0])
		if len(frame) == 0 {
			select {
			case <-l.wake:
				continue
			case <-l.scope.Done():
				return
			}
		}
		if err := conn.Write(l.scope, frame); err != nil {
			conn.Abort()
			return
		}
		if cap(frame) > mostBuffer {
			frame = nil
		}
	}
}

// pull takes the next frame from the core, if the link is still the one that it knows.
func (c *Client) pull(l *link, frame []byte) []byte {
	c.mu.Lock()
	defer c.unlock()
	if c.link != l {
		return nil
	}
	c.step(func(now core.Time) { frame = c.core.Output(now, frame, mostOutput) })
	return frame
}

// linkEvent is event for what the link reports. It does nothing and returns false when the core has done with the link.
func (c *Client) linkEvent(l *link, handle func(now core.Time)) bool {
	c.mu.Lock()
	defer c.unlock()
	if c.link != l {
		return false
	}
	c.eventLocked(handle)
	return c.link == l
}

// lost tells the core how the link ended, if the core has not ended it itself.
func (c *Client) lost(l *link, cause error) {
	c.mu.Lock()
	defer c.unlock()
	if c.link != l {
		return
	}
	loss := lossOf(cause)
	if loss.Code != 0 {
		l.code = loss.Code
	}
	c.link, c.lossCause = nil, cause
	c.eventLocked(func(now core.Time) { c.core.Lost(now, loss) })
	c.lossCause = nil
}

// HTTP statuses of a refused handshake that will not change by asking again.
const (
	statusUnauthorized = 401
	statusForbidden    = 403
)

// lossOf classifies the end of a connection for the core.
func lossOf(cause error) core.Loss {
	loss := core.Loss{Err: cause}
	if closed, ok := errors.AsType[*transport.CloseError](cause); ok {
		loss.Code, loss.Reason = closed.Code, closed.Reason
	} else if violation, ok := errors.AsType[*transport.ViolationError](cause); ok {
		loss.Code, loss.Reason = violation.Violation.Code(), violation.Reason
	} else if handshake, ok := errors.AsType[*transport.HandshakeError](cause); ok {
		if handshake.Status == statusUnauthorized || handshake.Status == statusForbidden {
			loss.Code, loss.Reason = int(protocol.CodeUnauthorized), handshake.Error()
		}
	}
	return loss
}
