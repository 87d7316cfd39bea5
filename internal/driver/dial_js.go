//go:build js

package driver

import (
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// PlatformOptions are those that exist in the browser only: none.
type PlatformOptions struct{}

// dial connects with the token as an offered subprotocol: a page cannot set headers.
func (o *Options) dial(b Bound, endpoint, token string) (transport.Conn, error) {
	dial := transport.DialOptions{Subprotocols: []string{subprotocol}, ReadLimit: maxFrame}
	switch {
	case token == "":
	case o.TokenInQuery:
		endpoint = withToken(endpoint, token)
	default:
		dial.Subprotocols = append(dial.Subprotocols, tokenSubprotocol+encodeToken(token))
	}
	return transport.Dial(b, endpoint, dial)
}

// fillRandom fills b with unguessable bytes; crypto/rand would cost the download more.
func fillRandom(b []byte) {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.Global().Get("crypto").Call("getRandomValues", array)
	js.CopyBytesToGo(b, array)
}
