package transport

import (
	"errors"
	"strings"
	"syscall/js"
)

// PlatformOptions are the options of Dial that exist only in a page.
type PlatformOptions struct {
	// WebSocket is the constructor to use. The zero Value means the global one.
	WebSocket js.Value

	// SendBuffer is how many bytes the page holds for the network before Write
	// waits. 0 means 256 KiB. A frame that is larger waits until there are none.
	SendBuffer int
}

// DefaultPageSendBuffer is the default of PlatformOptions.SendBuffer.
const DefaultPageSendBuffer = 256 << 10

// Dial connects to a WebSocket server through the page's WebSocket. When b
// ends before the connection is open, Dial fails with its error; afterwards b
// means nothing to the connection.
//
// A page is not told why a connection does not open: the error is ErrLost for
// a server that is not there as well as for one that refuses.
func Dial(b Bound, address string, o DialOptions) (Conn, error) {
	o.setDefaults()
	o.SendBuffer = orDefault(o.SendBuffer, DefaultPageSendBuffer)
	if o.WebSocket.IsUndefined() {
		o.WebSocket = js.Global().Get("WebSocket")
	}
	if o.WebSocket.Type() != js.TypeFunction {
		return nil, errors.New("connect: there is no WebSocket here")
	}
	socket, err := construct(address, &o)
	if err != nil {
		return nil, err
	}
	shown, _, _ := strings.Cut(address, "?")
	p := newPage(socket, shown, &o)
	select {
	case <-p.opened:
		return p, nil
	case <-p.gone:
		_, err := p.in.Take(b)
		return nil, err
	case <-b.Done():
		p.drop(b.Err())
		return nil, b.Err()
	}
}

func construct(address string, o *DialOptions) (socket js.Value, err error) {
	protocols := make([]any, len(o.Subprotocols))
	for i, name := range o.Subprotocols {
		protocols[i] = name
	}
	if thrown := try(func() { socket = o.WebSocket.New(address, protocols) }); thrown != nil {
		return js.Value{}, errors.New("connect: the address or a subprotocol is not valid")
	}
	return socket, nil
}

// try returns what f throws.
func try(f func()) (thrown error) {
	defer func() {
		if r := recover(); r != nil {
			err, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			thrown = err
		}
	}()
	f()
	return nil
}
