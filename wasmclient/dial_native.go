//go:build !js

package wasmclient

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// platformOptions are those that exist natively only.
type platformOptions struct {
	http *http.Client
}

// WithHTTPClient makes the WebSocket's handshake with client: for TLS settings, proxies, cookies or headers of one's own.
// By default it is http.DefaultClient. It exists natively only; in a browser the page decides.
func WithHTTPClient(client *http.Client) Option {
	return func(o *options) error {
		if client == nil {
			return errors.New("the HTTP client is nil")
		}
		o.http = client
		return nil
	}
}

// dialPlatform connects with the token in the Authorization header (RFC 6750 section 2.1).
func (o *options) dialPlatform(ctx context.Context, endpoint, token string) (transport.Conn, error) {
	dial := transport.DialOptions{Subprotocols: []string{subprotocol}}
	dial.HTTPClient = o.http
	switch {
	case token == "":
	case o.tokenInQuery:
		endpoint = withToken(endpoint, token)
	default:
		dial.Header = map[string][]string{"Authorization": {"Bearer " + token}}
	}
	return transport.Dial(ctx, endpoint, dial)
}

// fillRandom fills b with unguessable bytes.
func fillRandom(b []byte) { _, _ = rand.Read(b) } // never fails
