//go:build !js

package jointtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// The README maps each line of version 1 to its Go form. Every form stands word for word in a test of this file, and
// TestEveryRowOfTheReadmeRuns holds that. (Line breaks and indentation may differ.)

var goCell = regexp.MustCompile("(?m)^\\| [^|]* \\| `([^`]+)` \\| [^|]* \\|$")

func TestEveryRowOfTheReadmeRuns(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_rows_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "| version 1 | Go | JavaScript |\n")
	if !found {
		t.Fatal("the README has no table of version 1")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Count(strings.TrimSpace(table), "\n")
	cells := goCell.FindAllStringSubmatch(table, -1)
	if len(cells) != rows || rows < 25 {
		t.Errorf("%d of the table's %d rows have a Go form", len(cells), rows)
	}
	text := strings.Join(strings.Fields(string(source)), " ")
	for _, cell := range cells {
		if !strings.Contains(text, strings.Join(strings.Fields(cell[1]), " ")) {
			t.Errorf("no test of this file has the README's row: %s", cell[1])
		}
	}
}

// quietly keeps the server's log out of the tests' output.
func quietly() server.Options {
	return server.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

// rowServer starts a server with the options and the state abc, and returns a client's URL of it.
func rowServer(t *testing.T, options server.Options, abc server.StateOptions) (syncer *server.StateSyncer, url string) {
	t.Helper()
	options.Logger = quietly().Logger
	syncer, err := server.New(options)
	if err != nil {
		t.Fatal(err)
	}
	abc.Identifier = "abc"
	if _, err := syncer.CreateState(abc); err != nil {
		t.Fatal(err)
	}
	if err := syncer.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syncer.Close() })
	return syncer, "ws://" + syncer.Addr().String()
}

// rowClient connects a client to the state abc.
func rowClient(t *testing.T, url string) *wasmclient.Client {
	t.Helper()
	client, err := wasmclient.New(url, "clientIdentifier", "accessToken")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.ConnectToState(within(t), "abc"); err != nil {
		t.Fatal(err)
	}
	return client
}

func property(text string) server.StateOptions {
	return server.StateOptions{InitialValue: map[string]any{"property": text}}
}

func wantValue(t *testing.T, got document.Value, want string) {
	t.Helper()
	if got.String() != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRowsStartAndCreate(t *testing.T) {
	standard := slog.Default()
	slog.SetDefault(quietly().Logger)
	defer slog.SetDefault(standard)
	const addr = "127.0.0.1:0"
	syncer, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syncer.Close() }()
	if err := syncer.Start(addr); err != nil {
		t.Fatal(err)
	}
	identifier, err := syncer.CreateState(server.StateOptions{})
	if err != nil || identifier == "" {
		t.Fatalf("got %q, %v", identifier, err)
	}
	for range 2 {
		_, err := syncer.CreateState(server.StateOptions{Identifier: "abc"})
		if syncer.Stats().States == 3 { // the second time
			t.Fatalf("made it twice: %v", err)
		}
		if err != nil && !errors.Is(err, server.ErrStateExists) {
			t.Fatal(err)
		}
	}
	if !syncer.RemoveState(identifier) {
		t.Error("the generated identifier names no state")
	}
}

func TestRowsValuesAndRemoval(t *testing.T) {
	syncer, url := rowServer(t, server.Options{}, server.StateOptions{InitialValue: map[string]any{"property": "value"}})
	client := rowClient(t, url)
	wantValue(t, client.GetState(), `{"property":"value"}`)
	value, ok := syncer.GetValueOfState("abc")
	if !ok {
		t.Error("there is no value")
	}
	wantValue(t, value, `{"property":"value"}`)
	removed := syncer.RemoveState("abc")
	if !removed || syncer.RemoveState("abc") {
		t.Errorf("removed %v, and it is there still", removed)
	}
	if _, err := syncer.CreateState(property("x")); err != nil {
		t.Fatal(err)
	}
	syncer.RemoveAllStates()
	if got := syncer.Stats().States; got != 0 {
		t.Errorf("%d states are left", got)
	}
	_, err := client.UpdateState(within(t), map[string]any{"property": "late"})
	if !errors.Is(err, wasmclient.ErrStateRemoved) {
		t.Errorf("an update of a removed state: got %v", err)
	}
}

