package transport

import (
	"context"
	"sync"
	"time"
)

// Pipe returns the two ends of a connection in memory.
//
// It keeps all promises of Conn on every platform and inside a testing/synctest
// bubble. Close does not wait: what the closing end wrote stays readable at the
// other. Abort loses what was written and not yet read, in both directions, as
// a cut network would.
func Pipe(o PipeOptions) (client, server Conn) {
	o.setDefaults()
	up, down := newLane(o), newLane(o)
	return &pipeEnd{in: down, out: up, subprotocol: o.Subprotocol}, &pipeEnd{in: up, out: down, subprotocol: o.Subprotocol}
}

type pipeEnd struct {
	in, out     *lane
	subprotocol string
	once        sync.Once
}

func (p *pipeEnd) Read(ctx context.Context) ([]byte, error) { return p.in.take(ctx) }

func (p *pipeEnd) Write(ctx context.Context, frame []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := p.out.put(ctx, frame)
	if err != nil {
		p.Abort()
	}
	return err
}

func (p *pipeEnd) Close(code int, reason string) error {
	p.once.Do(func() {
		p.out.finish(&CloseError{Code: sendableCode(code), Reason: cutReason(reason)})
		p.in.stop(ErrClosed, ErrClosed)
	})
	return nil
}

func (p *pipeEnd) Abort() {
	p.once.Do(func() {
		p.out.stop(ErrLost, ErrClosed)
		p.in.stop(ErrClosed, ErrLost)
	})
}

func (p *pipeEnd) Subprotocol() string { return p.subprotocol }

// lane is one direction of a pipe.
type lane struct {
	buffer       int
	readLimit    int
	writeTimeout time.Duration

	// mu guards the fields below.
	mu       sync.Mutex
	frames   [][]byte
	size     int           // bytes that frames are charged with
	readEnd  error         // what the reader gets once frames is empty; nil: it waits
	writeEnd error         // what the writer gets; nil: it may write
	changed  chan struct{} // closed at the next change; nil when nobody waits
}

func newLane(o PipeOptions) *lane {
	return &lane{buffer: o.Buffer, readLimit: o.ReadLimit, writeTimeout: o.WriteTimeout}
}

// frameCharge is what a frame costs beyond its bytes, so that empty frames fill
// the buffer too.
const frameCharge = 32

func (l *lane) take(ctx context.Context) ([]byte, error) {
	for {
		frame, changed, err := l.tryTake(ctx)
		if changed == nil {
			return frame, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// tryTake returns a frame, a channel to wait for, or an error.
func (l *lane) tryTake(ctx context.Context) ([]byte, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if len(l.frames) == 0 {
		if l.readEnd != nil {
			return nil, nil, l.readEnd
		}
		return nil, l.wait(), nil
	}
	frame := l.frames[0]
	l.frames[0] = nil
	l.frames = l.frames[1:]
	l.size -= len(frame) + frameCharge
	l.wake()
	if err := checkFrame(frame, l.readLimit); err != nil {
		l.frames, l.size, l.readEnd = nil, 0, err
		return nil, nil, err
	}
	return frame, nil, nil
}

func (l *lane) put(ctx context.Context, frame []byte) error {
	changed, err := l.tryPut(frame)
	if changed == nil {
		return err
	}
	timeout := time.NewTimer(l.writeTimeout)
	defer timeout.Stop()
	for changed != nil {
		select {
		case <-changed:
			changed, err = l.tryPut(frame)
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout.C:
			return ErrWriteTimeout
		}
	}
	return err
}

// tryPut keeps a copy of frame or returns an error, or a channel to wait for.
func (l *lane) tryPut(frame []byte) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writeEnd != nil {
		return nil, l.writeEnd
	}
	cost := len(frame) + frameCharge
	if l.size > 0 && l.size+cost > l.buffer {
		return l.wait(), nil
	}
	l.frames = append(l.frames, append([]byte{}, frame...))
	l.size += cost
	l.wake()
	return nil, nil
}

// push keeps frame itself, without waiting, and reports whether there was room.
func (l *lane) push(frame []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readEnd != nil {
		return true
	}
	cost := len(frame) + frameCharge
	if l.size > 0 && l.size+cost > l.buffer {
		return false
	}
	l.frames = append(l.frames, frame)
	l.size += cost
	l.wake()
	return true
}

// finish ends the lane behind the frames that it holds.
func (l *lane) finish(readEnd error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readEnd == nil {
		l.readEnd = readEnd
	}
	l.writeEnd = ErrClosed
	l.wake()
}

// stop ends the lane at once and drops the frames that it holds.
func (l *lane) stop(readEnd, writeEnd error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames, l.size = nil, 0
	if l.readEnd == nil || readEnd == ErrClosed {
		l.readEnd = readEnd
	}
	if l.writeEnd == nil || writeEnd == ErrClosed {
		l.writeEnd = writeEnd
	}
	l.wake()
}

func (l *lane) wait() <-chan struct{} {
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

func (l *lane) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}
