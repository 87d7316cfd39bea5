//go:build !js

package transport

// A Trier is a Conn that can also write without waiting for its peer.
type Trier interface {
	Conn

	// TryWrite is Write, but does not wait: what the peer does not take at once is
	// left to rest, which must then be called and waits as Write does. Until it has
	// returned nothing else may be written and frame must stay as it is. rest is
	// nil when the frame is on its way, and when there is an error.
	TryWrite(b Bound, frame []byte) (rest func() error, err error)
}

func (c *socket) TryWrite(b Bound, frame []byte) (rest func() error, err error) {
	if c.stream.raw == nil {
		return func() error { return c.Write(b, frame) }, nil
	}
	if c.closed.Load() {
		return nil, ErrClosed
	}
	if err := b.Err(); err != nil { // after this it is not asked: nothing waits that it could end
		return nil, err
	}
	unfinished, begun, err := c.stream.tryFrame(frame, !c.stream.meter.rules.masked)
	switch {
	case err != nil:
		return nil, c.writeFailed(b, err)
	case !begun: // a control frame is being written, which may wait
		return func() error { return c.Write(b, frame) }, nil
	case unfinished != nil:
		return c.restOf(b, unfinished), nil
	}
	return nil, nil
}

// restOf returns what writes the rest of a frame that was begun.
func (c *socket) restOf(b Bound, unfinished *output) func() error {
	return func() error {
		defer c.stream.endFrame(unfinished)
		err := c.guard(b, func() error { return c.stream.sendAll(unfinished) })
		if err != nil {
			c.stream.drop(&lostError{err}) // part of the frame is out, whatever guard thought of it
		}
		return err
	}
}

// tryFrame writes as much of a text frame as the network takes at once. begun
// says that it had its turn; what is unfinished then must be given to sendAll
// and endFrame.
func (s *stream) tryFrame(frame []byte, masked bool) (unfinished *output, begun bool, err error) {
	if !s.writing.TryLock() {
		return nil, false, nil
	}
	if s.closeSent {
		s.writing.Unlock()
		return nil, true, ErrClosed
	}
	s.endWriteDeadline()
	out := newOutput(frame, masked)
	for piece := out.next(); piece != nil; piece = out.next() {
		var n int
		if n, err = s.raw.try(piece); err != nil {
			break
		}
		if n < len(piece) {
			out.left = piece[n:]
			return out, true, nil
		}
	}
	s.endFrame(out)
	return nil, true, err
}
