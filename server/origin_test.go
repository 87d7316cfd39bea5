package server

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Origins at the edges of the rule, and such as no browser sends: whoever sends them is no page that may connect.
func TestOriginsAtTheEdgesOfTheRule(t *testing.T) {
	const remote, loopback = "10.0.0.1:80", "127.0.0.1:80"
	list := []string{"https://server.example", "https://xn--bcher-kva.example", "capacitor://localhost"}
	for _, test := range []struct {
		origin, host, local string
		list                []string
		allowed             bool
	}{
		{"http://[2001:db8::1]:8080", "[2001:db8::1]:8080", remote, nil, true},
		{"http://[2001:db8::1]", "[2001:db8::1]:80", remote, nil, true},
		{"http://[2001:db8::2]:8080", "[2001:db8::1]:8080", remote, nil, false},
		{"http://[2001:db8::1]:8081", "[2001:db8::1]:8080", remote, nil, false},
		{"https://server.example.", "server.example", remote, nil, false},
		{"https://server.example:443", "server.example", remote, nil, true},
		{"https://server.example:", "server.example", remote, nil, false},
		{"https://server.example:80", "server.example", remote, nil, false},
		{"https://user@server.example", "server.example", remote, nil, false},
		{"https://user:secret@server.example", "server.example", remote, nil, false},
		{"https://server.example@evil.example", "server.example", remote, nil, false},
		{"https://server.example/", "server.example", remote, nil, false},
		{"https://server.example/page", "server.example", remote, nil, false},
		{"https://server.example?a", "server.example", remote, nil, false},
		{"https://server.example#a", "server.example", remote, nil, false},
		{`https://server.example\.evil.example`, "server.example", remote, nil, false},
		{"https://evil.example, https://server.example", "server.example", remote, nil, false},
		{"https://evil.example https://server.example", "server.example", remote, nil, false},
		{" https://server.example", "server.example", remote, nil, false},
		{"ftp://server.example", "server.example", remote, nil, false},
		{"chrome-extension://server.example", "server.example", remote, nil, false},
		{"//server.example", "server.example", remote, nil, false},
		{"server.example", "server.example", remote, nil, false},
		{"https://", "", remote, nil, false},
		{"https://xn--bcher-kva.example", "xn--bcher-kva.example", remote, nil, true},
		{"https://bücher.example", "bücher.example", remote, nil, false}, // browsers send the other form
		{"https://ſerver.example", "server.example", remote, nil, false}, // folds to s in Unicode, and is another host
		{"https://sеrver.example", "server.example", remote, nil, false}, // a Cyrillic е
		{"https://server.example", "elsewhere.example", remote, list, true},
		{"https://ſerver.example", "elsewhere.example", remote, list, false},
		{"https://XN--Bcher-kva.example", "elsewhere.example", remote, list, true},
		{"https://bücher.example", "elsewhere.example", remote, list, false},
		{"https://server.example.", "elsewhere.example", remote, list, false},
		{"https://user@server.example", "elsewhere.example", remote, list, false},
		{"capacitor://localhost", "elsewhere.example", remote, list, true},
		{"null", "localhost", loopback, nil, false},
		{"http://127.0.0.1.evil.example", "localhost", loopback, nil, false},
		{"http://localhost@evil.example", "localhost", loopback, nil, false},
		{"http://evil.example#@localhost", "localhost", loopback, nil, false},
		{"http://user@localhost", "localhost", loopback, nil, false},
		{"http://localhoſt", "localhost", loopback, nil, false},
		{"http://localhost.", "localhost", loopback, nil, false},
		{"http://0.0.0.0", "localhost", loopback, nil, false},
		{"http://[::]", "localhost", loopback, nil, false},
		{"http://[::1%25lo]", "localhost", loopback, nil, false},
		{"http://2130706433", "localhost", loopback, nil, false}, // 127.0.0.1 as browsers never send it
		{"https://LOCALHOST:8443", "localhost", loopback, nil, true},
		{"file://localhost", "localhost", loopback, nil, false},
	} {
		s, err := New(Options{AllowedOrigins: test.list, Logger: discard})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = test.host
		r.Header.Set("Origin", test.origin)
		local, err := net.ResolveTCPAddr("tcp", test.local)
		if err != nil {
			t.Fatal(err)
		}
		r = r.WithContext(contextWith(r, local))
		if refusal := s.checkOriginOf(r); (refusal == nil) != test.allowed {
			t.Errorf("origin %q at host %s on %s: got %v, want allowed %v", test.origin, test.host, test.local, refusal, test.allowed)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A page has one origin; a request with two is none that a browser made.
func TestTwoOriginsAreNone(t *testing.T) {
	s := listen(t, Options{AllowedOrigins: []string{"https://app.example"}})
	for _, origins := range [][]string{{"https://app.example", "https://evil.example"}, {"https://app.example", "https://app.example"}, {"", "https://evil.example"}} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Origin"] = origins
		if refusal := s.checkOriginOf(r); refusal == nil {
			t.Errorf("%q may connect", origins)
		}
	}
}
