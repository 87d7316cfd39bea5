// Package pipe is a connection in memory, for tests.
package pipe

import (
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// Defaults of the options, used for 0 and less.
const (
	DefaultBuffer       = 64 << 10 // bytes
	DefaultWriteTimeout = 10 * time.Second
)

// Options are the options of New. The zero value is usable.
type Options struct {
	// Buffer is how many bytes each direction holds before Write waits. 0 means
	// 64 KiB. A frame that is larger waits until the buffer is empty.
	Buffer int

	// ReadLimit is the size of the largest frame that is read. 0 means 16 MiB.
	ReadLimit int

	// WriteTimeout is how long a frame may wait for room. 0 means 10 seconds.
	WriteTimeout time.Duration

	// Subprotocol is what both ends return as Subprotocol.
	Subprotocol string
}

func (o *Options) setDefaults() {
	if o.Buffer <= 0 {
		o.Buffer = DefaultBuffer
	}
	if o.ReadLimit <= 0 {
		o.ReadLimit = transport.DefaultDialReadLimit
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = DefaultWriteTimeout
	}
}

// New returns the two ends of a connection in memory.
//
// It keeps all promises of transport.Conn on every platform and inside a testing/synctest
// bubble. Close does not wait: what the closing end wrote stays readable at the
// other. Abort loses what was written and not yet read, in both directions, as
// a cut network would.
func New(o Options) (client, server transport.Conn) {
	o.setDefaults()
	up, down := transport.NewLane(o.Buffer, o.ReadLimit), transport.NewLane(o.Buffer, o.ReadLimit)
	return &end{in: down, out: up, options: o}, &end{in: up, out: down, options: o}
}

type end struct {
	in, out *transport.Lane
	options Options
	once    sync.Once
}

func (e *end) Read(b transport.Bound) ([]byte, error) { return e.in.Take(b) }

func (e *end) Write(b transport.Bound, frame []byte) error {
	if err := b.Err(); err != nil {
		return err
	}
	err := e.put(b, frame)
	if err != nil {
		e.Abort()
	}
	return err
}

func (e *end) Close(code int, reason string) error {
	e.once.Do(func() {
		e.out.Finish(transport.Closed(code, reason))
		e.in.Stop(transport.ErrClosed, transport.ErrClosed)
	})
	return nil
}

func (e *end) Abort() {
	e.once.Do(func() {
		e.out.Stop(transport.ErrLost, transport.ErrClosed)
		e.in.Stop(transport.ErrClosed, transport.ErrLost)
	})
}

func (e *end) Subprotocol() string { return e.options.Subprotocol }

func (e *end) put(b transport.Bound, frame []byte) error {
	changed, err := e.out.Put(frame)
	if changed == nil {
		return err
	}
	timeout := time.NewTimer(e.options.WriteTimeout)
	defer timeout.Stop()
	for changed != nil {
		select {
		case <-changed:
			changed, err = e.out.Put(frame)
		case <-b.Done():
			return b.Err()
		case <-timeout.C:
			return transport.ErrWriteTimeout
		}
	}
	return err
}
