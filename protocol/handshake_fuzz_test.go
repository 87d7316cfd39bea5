package protocol

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzTokenSubprotocol holds that what is read as a token is what encoding/base64 reads, and is written the same again.
func FuzzTokenSubprotocol(f *testing.F) {
	for _, offered := range []string{"", "token.", "token.YWJj", "token.YWI", "token.YWJ", "token.Y", "token.YWJj=", "Token.YWJj", "token.--__", Subprotocol} {
		f.Add(offered)
	}
	f.Fuzz(func(t *testing.T, offered string) {
		token, ok := TokenFromSubprotocol(offered)
		text, prefixed := strings.CutPrefix(offered, "token.")
		want, err := base64.RawURLEncoding.Strict().DecodeString(text)
		valid := prefixed && err == nil && !strings.ContainsAny(text, "\r\n") // which encoding/base64 passes over
		if ok != valid || ok && token != string(want) {
			t.Fatalf("%q: got %q, %t, want %q, %t", offered, token, ok, want, valid)
		}
		if ok && TokenSubprotocol(token) != offered {
			t.Fatalf("%q is written as %q", offered, TokenSubprotocol(token))
		}
	})
}

// FuzzIdentifiers holds what identifiers, sessions and epochs are, and that a refusal is short and shows no session.
func FuzzIdentifiers(f *testing.F) {
	for _, text := range []string{"", "chat", "状态", "a\nb", "a\x7fb", "a\u0085b", "\xff", "\xed\xa0\x80", strings.Repeat("x", 257), strings.Repeat("x", 64), "0123456789-_abcd"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		control := strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 })
		want := len(text) > 0 && len(text) <= 256 && utf8.ValidString(text) && !control
		err := CheckIdentifier(text)
		if (err == nil) != want {
			t.Fatalf("%q: got %v", text, err)
		}
		if err != nil && (len(err.Error()) > 400 || !utf8.ValidString(err.Error())) {
			t.Fatalf("%q: got a reason of %d bytes: %q", text, len(err.Error()), err)
		}
		safe := strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
		err = CheckSession(text)
		if (err == nil) != (safe && len(text) >= 16 && len(text) <= 64) {
			t.Fatalf("session %q: got %v", text, err)
		}
		if err != nil && len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Fatalf("the refusal shows the session: %v", err)
		}
	})
}
