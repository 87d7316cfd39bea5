//go:build !js

package driver

import (
	"crypto/rand"
	"net/http"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// PlatformOptions are those that exist natively only.
type PlatformOptions struct {
	HTTP *http.Client // makes the handshake
}

// dial connects with the token in the Authorization header (RFC 6750 section 2.1).
func (o *Options) dial(b Bound, endpoint, token string) (transport.Conn, error) {
	dial := transport.DialOptions{Subprotocols: []string{subprotocol}, ReadLimit: maxFrame}
	dial.HTTPClient = o.HTTP
	switch {
	case token == "":
	case o.TokenInQuery:
		endpoint = withToken(endpoint, token)
	default:
		dial.Header = map[string][]string{"Authorization": {"Bearer " + token}}
	}
	return transport.Dial(b, endpoint, dial)
}

// fillRandom fills b with unguessable bytes.
func fillRandom(b []byte) { _, _ = rand.Read(b) } // never fails