func TestRowsLifecycles(t *testing.T) {
	for name, options := range map[string]server.StateOptions{
		"selfDestruct": {
			SelfDestruct: func(clientsLeft int, createdAt time.Time) bool { return clientsLeft == 0 },
		},
		"ttl, an hour": {
			TTL: time.Hour,
		},
		"ttl, short": {TTL: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			syncer, url := rowServer(t, server.Options{ReconnectGrace: time.Millisecond}, options)
			if name != "ttl, short" {
				client := rowClient(t, url)
				if err := client.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if name != "ttl, an hour" {
				await(t, "the end of the state", func() bool { return syncer.Stats().States == 0 })
			} else if _, ok := syncer.GetValueOfState("abc"); !ok {
				t.Error("the state ended at once")
			}
		})
	}
}

// informationOf is what a program knows of the bearer of a token.
func informationOf(token string) (any, error) {
	if token != "accessToken" {
		return nil, errors.New("who is that")
	}
	return "some permission", nil
}

func TestRowsAuthorization(t *testing.T) {
	syncer, url := rowServer(t, server.Options{}, server.StateOptions{
		AllowConnectingClient: func(_ context.Context, clientInformation any) bool { return clientInformation == "some permission" },
	})
	syncer.UseAuthorizationMiddleware(func(r *http.Request) (any, error) { return informationOf(server.AccessToken(r)) })
	rowClient(t, url)
	stranger, err := wasmclient.New(url, "clientIdentifier", "another token")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close() }()
	if err := stranger.OnConnection(within(t)); !errors.Is(err, wasmclient.ErrUnauthorized) {
		t.Errorf("a stranger: got %v", err)
	}

	syncer.UseAuthorizationMiddleware(func(*http.Request) (any, error) { return "no permission", nil })
	guest, err := wasmclient.New(url, "clientIdentifier", "accessToken")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = guest.Close() }()
	if _, err := guest.ConnectToState(within(t), "abc"); !errors.Is(err, wasmclient.ErrNotAllowed) {
		t.Errorf("a guest: got %v", err)
	}
}

func TestRowsInterceptors(t *testing.T) {
	for name, test := range map[string]struct {
		options server.StateOptions
		want    string
		refused string
	}{
		"accept": {
			options: server.StateOptions{
				InterceptStateUpdate: func(_ context.Context, update *server.Update) error { return nil },
			},
			want: `{"property":"value"}`,
		},
		"rewrite": {
			options: server.StateOptions{InterceptStateUpdate: func(_ context.Context, update *server.Update) error {
				return update.SetUpdates(map[string]any{"property": "rewritten"})
			}},
			want: `{"property":"rewritten"}`,
		},
		"refuse": {
			options: server.StateOptions{InterceptStateUpdate: func(_ context.Context, update *server.Update) error {
				if update.ClientInformation() == "some permission" {
					return nil
				}
				return server.Refuse("the reason, for the sender")
			}},
			want:    `{}`,
			refused: "the reason, for the sender",
		},
	} {
		t.Run(name, func(t *testing.T) {
			syncer, url := rowServer(t, server.Options{}, test.options)
			client := rowClient(t, url)
			_, err := client.UpdateState(within(t), map[string]any{"property": "value"})
			if refused := err != nil; refused != (test.refused != "") || refused && !strings.Contains(err.Error(), test.refused) {
				t.Errorf("got %v, want %q", err, test.refused)
			}
			wantValue(t, client.GetState(), test.want)
			ctx := within(t)
			version, err := syncer.UpdateStateValue(ctx, "abc", map[string]any{"property": "value"}, "some permission")
			if err != nil {
				t.Errorf("by the server: version %d, %v", version, err)
			}
		})
	}
}

