//go:build js

package wasmclient

import (
	"context"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// platformOptions are those that exist in the browser only: none.
//
//lint:ignore U1000 options embeds it, and there is nothing in it to use.
type platformOptions struct{}

// dialPlatform connects with the token as an offered subprotocol: a page cannot set headers.
func (o *options) dialPlatform(ctx context.Context, endpoint, token string) (transport.Conn, error) {
	dial := transport.DialOptions{Subprotocols: []string{subprotocol}}
	switch {
	case token == "":
	case o.tokenInQuery:
		endpoint = withToken(endpoint, token)
	default:
		dial.Subprotocols = append(dial.Subprotocols, tokenSubprotocol+encodeToken(token))
	}
	return transport.Dial(ctx, endpoint, dial)
}

// fillRandom fills b with unguessable bytes; crypto/rand would cost the download more.
func fillRandom(b []byte) {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.Global().Get("crypto").Call("getRandomValues", array)
	js.CopyBytesToGo(b, array)
}
