package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// tokenPlaces are where a client can put an access token.
var tokenPlaces = []struct {
	name string
	put  func(token string) (path string, header http.Header, subprotocols []string)
}{
	{"header", func(token string) (string, http.Header, []string) {
		return "", http.Header{"Authorization": {"Bearer " + token}}, []string{Subprotocol}
	}},
	{"subprotocol", func(token string) (string, http.Header, []string) {
		return "", nil, []string{Subprotocol, tokenProtocol + base64.RawURLEncoding.EncodeToString([]byte(token))}
	}},
	{"query", func(token string) (string, http.Header, []string) {
		return "/?token=" + url.QueryEscape(token), nil, []string{Subprotocol}
	}},
	{"other query", func(token string) (string, http.Header, []string) {
		return "/?access_token=" + url.QueryEscape(token), nil, []string{Subprotocol}
	}},
}

// tokenHouse is a server that knows two users by their tokens; one of alice's expires.
type tokenHouse struct {
	*StateSyncer
	expired atomic.Bool
}

func newTokenHouse(t *testing.T) *tokenHouse {
	h := &tokenHouse{}
	h.StateSyncer = listen(t, Options{Authorize: func(r *http.Request) (any, error) {
		switch token := AccessToken(r); {
		case token == "":
			return nil, Refuse("there is no token")
		case token == "alice's first" && h.expired.Load():
			return nil, Refuse("the token has expired")
		case strings.HasPrefix(token, "alice's "):
			return user("alice"), nil
		case token == "bob's":
			return user("bob"), nil
		}
		return nil, errors.New("nobody has this token")
	}})
	onlyAlice := func(_ context.Context, client any) bool { return client == user("alice") }
	if _, err := h.CreateState(StateOptions{Identifier: "alice's", InitialValue: map[string]any{"secret": 1}, AllowConnectingClient: onlyAlice}); err != nil {
		t.Fatal(err)
	}
	return h
}

const aliceHello = `["hello","the-session-of-alice","a",{}]`

func TestTokensInEveryPlace(t *testing.T) {
	const unauthorized = `["bye",4100,`
	for _, place := range tokenPlaces {
		t.Run(place.name, func(t *testing.T) {
			h := newTokenHouse(t)
			try := func(token string) *rawClient {
				path, header, subprotocols := place.put(token)
				return dialRawAt(t, h.StateSyncer, path, &websocket.DialOptions{HTTPHeader: header, Subprotocols: subprotocols})
			}
			var got string // what came last
			expect := func(what, token, want string) *rawClient {
				t.Helper()
				c := try(token)
				if want != "" && strings.HasPrefix(want, unauthorized) {
					if got = c.recv(); got != want {
						t.Errorf("%s: got %s, want %s", what, got, want)
					}
					c.closed(4100)
					return c
				}
				c.send(aliceHello, `["join",1,"alice's"]`)
				if got = c.recv(); !strings.HasPrefix(got, want) {
					t.Errorf("%s: got %s, want %s", what, got, want)
				}
				return c
			}
			expect("missing", "", unauthorized+`"there is no token",0]`)
			expect("bad", "alice's", unauthorized+`"The access token was not accepted; get a new one before connecting again.",0]`)
			expect("bad", strings.Repeat("x", 8000), unauthorized+`"The access token was not accepted; get a new one before connecting again.",0]`)
			first := expect("good", "alice's first", `["welcome",`)
			for !strings.Contains(got, `["joined",1,`) {
				got = first.recv()
			}
			expect("swapped", "bob's", `["bye",4107,"the session belongs to another client",0]`)
			h.expired.Store(true)
			first.send(`["merge",1,1,0,{"secret":2}]`) // who is connected stays connected, and nobody fenced her
			if got = first.recv(); got != `["accepted",1,1,1]` {
				t.Errorf("got %s", got)
			}
			if err := first.conn.CloseNow(); err != nil {
				t.Error(err)
			}
			expect("expired, for a resume", "alice's first", unauthorized+`"the token has expired",0]`)
			expect("swapped, for a resume", "bob's", `["bye",4107,`)
			expect("renewed, for a resume", "alice's second", `["welcome",`)
		})
	}
}

