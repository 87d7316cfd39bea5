package transport

import "time"

// Defaults of the options, used for 0 and less. Sizes are bytes.
const (
	DefaultAcceptReadLimit = 1 << 20
	DefaultDialReadLimit   = 16 << 20
	DefaultFrameTimeout    = 10 * time.Second
	DefaultWriteTimeout    = 10 * time.Second
	DefaultFragments       = 1024
	DefaultPings           = 20
	DefaultSendBuffer      = 64 << 10
	DefaultPipeBuffer      = 64 << 10
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

// DialOptions are the options of Dial. The zero value is usable.
type DialOptions struct {
	// Header is sent with the handshake. A page cannot send headers: there it is
	// ignored.
	Header map[string][]string

	// Subprotocols are offered to the server, the most wanted first.
	Subprotocols []string

	// ReadLimit is the size of the largest frame that is read. 0 means 16 MiB. A
	// page has the whole frame in memory before the limit is checked.
	ReadLimit int

	// WriteTimeout is how long the peer may take to accept 64 KiB, or the frame
	// when it is smaller; at times it is half as much again. 0 means 10 seconds.
	WriteTimeout time.Duration

	// PlatformOptions are those that exist only natively or only in a page.
	PlatformOptions
}

// PipeOptions are the options of Pipe. The zero value is usable.
type PipeOptions struct {
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

func (o *DialOptions) setDefaults() {
	o.ReadLimit = orDefault(o.ReadLimit, DefaultDialReadLimit)
	o.WriteTimeout = orDefault(o.WriteTimeout, DefaultWriteTimeout)
}

func (o *PipeOptions) setDefaults() {
	o.Buffer = orDefault(o.Buffer, DefaultPipeBuffer)
	o.ReadLimit = orDefault(o.ReadLimit, DefaultDialReadLimit)
	o.WriteTimeout = orDefault(o.WriteTimeout, DefaultWriteTimeout)
}

func orDefault[T int | time.Duration](value, standard T) T {
	if value <= 0 {
		return standard
	}
	return value
}
