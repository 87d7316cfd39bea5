//go:build !js

package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

func TestDialIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   transport.HandshakeError
	}{
		{"with a status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, transport.HandshakeError{Status: 503}},
		{"with a body", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "unauthorized: no token", http.StatusUnauthorized)
		},
			transport.HandshakeError{Status: 401, Body: "unauthorized: no token\n"}},
		{"with a long body", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, strings.Repeat("x", 5000), 400) },
			transport.HandshakeError{Status: 400, Body: strings.Repeat("x", 1024)}},
		{"with a page", func(http.ResponseWriter, *http.Request) {}, transport.HandshakeError{Status: 200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			defer server.Close()
			_, err := transport.Dial(t.Context(), server.URL, transport.DialOptions{})
			var refused *transport.HandshakeError
			if !errors.As(err, &refused) || *refused != c.want {
				t.Errorf("got %v, want %v", err, &c.want)
			}
		})
	}
}

func TestDialErrorKeepsSecrets(t *testing.T) {
	for _, address := range []string{
		"ws://127.0.0.1:1/secret?token=secret",
		"ws://127.0.0.1:x/secret?token=secret",
		"ftp://127.0.0.1/secret?token=secret",
		"ws://127.0.0.1:1/%zz?token=secret",
		"ws://127.0.0.1:1/\x7f?token=secret",
	} {
		conn, err := transport.Dial(t.Context(), address, transport.DialOptions{})
		if conn != nil || err == nil {
			t.Fatalf("%s: connected", address)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := transport.Dial(ctx, server.URL, transport.DialOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestContextOfDialDoesNotEndTheConnection(t *testing.T) {
	address, accepted := serve(t, transport.AcceptOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	client, err := transport.Dial(ctx, address, transport.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Abort()
	server := <-accepted
	defer server.Abort()
	cancel()
	go func() { _ = client.Write(t.Context(), []byte("still here")) }()
	if frame, err := server.Read(t.Context()); string(frame) != "still here" || err != nil {
		t.Errorf("got %q and %v", frame, err)
	}
}

func TestDialSendsHeaders(t *testing.T) {
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	defer server.Close()
	_, _ = transport.Dial(t.Context(), server.URL, transport.DialOptions{
		Header:       http.Header{"Authorization": {"Bearer x"}},
		Subprotocols: []string{"a", "b"},
	})
	h := <-got
	if h.Get("Authorization") != "Bearer x" || h.Get("Sec-WebSocket-Protocol") != "a,b" || h.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("got %v", h)
	}
}

// connectTLS connects over TLS, and through a proxy where one is given.
func connectTLS(t *testing.T, s transporttest.Settings) (client, server transport.Conn) {
	t.Helper()
	accepted := make(chan transport.Conn, 1)
	far := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := transport.Accept(w, r, transport.AcceptOptions{ReadLimit: s.ReadLimit, WriteTimeout: s.WriteTimeout, Subprotocols: s.Subprotocols})
		if err == nil {
			accepted <- c
		}
	}))
	t.Cleanup(far.Close)
	roots := x509.NewCertPool()
	roots.AddCert(far.Certificate())
	client, err := transport.Dial(t.Context(), "wss"+strings.TrimPrefix(far.URL, "https"), transport.DialOptions{
		ReadLimit: s.ReadLimit, WriteTimeout: s.WriteTimeout.Milliseconds(), Subprotocols: s.Subprotocols,
		PlatformOptions: transport.PlatformOptions{TLS: &tls.Config{RootCAs: roots}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, <-accepted
}

func TestTLSConforms(t *testing.T) {
	transporttest.Conform(t, connectTLS)
}

func TestAcceptedTLSConforms(t *testing.T) {
	transporttest.Conform(t, func(t *testing.T, s transporttest.Settings) (near, far transport.Conn) {
		client, server := connectTLS(t, s)
		return server, client
	})
}

func TestDialChecksTheCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	_, err := transport.Dial(t.Context(), server.URL, transport.DialOptions{})
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("got %v, want %T", err, unknown)
	}
}

func TestDialThroughAProxy(t *testing.T) {
	address, accepted := serve(t, transport.AcceptOptions{})
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, ErrorLog: quiet()})
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	through := &http.Transport{Proxy: http.ProxyURL(at)}
	client, err := transport.Dial(t.Context(), address, transport.DialOptions{
		PlatformOptions: transport.PlatformOptions{HTTPClient: &http.Client{Transport: through}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := <-accepted
	go func() { _ = client.Write(t.Context(), []byte("hello")) }()
	if frame, err := server.Read(t.Context()); string(frame) != "hello" || err != nil {
		t.Errorf("got %q and %v", frame, err)
	}
	client.Abort()
	server.Abort()
}

func TestAcceptRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := transport.Accept(w, r, transport.AcceptOptions{}); c != nil || err == nil {
			t.Error("accepted what is not a handshake")
		}
	}))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("got status %d", response.StatusCode)
	}
}

func TestSubprotocolOfTheServerIsSelected(t *testing.T) {
	for _, c := range []struct {
		offered, known []string
		want           string
	}{
		{[]string{"v1", "v2"}, []string{"v2", "v1"}, "v2"},
		{[]string{"v1", "token.c2VjcmV0"}, []string{"v1"}, "v1"},
		{[]string{"v3"}, []string{"v1"}, ""},
		{nil, []string{"v1"}, ""},
	} {
		address, accepted := serve(t, transport.AcceptOptions{Subprotocols: c.known})
		client, err := transport.Dial(t.Context(), address, transport.DialOptions{Subprotocols: c.offered})
		if err != nil {
			t.Fatal(err)
		}
		server := <-accepted
		if client.Subprotocol() != c.want || server.Subprotocol() != c.want {
			t.Errorf("offered %q: got %q and %q, want %q", c.offered, client.Subprotocol(), server.Subprotocol(), c.want)
		}
		client.Abort()
		server.Abort()
	}
}

// connectFaulty connects a client to a server behind a network with faults.
func connectFaulty(t *testing.T, f transporttest.Faults) (client, server transport.Conn, dialErr error) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan transport.Conn, 1)
	s := &http.Server{ErrorLog: quiet(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := transport.Accept(w, r, transport.AcceptOptions{WriteTimeout: patience})
		if err == nil {
			accepted <- c
		}
		close(accepted)
	})}
	go func() { _ = s.Serve(transporttest.Listen(inner, func() transporttest.Faults { return f })) }()
	t.Cleanup(func() { _ = s.Close() })
	client, err = transport.Dial(t.Context(), "ws://"+inner.Addr().String(), transport.DialOptions{})
	if err != nil {
		return nil, nil, err
	}
	if server = <-accepted; server == nil {
		client.Abort()
		return nil, nil, transporttest.ErrCut
	}
	return client, server, nil
}