// leaks are the forms of a secret in which it must not be anywhere.
func leaks(secret string) []string {
	return []string{secret, base64.RawURLEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)}
}

// Whatever becomes of a handshake, its token is in no log at any level, in no answer and in no number.
func TestNoTokenIsLoggedOrTold(t *testing.T) {
	const secret = "s3cr3t/of+alice"
	outcomes := map[string]func(token string) (any, error){
		"accepted":  func(string) (any, error) { return nil, nil },
		"an error":  func(token string) (any, error) { return nil, fmt.Errorf("no such token: %s", token) },
		"a refusal": func(token string) (any, error) { return nil, Refuse("the token " + token + " is too old") },
		"a panic":   func(token string) (any, error) { panic("cannot parse " + token) },
		"another":   func(token string) (any, error) { panic(errors.New(token)) },
	}
	for name, outcome := range outcomes {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			s := listen(t, Options{
				Logger:    slog.New(slog.NewTextHandler(&locked{w: &logged}, &slog.HandlerOptions{Level: slog.LevelDebug - 4})),
				Authorize: func(r *http.Request) (any, error) { return outcome(AccessToken(r)) },
			})
			told := ""
			for _, place := range tokenPlaces {
				path, header, subprotocols := place.put(secret)
				c := dialRawAt(t, s, path, &websocket.DialOptions{HTTPHeader: header, Subprotocols: subprotocols})
				if name == "accepted" {
					c.send(rawHello, `["join",1,"no such state"]`)
				}
				told += c.recv()
				if c.conn.Subprotocol() != Subprotocol {
					t.Errorf("%s: subprotocol %q", place.name, c.conn.Subprotocol())
				}
				c.send(`["nonsense"]`)
				_, _, err := c.conn.Read(c.ctx)
				told += fmt.Sprint(err)
				told += brokenHandshakes(t, s, path, header, subprotocols)
				evil := http.Header{"Origin": {"https://evil.example"}, "Authorization": header["Authorization"]}
				c = dialRawAt(t, s, path, &websocket.DialOptions{HTTPHeader: evil, Subprotocols: subprotocols})
				told += c.recv()
				c.closed(4101)
			}
			told += fmt.Sprintf("%+v", s.Stats())
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for _, form := range leaks(secret) {
				if strings.Contains(logged.String(), form) {
					t.Errorf("the log has %s: %s", form, logged.String())
				}
				if strings.Contains(told, form) {
					t.Errorf("the client was told %s: %s", form, told)
				}
			}
			if logged.Len() == 0 || told == "" {
				t.Error("nothing was logged, or told")
			}
		})
	}
}

// brokenHandshakes sends requests with the token that are no good handshakes, and returns all answers.
func brokenHandshakes(t *testing.T, s *StateSyncer, path string, header http.Header, subprotocols []string) (told string) {
	t.Helper()
	headers := fmt.Sprintf("Host: a\r\nAuthorization: %s\r\nSec-WebSocket-Protocol: %s\r\n", header.Get("Authorization"), strings.Join(subprotocols, ", "))
	const upgrade, key = "Upgrade: websocket\r\nConnection: Upgrade\r\n", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
	for _, rest := range []string{
		"",                             // no handshake
		upgrade,                        // no version, no key
		"Upgrade: websocket\r\n" + key, // no connection header
		upgrade + "Sec-WebSocket-Version: 12\r\n" + key,
		upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
		"Upgrade: websocket\r\nno header\r\n",
	} {
		told += request(t, s, "GET /"+strings.TrimPrefix(path, "/")+" HTTP/1.1\r\n"+headers+rest+"Connection: close\r\n\r\n")
	}
	return told
}
