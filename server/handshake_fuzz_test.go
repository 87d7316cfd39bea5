package server

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzHandshake lets a client send any headers: nothing panics, a token is a part of what came, and a page may
// connect only from where an independent reading of the rule says.
func FuzzHandshake(f *testing.F) {
	f.Add("http://localhost:3000", "localhost:5000", Subprotocol+", token.YWJj", "Bearer abc", "token=q", true)
	f.Add("https://app.example", "app.example", Subprotocol, "", "access_token=q&token=", false)
	f.Add("https://APP.example:443", "app.example", " , ,"+Subprotocol, "bearer  x y", "%zz", false)
	f.Add("http://[::1]", "[::1]:80", "token.***,token.YWJj", "Basic abc", "token=%00", true)
	f.Add("null", "", "", "Bearer", "", false)
	f.Add("https://a.example@evil.example", "a.example", "", "", "", false)
	s, err := New(Options{Logger: discard, AllowedOrigins: []string{"https://listed.example"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, origin, host, offered, authorization, query string, loopback bool) {
		r := &http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{}}
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-WebSocket-Protocol", offered)
		r.Header.Set("Authorization", authorization)
		local := net.Addr(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80})
		if loopback {
			local = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
		}
		r = r.WithContext(contextWith(r, local))
		if _, bearer, found := strings.Cut(authorization, " "); found && len(AccessToken(r)) > len(bearer)+len(offered)+len(query) {
			t.Fatalf("got the token %q", AccessToken(r))
		}
		for _, name := range subprotocols(r) {
			if name == "" || strings.Contains(name, ",") || !strings.Contains(offered, name) {
				t.Fatalf("%q: got the subprotocol %q", offered, name)
			}
		}
		refusal := s.checkOriginOf(r)
		if refusal == nil && !mayConnect(origin, host, loopback) {
			t.Fatalf("a page of %q may connect to %q, loopback %t", origin, host, loopback)
		}
		if refusal != nil && (!utf8.ValidString(refusal.Reason) || !strings.Contains(refusal.Reason, "AllowedOrigins")) {
			t.Fatalf("the reason is %q", refusal.Reason)
		}
		if checkOrigin(origin) == nil && origin != anyOrigin && !strings.Contains(origin, "://") {
			t.Fatalf("%q passes for an origin", origin)
		}
	})
}

// mayConnect is the rule about origins, by the text of the origin alone.
func mayConnect(origin, host string, loopback bool) bool {
	if origin == "" || strings.EqualFold(origin, "https://listed.example") {
		return true
	}
	scheme, of, found := strings.Cut(origin, "://")
	if !found {
		return false
	}
	if end := strings.IndexAny(of, "/?#"); end >= 0 {
		of = of[:end]
	}
	of = of[strings.LastIndexByte(of, '@')+1:]
	if loopback {
		name := of
		if at := strings.LastIndexByte(of, ':'); at > strings.LastIndexByte(of, ']') {
			name = of[:at]
		}
		name = strings.Trim(name, "[]")
		ip := net.ParseIP(name)
		return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
	}
	port := map[bool]string{true: ":443", false: ":80"}[strings.EqualFold(scheme, "https")]
	bare := func(host string) string { return strings.Trim(strings.ToLower(host), "[]") }
	forms := func(host string) []string {
		return []string{bare(host), bare(strings.TrimSuffix(host, port)), bare(strings.TrimSuffix(host, ":"))}
	}
	unescaped, err := url.PathUnescape(of)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(forms(unescaped), func(form string) bool { return slices.Contains(forms(host), form) })
}
