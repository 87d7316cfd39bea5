package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// handshakeOf returns a handshake whose headers are changed: "Name: value" sets one, "Name" alone takes it away,
// "+Name: value" adds another.
func handshakeOf(changes ...string) string {
	lines := []string{
		"GET /path?query HTTP/1.1", "Host: a.example", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: " + Subprotocol,
	}
	for _, change := range changes {
		if added, found := strings.CutPrefix(change, "+"); found {
			lines = append(lines, added)
			continue
		}
		name, _, sets := strings.Cut(change, ":")
		for i := range lines {
			if !strings.HasPrefix(lines[i], name) {
				continue
			}
			lines[i] = change
			if !sets {
				lines = append(lines[:i], lines[i+1:]...)
			}
			break
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// TestHandshakesConformToRFC6455 has the cases of a server's handshake with the section that each is about, and the status
// and a header that must come.
//
// Two things differ from what the RFC recommends, and not from what it demands. A page's origin that is not welcome and a
// missing subprotocol are told in a frame rather than with 403 (sections 4.2.2 and 10.2), because a page cannot see a
// status. Requests that are no handshake get 426 rather than 400 (section 4.2.1 leaves the code open).
func TestHandshakesConformToRFC6455(t *testing.T) {
	s := listen(t, Options{})
	for _, test := range []struct {
		section, name string
		request       string
		status        int
		header, value string // "" as the value: the header must not be there
	}{
		{"4.2.2", "the key of section 1.3 is answered", handshakeOf(), 101, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		{"4.2.2", "what is upgraded to", handshakeOf(), 101, "Upgrade", "websocket"},
		{"4.2.2", "what the connection does", handshakeOf(), 101, "Connection", "Upgrade"},
		{"4.2.1", "any path", strings.Replace(handshakeOf(), "/path?query", "/a/b%20c", 1), 101, "Upgrade", "websocket"},
		{"4.2.1", "values in another case", handshakeOf("Upgrade: WebSocket", "Connection: UPGRADE"), 101, "Upgrade", "websocket"},
		{"4.2.1", "names in another case", strings.ReplaceAll(handshakeOf(), "Sec-WebSocket", "sec-websocket"), 101, "Upgrade", "websocket"},
		{"4.2.1", "a list of what the connection does", handshakeOf("Connection: keep-alive, Upgrade"), 101, "Upgrade", "websocket"},
		{"4.2.1", "headers that are not known", handshakeOf("+X-Other: 1", "+Cookie: a=b"), 101, "Upgrade", "websocket"},
		{"4.2.1", "another method", strings.Replace(handshakeOf(), "GET", "POST", 1), 426, "Upgrade", "websocket"},
		{"4.2.1", "HTTP/1.0", strings.Replace(handshakeOf(), "HTTP/1.1", "HTTP/1.0", 1), 426, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "no Host", handshakeOf("Host"), 400, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "no Upgrade", handshakeOf("Upgrade"), 426, "Upgrade", "websocket"},
		{"4.2.1", "an Upgrade to something else", handshakeOf("Upgrade: h2c"), 426, "Upgrade", "websocket"},
		{"4.2.1", "no Connection", handshakeOf("Connection"), 426, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "a Connection without Upgrade", handshakeOf("Connection: keep-alive"), 426, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "no key", handshakeOf("Sec-WebSocket-Key"), 400, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "an empty key", handshakeOf("Sec-WebSocket-Key: "), 400, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "a key of 15 bytes", handshakeOf("Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2Rl"), 400, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "a key of 17 bytes", handshakeOf("Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZmc="), 400, "Sec-WebSocket-Accept", ""},
		{"4.2.1", "a key that is not base64", handshakeOf("Sec-WebSocket-Key: ************************"), 400, "Sec-WebSocket-Accept", ""},
		{"11.3.1", "a key twice", handshakeOf("+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, "Sec-WebSocket-Accept", ""},
		{"4.4", "no version", handshakeOf("Sec-WebSocket-Version"), 400, "Sec-WebSocket-Version", "13"},
		{"4.4", "version 8", handshakeOf("Sec-WebSocket-Version: 8"), 400, "Sec-WebSocket-Version", "13"},
		{"4.4", "version 14", handshakeOf("Sec-WebSocket-Version: 14"), 400, "Sec-WebSocket-Version", "13"},
		{"4.2.2", "our subprotocol", handshakeOf(), 101, "Sec-WebSocket-Protocol", Subprotocol},
		{"4.2.2", "our subprotocol among others", handshakeOf("Sec-WebSocket-Protocol: chat, " + Subprotocol), 101, "Sec-WebSocket-Protocol", Subprotocol},
		{"4.2.2", "our subprotocol in a second header", handshakeOf("Sec-WebSocket-Protocol: chat", "+Sec-WebSocket-Protocol: "+Subprotocol), 101, "Sec-WebSocket-Protocol", Subprotocol},
		{"4.2.2", "a token is never selected", handshakeOf("Sec-WebSocket-Protocol: token.YWJj, " + Subprotocol), 101, "Sec-WebSocket-Protocol", Subprotocol},
		{"4.2.2", "a token alone", handshakeOf("Sec-WebSocket-Protocol: token.YWJj"), 101, "Sec-WebSocket-Protocol", ""},
		{"4.2.2", "no subprotocol", handshakeOf("Sec-WebSocket-Protocol"), 101, "Sec-WebSocket-Protocol", ""},
		{"9.1", "no extension is agreed on", handshakeOf("+Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x"), 101, "Sec-WebSocket-Extensions", ""},
		{"9.1", "an extension of a wrong form", handshakeOf("+Sec-WebSocket-Extensions: ;;=,"), 101, "Sec-WebSocket-Extensions", ""},
		{"10.2", "an origin that is not welcome is told in a frame", handshakeOf("+Origin: https://evil.example"), 101, "Upgrade", "websocket"},
	} {
		t.Run(test.section+" "+test.name, func(t *testing.T) {
			c := knock(t, s)
			c.put([]byte(test.request))
			response, err := http.ReadResponse(c.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			got, there := response.Header.Get(test.header), len(response.Header.Values(test.header)) > 0
			if response.StatusCode != test.status || got != test.value || there != (test.value != "") {
				t.Errorf("got %d and %s: %q, want %d and %q", response.StatusCode, test.header, got, test.status, test.value)
			}
		})
	}
}

// TestWhatIsToldInAFrame follows the handshakes that a page must hear of, over the socket.
func TestWhatIsToldInAFrame(t *testing.T) {
	s := listen(t, Options{})
	for code, request := range map[protocol.Code]string{
		protocol.CodeOriginRefused:       handshakeOf("+Origin: https://evil.example"),
		protocol.CodeProtocolUnsupported: handshakeOf("Sec-WebSocket-Protocol: chat"),
	} {
		c := knock(t, s)
		c.put([]byte(request))
		if _, err := http.ReadResponse(c.in, nil); err != nil {
			t.Fatal(err)
		}
		c.expectEnd(code)
	}
}

// TestViolationsEndWithCodesOfOurOwn has rules about frames and the codes with which the server ends, also where a frame comes
// together with the handshake.
func TestViolationsEndWithCodesOfOurOwn(t *testing.T) {
	s := listen(t, Options{Limits: Limits{Message: 1000}})
	for _, test := range []struct {
		section string
		sent    []byte
		code    protocol.Code
	}{
		{"5.1", []byte("\x81\x02hi"), protocol.CodeBadMessage},
		{"5.2", fragment(0xC1, "x"), protocol.CodeBadMessage},
		{"5.2", fragment(0x83, ""), protocol.CodeBadMessage},
		{"5.2", append(frameHeader(0x81, 1<<63), "keys"...), protocol.CodeBadMessage},
		{"5.4", fragment(0x80, "x"), protocol.CodeBadMessage},
		{"5.5", fragment(0x09, ""), protocol.CodeBadMessage},
		{"5.5", fragment(0x89, strings.Repeat("x", 126)), protocol.CodeBadMessage},
		{"5.5.1", fragment(0x88, "\x03\xe8\xff"), protocol.CodeInvalidUTF8},
		{"5.6", fragment(0x82, rawHello), protocol.CodeBadMessage},
		{"7.4.1", fragment(0x81, strings.Repeat(" ", 1001)), protocol.CodeMessageTooLarge},
		{"8.1", fragment(0x81, "\xed\xa0\x80"), protocol.CodeInvalidUTF8},
	} {
		enter(t, s, test.sent).expectEnd(test.code)
		c := enter(t, s, text(rawHello))
		c.hear(`["welcome",…`)
		c.put(test.sent)
		c.expectEnd(test.code)
	}
}
