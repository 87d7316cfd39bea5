//go:build !js

package transport

import "time"

// Defaults of the options of Accept, used for 0 and less. Sizes are bytes.
const (
	DefaultAcceptReadLimit = 1 << 20
	DefaultFrameTimeout    = 10 * time.Second
	DefaultWriteTimeout    = 10 * time.Second
	DefaultFragments       = 1024
	DefaultPings           = 20
	DefaultSendBuffer      = 64 << 10
)

// AcceptOptions are the options of Accept. The zero value is usable.
type AcceptOptions struct {
	// Subprotocols that the server speaks, the most wanted first. The first one
	// that the client offers too is selected. Without a common one the
	// connection is accepted, and Conn.Subprotocol returns "".
	Subprotocols []string

	// ReadLimit is the size of the largest frame that is read. 0 means 1 MiB.
	// A larger one is refused by its header, before it takes memory.
	ReadLimit int

	// FrameTimeout is how long a frame may take from its first byte to its last.
	// 0 means 10 seconds. Before the first byte Read waits without limit.
	FrameTimeout time.Duration

	// Fragments is how many fragments a frame may come in. 0 means 1024.
	Fragments int

	// Pings is how many pings and pongs a peer may send within one second. 0
	// means 20. Each ping costs a write.
	Pings int

	// WriteTimeout is how long the peer may take to accept 64 KiB, or the frame
	// when it is smaller; at times it is half as much again. 0 means 10 seconds.
	WriteTimeout time.Duration

	// SendBuffer is the size of the kernel's buffer for what was written and not
	// yet taken by the peer. 0 means 64 KiB; the kernel may double it. Larger
	// helps throughput over distant links and costs memory for each peer that
	// does not read. A negative value leaves the kernel's own choice, which grows
	// to several MiB.
	SendBuffer int
}

func (o *AcceptOptions) setDefaults() {
	o.ReadLimit = orDefault(o.ReadLimit, DefaultAcceptReadLimit)
	o.FrameTimeout = orDefault(o.FrameTimeout, DefaultFrameTimeout)
	o.Fragments = orDefault(o.Fragments, DefaultFragments)
	o.Pings = orDefault(o.Pings, DefaultPings)
	o.WriteTimeout = orDefault(o.WriteTimeout, DefaultWriteTimeout)
	if o.SendBuffer == 0 {
		o.SendBuffer = DefaultSendBuffer
	}
}
