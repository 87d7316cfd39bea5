package server

import (
	"bytes"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/server-state-sync/server-state-sync/protocol"
)

func TestAccessToken(t *testing.T) {
	sub := tokenProtocol + base64.RawURLEncoding.EncodeToString([]byte("from the subprotocol"))
	for _, test := range []struct {
		name      string
		header    string
		protocols string
		query     string
		want      string
	}{
		{"nothing", "", "", "", ""},
		{"header", "Bearer abc", "", "", "abc"},
		{"header in another case", "bearer abc", "", "", "abc"},
		{"another scheme", "Basic abc", "", "", ""},
		{"subprotocol", "", Subprotocol + ", " + sub, "", "from the subprotocol"},
		{"broken subprotocol", "", "token.***", "", ""},
		{"query", "", "", "?token=q", "q"},
		{"other query", "", "", "?access_token=q", "q"},
		{"header before all", "Bearer h", sub, "?token=q", "h"},
		{"subprotocol before query", "", sub, "?token=q", "from the subprotocol"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/"+test.query, nil)
		if test.header != "" {
			r.Header.Set("Authorization", test.header)
		}
		if test.protocols != "" {
			r.Header.Set("Sec-WebSocket-Protocol", test.protocols)
		}
		if got := AccessToken(r); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestOriginRule(t *testing.T) {
	list := []string{"https://app.example", "http://localhost:3000"}
	for _, test := range []struct {
		origin, host, local string
		tls                 bool
		list                []string
		allowed             bool
	}{
		{"", "server.example", "10.0.0.1:80", false, nil, true}, // no page
		{"https://server.example", "server.example", "10.0.0.1:80", false, nil, true},
		{"https://SERVER.example", "server.example", "10.0.0.1:80", false, nil, true},
		{"https://server.example", "server.example:443", "10.0.0.1:80", false, nil, true},
		{"http://server.example:8080", "server.example:8080", "10.0.0.1:80", false, nil, true},
		{"http://server.example:8081", "server.example:8080", "10.0.0.1:80", false, nil, false},
		{"http://server.example", "server.example", "10.0.0.1:443", true, nil, false}, // whoever controls the network made it
		{"https://server.example", "server.example", "10.0.0.1:443", true, nil, true},
		{"https://evil.example", "server.example", "10.0.0.1:80", false, nil, false},
		{"https://server.example.evil.example", "server.example", "10.0.0.1:80", false, nil, false},
		{"https://evilserver.example", "server.example", "10.0.0.1:80", false, nil, false},
		{"null", "server.example", "10.0.0.1:80", false, nil, false},
		{"//server.example", "server.example", "10.0.0.1:80", false, nil, false},
		{"https://somebody@server.example", "server.example", "10.0.0.1:80", false, nil, false},
		{"https://server.example/", "server.example", "10.0.0.1:80", false, nil, false},
		{"//localhost:3000", "127.0.0.1:5000", "127.0.0.1:5000", false, nil, false},
		{"file://", "server.example", "10.0.0.1:80", false, nil, false},
		{"%", "server.example", "10.0.0.1:80", false, nil, false},
		{"http://localhost:3000", "127.0.0.1:5000", "127.0.0.1:5000", false, nil, true},
		{"http://127.0.0.1:3000", "localhost:5000", "127.0.0.1:5000", false, nil, true},
		{"http://[::1]:3000", "localhost:5000", "[::1]:5000", false, nil, true},
		{"http://localhost:3000", "server.example", "10.0.0.1:80", false, nil, false}, // not a loopback listener
		{"http://localhost.evil.example", "localhost:5000", "127.0.0.1:5000", false, nil, false},
		{"http://evil.example:5000", "evil.example:5000", "127.0.0.1:5000", false, nil, false}, // DNS rebinding
		{"http://evil.example", "evil.example", "[::1]:80", false, nil, false},
		{"http://localhost.evil.example:5000", "localhost.evil.example:5000", "127.0.0.1:5000", false, nil, false},
		{"http://127.0.0.2:5000", "127.0.0.2:5000", "127.0.0.1:5000", false, nil, true},
		{"https://app.example", "app.example", "127.0.0.1:5000", false, list, true}, // behind a proxy
		{"https://app.example", "app.example", "127.0.0.1:5000", false, nil, false},
		{"", "evil.example", "127.0.0.1:5000", false, nil, true},
		{"https://app.example", "server.example", "10.0.0.1:80", false, list, true},
		{"https://APP.example", "server.example", "10.0.0.1:80", false, list, true},
		{"http://app.example", "server.example", "10.0.0.1:80", false, list, false},
		{"https://app.example:444", "server.example", "10.0.0.1:80", false, list, false},
		{"https://anything.example", "server.example", "10.0.0.1:80", false, []string{"*"}, true},
	} {
		s, err := New(Options{AllowedOrigins: test.list, Logger: discard})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = test.host
		if test.tls {
			r = httptest.NewRequest(http.MethodGet, "https://"+test.host+"/", nil)
		}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		local, err := net.ResolveTCPAddr("tcp", test.local)
		if err != nil {
			t.Fatal(err)
		}
		r = r.WithContext(contextWith(r, local))
		refusal := s.checkOriginOf(r)
		if (refusal == nil) != test.allowed {
			t.Errorf("origin %s at host %s on %s: got %v, want allowed %v", test.origin, test.host, test.local, refusal, test.allowed)
		}
		if refusal != nil && (refusal.Code != protocol.CodeOriginRefused || !strings.Contains(refusal.Reason, "AllowedOrigins")) {
			t.Errorf("origin %s: got %v", test.origin, refusal)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestHandshakesThatAreTurnedAway(t *testing.T) {
	deny := func(*http.Request) (any, error) { return nil, errors.New("the database password is 1234") }
	for _, test := range []struct {
		name    string
		options Options
		dial    websocket.DialOptions
		want    string
		code    int
	}{
		{"unauthorized", Options{Authorize: deny}, websocket.DialOptions{Subprotocols: []string{Subprotocol}},
			`["bye",4100,"The access token was not accepted; get a new one before connecting again.",0]`, 4100},
		{"unauthorized with a reason", Options{Authorize: func(*http.Request) (any, error) { return nil, Refuse("the token is too old") }},
			websocket.DialOptions{Subprotocols: []string{Subprotocol}}, `["bye",4100,"the token is too old",0]`, 4100},
		{"authorization that panics", Options{Authorize: func(*http.Request) (any, error) { panic("oh") }},
			websocket.DialOptions{Subprotocols: []string{Subprotocol}}, `["bye",4100,"the server could not check the access token",0]`, 4100},
		{"no subprotocol", Options{}, websocket.DialOptions{},
			`["bye",4102,"this server speaks the subprotocol server-state-sync.v1",0]`, 4102},
		{"another subprotocol", Options{}, websocket.DialOptions{Subprotocols: []string{"token.YWJj", "server-state-sync.v9"}},
			`["bye",4102,"this server speaks the subprotocol server-state-sync.v1",0]`, 4102},
		{"another origin", Options{}, websocket.DialOptions{Subprotocols: []string{Subprotocol}, HTTPHeader: http.Header{"Origin": {"https://evil.example"}}},
			`["bye",4101,"pages of origin \"https://evil.example\" may not connect; the server's option AllowedOrigins lists those that may",0]`, 4101},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := listen(t, test.options)
			c := dialRaw(t, s, &test.dial)
			if got := c.recv(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			c.closed(test.code)
			offered := test.dial.Subprotocols
			if len(offered) > 0 && c.conn.Subprotocol() != offered[len(offered)-1] {
				t.Errorf("a page would not open the connection: subprotocol %q of %q", c.conn.Subprotocol(), offered)
			}
		})
	}
}

func withToken(token string) *websocket.DialOptions {
	return &websocket.DialOptions{
		Subprotocols: []string{Subprotocol},
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + token}},
	}
}

func TestAuthorizationIsAskedAgainWhenAClientComesBack(t *testing.T) {
	token := "first"
	s := listen(t, Options{})
	s.UseAuthorizationMiddleware(func(r *http.Request) (any, error) {
		if AccessToken(r) != token {
			return nil, errors.New("wrong token")
		}
		return user("alice of " + token), nil
	})
	c := dialRaw(t, s, withToken("first"))
	c.send(`["hello","0123456789abcdef","a",{}]`)
	c.recv()
	token = "second"
	if got := dialRaw(t, s, withToken("first")).recv(); !strings.HasPrefix(got, `["bye",4100,`) {
		t.Errorf("got %s", got)
	}
	c = dialRaw(t, s, withToken("second"))
	defer func() {
		s.UseAuthorizationMiddleware(nil)
		c := dialRaw(t, s, nil)
		c.send(`["hello","another-session-","a",{}]`)
		if got := c.recv(); !strings.HasPrefix(got, `["welcome",`) {
			t.Errorf("without a middleware: got %s", got)
		}
	}()
	c.send(`["hello","0123456789abcdef","a",{}]`)
	if got := c.recv(); !strings.HasPrefix(got, `["bye",4107,`) { // another subject
		t.Errorf("got %s", got)
	}
}

func TestNewClientInformationGovernsWhatIsJudgedAfterIt(t *testing.T) {
	f := newFixture(t, Options{})
	var seen []any
	f.create(StateOptions{Identifier: "s", InterceptStateUpdate: interceptWith(&seen)})
	hello := `["hello","0123456789abcdef","a",{}]`
	for _, rights := range []string{"may write", "may read"} {
		w := f.dial(holder{rights})
		w.send(hello, `["join",1,"s"]`)
		w.recv()
		if rights == "may write" {
			w.send(`["merge",1,1,0,{"a":1}]`)
		} else {
			w.send(`["leave",1]`, `["join",1,"s"]`)
			w.recv()
			w.send(`["merge",1,1,0,{"a":2}]`)
		}
		w.recv()
	}
	if len(seen) != 2 || seen[0] != (holder{"may write"}) || seen[1] != (holder{"may read"}) {
		t.Errorf("got %v", seen)
	}
}

func TestOtherRequestsGetHelp(t *testing.T) {
	s, err := New(Options{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, "/any/path", nil))
		if w.Code != http.StatusUpgradeRequired || w.Header().Get("Upgrade") != "websocket" || !strings.Contains(w.Body.String(), Subprotocol) {
			t.Errorf("%s: got %d, %v, %s", method, w.Code, w.Header(), w.Body)
		}
	}
	s.draining.Store(true)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Upgrade", "websocket")
	if s.ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable {
		t.Errorf("draining: got %d", w.Code)
	}
}

func TestNoTokenIsLogged(t *testing.T) {
	const secret = "s3cr3t"
	var logged bytes.Buffer
	s := listen(t, Options{
		Logger:    slog.New(slog.NewTextHandler(&locked{w: &logged}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Authorize: func(r *http.Request) (any, error) { return nil, errors.New("wrong: " + AccessToken(r)) },
	})
	for _, options := range []*websocket.DialOptions{
		{Subprotocols: []string{Subprotocol}, HTTPHeader: http.Header{"Authorization": {"Bearer " + secret}}},
		{Subprotocols: []string{Subprotocol, tokenProtocol + base64.RawURLEncoding.EncodeToString([]byte(secret))}},
		{Subprotocols: []string{tokenProtocol + base64.RawURLEncoding.EncodeToString([]byte(secret))}},
	} {
		c := dialRaw(t, s, options)
		if got := c.recv(); strings.Contains(got, secret) {
			t.Errorf("the client was told %s", got)
		}
		_, _, _ = c.conn.Read(c.ctx) // the close
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	text := logged.String()
	if strings.Contains(text, secret) || strings.Contains(text, base64.RawURLEncoding.EncodeToString([]byte(secret))) || !strings.Contains(text, "unauthorized") {
		t.Errorf("the log has %s", text)
	}
}
