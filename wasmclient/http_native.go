//go:build !js

package wasmclient

import (
	"errors"
	"net/http"
)

// WithHTTPClient makes the WebSocket's handshake with client: for TLS settings, proxies, cookies or headers of one's own.
// By default it is http.DefaultClient. It exists natively only; in a browser the page decides.
func WithHTTPClient(client *http.Client) Option {
	return func(o *options) error {
		if client == nil {
			return errors.New("the HTTP client is nil")
		}
		o.HTTP = client
		return nil
	}
}
