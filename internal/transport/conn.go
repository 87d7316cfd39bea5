// Package transport moves whole text frames between two ends: over a WebSocket
// of this process, over the WebSocket of the page that runs this program, or
// over an in-memory pipe. It does not look into a frame.
//
// A frame is one whole WebSocket text message (RFC 6455, section 5.6). The
// pieces that the wire may cut it into are called fragments here.
//
// Promises of every Conn:
//
//  1. Frames arrive whole, unchanged, in order, and each once.
//  2. Every frame that was written before Close arrives before the close does,
//     as long as the peer reads.
//  3. One goroutine may read while another writes. Close and Abort may be
//     called by anybody at any time, and end a Read and a Write that wait.
//  4. No goroutine is left behind once Close or Abort has returned and the
//     calls of Read and Write have returned.
//  5. Waiting is bounded: a frame that has begun must become whole in time, a
//     peer must take what is written in time, and Close takes about a second
//     at most.
package transport

// Bound says how long a call may wait: until Done is closed, and then Err says
// why. Every context.Context is one; the browser's download has no package
// context.
type Bound interface {
	Done() <-chan struct{}
	Err() error
}

// Conn is one end of a connection that carries text frames.
//
// Close or Abort must be called in the end, also after an error.
type Conn interface {
	// Read returns the next frame. The slice is the caller's. It waits as long
	// as b allows for a frame to begin; how long the rest may take is bounded
	// by the options of the connection.
	//
	// Errors: *CloseError when the peer has closed, ErrClosed after Close or
	// Abort of this end, *ViolationError when the peer broke a rule, an error
	// that is ErrLost when the connection ended otherwise, and the error of b.
	// After any of them nothing more can be read. After a *ViolationError or the
	// error of b the connection can still be written and closed: the caller
	// tells the peer why.
	Read(b Bound) ([]byte, error)

	// Write sends one frame, which must be valid UTF-8. The slice may be used
	// again when Write has returned; nil means that the frame is on its way, not
	// that it has arrived. When b has ended before, nothing is sent.
	//
	// Errors: ErrClosed when either end has closed, ErrWriteTimeout when the peer
	// does not take it, an error that is ErrLost, and the error of b. A Write
	// that fails under way drops the connection, for part of the frame may be
	// out. Read tells why the peer closed.
	Write(b Bound, frame []byte) error

	// Close tells the peer code and reason, waits about a second at most for it
	// to agree, and drops the connection. Frames of the peer that were not read
	// are lost. The reason is cut to 123 bytes. A code that may not be sent
	// (RFC 6455, section 7.4) becomes 1011. A page may only send 1000 and 3000
	// to 4999: there any other code is left out, and the peer reads 1005.
	//
	// Calls after the first wait for it and do nothing else. The error says that
	// the peer was probably not told; the connection is dropped all the same.
	Close(code int, reason string) error

	// Abort drops the connection at once. The peer is not told, and frames under
	// way may be lost.
	Abort()

	// Subprotocol returns the subprotocol that both ends agreed on, or "".
	Subprotocol() string
}

// Pusher is a Conn that can hand its frames over as they come, in the place of Read, which then only waits for the end: in a
// page that spares each frame a change of goroutines.
type Pusher interface {
	// Deliver calls the function with each frame, in order, and those first that have come already. The function must
	// not wait, and a slice of up to 64 KiB is used again when it has returned. Deliver is called once at most.
	Deliver(to func(frame []byte))
}

// Close codes that RFC 6455, section 7.4.1, gives a meaning.
const (
	CodeNormal     = 1000 // the purpose of the connection is fulfilled
	CodeGoingAway  = 1001 // a server stops or a page is left
	CodeNoStatus   = 1005 // in a CloseError: the peer gave no code
	codeProtocol   = 1002
	codeNotText    = 1003
	codeAbnormal   = 1006 // never sent: the connection was lost
	codeNotUTF8    = 1007
	codePolicy     = 1008
	codeTooLarge   = 1009
	codeInternal   = 1011
	codeTLS        = 1015 // never sent: the connection was lost in its handshake
	maxCloseReason = 123
)
