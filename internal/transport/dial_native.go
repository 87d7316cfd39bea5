//go:build !js

package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// PlatformOptions are the options of Dial that exist only natively.
type PlatformOptions struct {
	// HTTPClient does the handshake. Its transport must tell its connection to
	// httptrace, as http.Transport does. Nil means a client that takes the proxy
	// from the environment and keeps no connection after a refusal.
	HTTPClient *http.Client

	// TLS is used for wss when HTTPClient is nil. Nil means the defaults of
	// crypto/tls.
	TLS *tls.Config
}

// Dial connects to a WebSocket server: a ws, wss, http or https URL. When b
// ends before the handshake has, Dial fails with its error; afterwards b means
// nothing to the connection.
//
// Errors: *HandshakeError when the server answered with an HTTP response of its
// own, and otherwise what the network said. No error quotes the path or the
// query of the URL, which may contain a secret.
func Dial(b Bound, address string, o DialOptions) (Conn, error) {
	o.setDefaults()
	u := &upgrader{inner: http.DefaultTransport, options: &o}
	client := o.client()
	if client.Transport != nil {
		u.inner = client.Transport
	}
	client.Transport = u
	library, response, err := websocket.Dial(contextOf(b), address, &websocket.DialOptions{
		HTTPClient:      &client,
		HTTPHeader:      http.Header(o.Header).Clone(),
		Subprotocols:    o.Subprotocols,
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, dialError(address, response, err)
	}
	return newSocket(library, u.stream, o.ReadLimit), nil
}

// client returns a copy of the HTTP client that does the handshake.
func (o *DialOptions) client() http.Client {
	switch {
	case o.HTTPClient != nil:
		return *o.HTTPClient
	case o.TLS != nil:
		return http.Client{Transport: newTransport(o.TLS)}
	}
	return http.Client{Transport: plainTransport()}
}

var plainTransport = sync.OnceValue(func() *http.Transport { return newTransport(nil) })

func newTransport(config *tls.Config) *http.Transport {
	t := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DisableKeepAlives: true,
	}
	if config != nil {
		t.TLSClientConfig = config.Clone()
	}
	return t
}

func dialError(address string, response *http.Response, err error) error {
	if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(response.Body) // 1024 bytes that the library has read
		return &HandshakeError{Status: response.StatusCode, Body: string(body)}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL
	}
	host := "server"
	if u, parseErr := url.Parse(address); parseErr == nil && u.Host != "" {
		host = u.Host
	}
	return fmt.Errorf("connect to %s: %w", host, err)
}

// upgrader puts a stream below the library: between the response to the
// handshake and the connection that it came over.
type upgrader struct {
	inner   http.RoundTripper
	options *DialOptions
	stream  *stream
}

// RoundTrip implements http.RoundTripper.
func (u *upgrader) RoundTrip(request *http.Request) (*http.Response, error) {
	var conn net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }}
	ctx := httptrace.WithClientTrace(request.Context(), trace)
	response, err := u.inner.RoundTrip(request.WithContext(ctx))
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return response, err
	}
	body, ok := response.Body.(io.ReadWriteCloser)
	if !ok || conn == nil {
		_ = response.Body.Close()
		return nil, errors.New("the HTTP client's transport does not give access to its connection")
	}
	u.stream = &stream{
		Conn:         conn,
		body:         body,
		writeTimeout: time.Duration(u.options.WriteTimeout) * time.Millisecond,
		meter:        meter{rules: rules{readLimit: u.options.ReadLimit}},
	}
	response.Body = u.stream
	return response, nil
}
