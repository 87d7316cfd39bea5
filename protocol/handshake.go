package protocol

import "strings"

// Subprotocol is the WebSocket subprotocol (RFC 6455 section 1.9) of this version of the protocol. Clients offer it and
// servers answer with it; a server that is not offered it ends with CodeProtocolUnsupported.
const Subprotocol = "server-state-sync.v1"

// tokenPrefix begins the second subprotocol that a browser offers, because it cannot set the Authorization header.
const tokenPrefix = "token."

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// TokenSubprotocol returns the subprotocol that carries an access token: "token." and its bytes in base64url without
// padding (RFC 4648 section 5). It is offered after Subprotocol and never answered.
func TokenSubprotocol(accessToken string) string {
	dst := append(make([]byte, 0, len(tokenPrefix)+(len(accessToken)*4+2)/3), tokenPrefix...)
	bits, n := uint(0), 0
	for i := range len(accessToken) {
		bits, n = bits<<8|uint(accessToken[i]), n+8
		for ; n >= 6; n -= 6 {
			dst = append(dst, base64url[bits>>(n-6)&63])
		}
	}
	if n > 0 {
		dst = append(dst, base64url[bits<<(6-n)&63])
	}
	return string(dst)
}

// TokenFromSubprotocol returns the access token that an offered subprotocol carries. It is not ok for one that carries
// none, and for text that TokenSubprotocol does not write.
func TokenFromSubprotocol(offered string) (accessToken string, ok bool) {
	text, ok := strings.CutPrefix(offered, tokenPrefix)
	if !ok {
		return "", false
	}
	token := make([]byte, 0, len(text)*3/4)
	bits, n := uint(0), 0
	for i := range len(text) {
		digit := strings.IndexByte(base64url, text[i])
		if digit < 0 {
			return "", false
		}
		if bits, n = bits<<6|uint(digit), n+6; n >= 8 {
			n -= 8
			token = append(token, byte(bits>>n))
		}
	}
	if n >= 6 || bits&(1<<n-1) != 0 {
		return "", false
	}
	return string(token), true
}