func TestRowsTLS(t *testing.T) {
	cert, key := selfSigned(t)
	syncer, err := server.New(server.Options{TLS: &server.TLS{Cert: cert, Key: key}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syncer.Close() }()
	if err := syncer.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client, err := wasmclient.New("wss://"+syncer.Addr().String(), "clientIdentifier", "", wasmclient.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.OnConnection(within(t)); err != nil {
		t.Error(err)
	}
}

func selfSigned(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func TestRowsConnectAndUpdate(t *testing.T) {
	_, url := rowServer(t, server.Options{}, server.StateOptions{InitialValue: map[string]any{"messages": []any{}}})
	ctx := within(t)
	client, err := wasmclient.New(url, "clientIdentifier", "accessToken")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.OnConnection(ctx); err != nil {
		t.Fatal(err)
	}
	state, err := client.ConnectToState(ctx, "abc")
	if err != nil {
		t.Fatal(err)
	}
	setProperty(ctx, t, client)
	setNestedProperty(ctx, t, client)
	if got := state.Version(); got != 3 {
		t.Errorf("the version is %d, want 3", got)
	}
	message := document.MustOf("hello")
	for range 2 {
		version, err := client.PatchState(ctx, document.PatchOp{Kind: document.Add, Path: "/messages/-", Value: message})
		if err != nil {
			t.Errorf("got version %d, %v", version, err)
		}
	}
	wantValue(t, client.GetState(), `{"messages":["hello","hello"],"property":{"nestedProperty":"deep"}}`)
}

func setProperty(ctx context.Context, t *testing.T, client *wasmclient.Client) {
	t.Helper()
	version, err := client.UpdateState(ctx, map[string]any{"property": "new value"})
	if err != nil || version != 1 {
		t.Errorf("got version %d, %v", version, err)
	}
	wantValue(t, client.GetState().Get("property"), `"new value"`)
	if _, err := client.UpdateState(ctx, map[string]any{"property": document.EmptyObject}); err != nil {
		t.Error(err)
	}
}

func setNestedProperty(ctx context.Context, t *testing.T, client *wasmclient.Client) {
	t.Helper()
	value := document.MustOf("deep")
	version, err := client.UpdateState(ctx, map[string]any{"property": client.GetState().Get("property").With("nestedProperty", value)})
	if err != nil || version != 3 {
		t.Errorf("got version %d, %v", version, err)
	}
}

func TestRowsListen(t *testing.T) {
	syncer, url := rowServer(t, server.Options{}, property("old"))
	client := rowClient(t, url)
	calls := make(chan [2]document.Value, 10)
	heard := func(updates, previous document.Value) { calls <- [2]document.Value{updates, previous} }
	client.AddStateUpdateListener("listenerIdentifier", func(update wasmclient.Update) { heard(update.Updates, update.Previous) }, "property")
	if _, err := syncer.UpdateStateValue(within(t), "abc", map[string]any{"property": "new", "other": 1}); err != nil {
		t.Fatal(err)
	}
	call := <-calls
	wantValue(t, call[0], `{"property":"new"}`)
	wantValue(t, call[1], `{"property":"old"}`)
	removed := client.RemoveStateUpdateListener("listenerIdentifier")
	if !removed || client.RemoveStateUpdateListener("listenerIdentifier") {
		t.Errorf("removed %v, and it is there still", removed)
	}
}

func TestRowsStateAndErrors(t *testing.T) {
	syncer, url := rowServer(t, server.Options{}, property("x"))
	client := rowClient(t, url)
	value := client.GetState()
	wantValue(t, value, `{"property":"x"}`)
	failures := make(chan error, 10)
	failed := func(err error) { failures <- err }
	unsubscribe := client.OnError(func(err error) { failed(err) })
	defer unsubscribe()
	syncer.RemoveState("abc")
	if err := <-failures; !errors.Is(err, wasmclient.ErrStateRemoved) {
		t.Errorf("got %v", err)
	}
}
