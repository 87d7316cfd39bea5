package driver

import (
	"errors"
	"strings"
)

// The subprotocol of the wire, and the prefix of the offered subprotocol that carries a browser's token.
const (
	subprotocol      = "server-state-sync.v1"
	tokenSubprotocol = "token."
)

// parseEndpoint checks the URL of a server and returns it with the scheme of a WebSocket.
func parseEndpoint(endpoint string) (string, error) {
	colon := strings.IndexByte(endpoint, ':')
	if colon < 0 || !strings.HasPrefix(endpoint[colon:], "://") {
		return "", errors.New("the endpoint " + quote(endpoint) + " is not a URL such as wss://example.com")
	}
	scheme, rest := endpoint[:colon], endpoint[colon+3:]
	switch lower(scheme) {
	case "ws", "http":
		scheme = "ws"
	case "wss", "https":
		scheme = "wss"
	default:
		return "", errors.New("the endpoint's scheme is " + quote(scheme) + ", not ws, wss, http or https")
	}
	if rest == "" || strings.IndexByte("/?#", rest[0]) >= 0 {
		return "", errors.New("the endpoint " + quote(endpoint) + " names no host")
	}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c == '#' || c == 0x7f {
			return "", errors.New("the endpoint holds the character " + quote(rest[i:i+1]) + ", which cannot stand in it")
		}
	}
	return scheme + "://" + rest, nil
}

// lower writes the letters of ASCII small. That of package strings knows all letters, which weighs.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// withToken adds the query parameter token to the endpoint.
func withToken(endpoint, token string) string {
	separator := "?"
	if strings.IndexByte(endpoint, '?') >= 0 {
		separator = "&"
	}
	return endpoint + separator + "token=" + escapeQuery(token)
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// escapeQuery writes the text with percent-encoding (RFC 3986 section 2.1).
func escapeQuery(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

const base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// encodeToken writes the text in base64url without padding (RFC 4648 section 5), which is a valid subprotocol name.
// The standard library's package would bring reflect into the browser's build.
func encodeToken(text string) string {
	var b strings.Builder
	for ; len(text) >= 3; text = text[3:] {
		n := uint(text[0])<<16 | uint(text[1])<<8 | uint(text[2])
		b.Write([]byte{base64URL[n>>18], base64URL[n>>12&63], base64URL[n>>6&63], base64URL[n&63]})
	}
	switch len(text) {
	case 1:
		n := uint(text[0]) << 4
		b.Write([]byte{base64URL[n>>6], base64URL[n&63]})
	case 2:
		n := uint(text[0])<<10 | uint(text[1])<<2
		b.Write([]byte{base64URL[n>>12], base64URL[n>>6&63], base64URL[n&63]})
	}
	return b.String()
}
