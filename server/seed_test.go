package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Every line of the server side of version 1's README, in its Go form.

type permissions []string

func (p permissions) include(permission string) bool {
	for _, have := range p {
		if have == permission {
			return true
		}
	}
	return false
}

func TestSeedMinimalConfiguration(t *testing.T) {
	stateSyncer, err := New(Options{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := stateSyncer.Start("localhost:0"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stateSyncer.Close() }()
	if err := stateSyncer.Start("localhost:0"); err == nil {
		t.Error("it listens twice")
	}
	other, err := New(Options{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if err := other.Start(stateSyncer.Addr().String()); err == nil || !strings.HasPrefix(err.Error(), "start: listen tcp") {
		t.Errorf("an address that is taken: got %v", err)
	}
	for _, path := range []string{"", "/", "/any/path?x=1"} {
		conn, _, err := websocket.Dial(t.Context(), "ws://"+stateSyncer.Addr().String()+path, &websocket.DialOptions{Subprotocols: []string{Subprotocol}})
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.CloseNow()
	}
}

func TestSeedCreateAndRemove(t *testing.T) {
	stateSyncer := newFixture(t, Options{})
	generated, err := stateSyncer.CreateState(StateOptions{})
	if err != nil || len(generated) < 16 {
		t.Errorf("generated identifier: %q, %v", generated, err)
	}
	identifier, err := stateSyncer.CreateState(StateOptions{Identifier: "abc"})
	if err != nil || identifier != "abc" {
		t.Errorf("got %q, %v", identifier, err)
	}
	if _, err := stateSyncer.CreateState(StateOptions{Identifier: "abc"}); !errors.Is(err, ErrStateExists) {
		t.Errorf("exists: got %v", err)
	}
	if _, err := stateSyncer.CreateState(StateOptions{Identifier: "with", InitialValue: map[string]any{"property": "value"}}); err != nil {
		t.Error(err)
	}
	value, ok := stateSyncer.GetValueOfState("with")
	if got := value.Get("property").Text(); !ok || got != "value" {
		t.Errorf("got %q, %v", got, ok)
	}
	if _, ok := stateSyncer.GetValueOfState("no"); ok {
		t.Error("a state that is not there has a value")
	}
	if !stateSyncer.RemoveState("abc") || stateSyncer.RemoveState("abc") {
		t.Error("a state is removed once")
	}
	stateSyncer.RemoveAllStates()
	if got := stateSyncer.Stats().States; got != 0 {
		t.Errorf("%d states are left", got)
	}
}

func TestSeedLifecycles(t *testing.T) {
	stateSyncer := newFixture(t, Options{})
	stateSyncer.create(StateOptions{Identifier: "clients", SelfDestruct: func(numberOfClientsLeft int, timeOfCreation time.Time) bool {
		return numberOfClientsLeft == 0
	}})
	stateSyncer.create(StateOptions{Identifier: "time", SelfDestruct: func(_ int, timeOfCreation time.Time) bool {
		return stateSyncer.clock.Now().Sub(timeOfCreation) > time.Hour
	}})
	stateSyncer.create(StateOptions{Identifier: "ttl", TTL: time.Hour})
	stateSyncer.joined("a", "clients").send(`["leave",1]`)
	if stateSyncer.exists("clients") || !stateSyncer.exists("time") || !stateSyncer.exists("ttl") {
		t.Error("not the state without clients has ended")
	}
	stateSyncer.clock.advance(time.Hour + 1)
	stateSyncer.askAll()
	if stateSyncer.exists("time") || stateSyncer.exists("ttl") {
		t.Error("a state outlived its time")
	}
}

func TestSeedAuthorization(t *testing.T) {
	stateSyncer := listen(t, Options{})
	stateSyncer.UseAuthorizationMiddleware(func(request *http.Request) (any, error) {
		token := AccessToken(request)
		if token != "valid" {
			return nil, errors.New("invalid token")
		}
		return permissions{"somePermission"}, nil
	})
	create := func(identifier, permission string) {
		if _, err := stateSyncer.CreateState(StateOptions{
			Identifier: identifier,
			AllowConnectingClient: func(_ context.Context, clientInformation any) bool {
				return clientInformation.(permissions).include(permission)
			},
			InterceptStateUpdate: func(_ context.Context, update *Update) error {
				if info, _ := update.ClientInformation().(permissions); !info.include(permission) {
					return Refuse("you may not")
				}
				return nil
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
	create("mine", "somePermission")
	create("others", "anotherPermission")
	c := dialRaw(t, stateSyncer, &websocket.DialOptions{
		Subprotocols: []string{Subprotocol}, HTTPHeader: http.Header{"Authorization": {"Bearer valid"}},
	})
	c.send(`["hello","0123456789abcdef","clientIdentifier",{}]`)
	c.recv()
	c.send(`["join",1,"others"]`)
	if got := c.recv(); !strings.HasPrefix(got, `["closed",1,4201,`) {
		t.Errorf("got %s", got)
	}
	c.send(`["join",2,"mine"]`)
	c.recv()
	c.send(`["merge",2,1,0,{"property":"new value"}]`)
	if got, want := c.recv(), `["accepted",2,1,1]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := stateSyncer.UpdateStateValue(t.Context(), "mine", map[string]any{"a": 1}); err == nil {
		t.Error("an update without clientInformation passed")
	}
	if _, err := stateSyncer.UpdateStateValue(t.Context(), "mine", map[string]any{"a": 1}, permissions{"somePermission"}); err != nil {
		t.Error(err)
	}
}

func TestSeedTLS(t *testing.T) {
	cert, key := selfSigned(t)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, text := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	for name, option := range map[string]*TLS{
		"text":  {Cert: cert, Key: key},
		"files": {CertFile: certFile, KeyFile: keyFile},
	} {
		stateSyncer := listen(t, Options{TLS: option})
		conn, _, err := websocket.Dial(t.Context(), "wss://"+stateSyncer.Addr().String(), &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{Subprotocol},
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(rawHello)); err != nil {
			t.Error(err)
		}
		if _, frame, err := conn.Read(t.Context()); err != nil || !strings.HasPrefix(string(frame), `["welcome",`) {
			t.Errorf("%s: got %s, %v", name, frame, err)
		}
		_ = conn.CloseNow()
	}
}

// selfSigned returns a certificate for 127.0.0.1 and its key as PEM text.
func selfSigned(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

func TestSeedListenAndServe(t *testing.T) {
	logged := make(lines, 1)
	stateSyncer, err := New(Options{Logger: slog.New(slog.NewTextHandler(logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- stateSyncer.ListenAndServe("127.0.0.1:0") }()
	if line := <-logged; !strings.Contains(line, "msg=listening address="+stateSyncer.Addr().String()) {
		t.Errorf("the log has %s", line)
	}
	if err := stateSyncer.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := stateSyncer.ListenAndServe("127.0.0.1:0"); err == nil {
		t.Error("it listens after its end")
	}
}

// lines is a writer whose lines can be waited for.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
