package protocol

import (
	"encoding/base64"
	"testing"
)

func TestTokenSubprotocolIsBase64URL(t *testing.T) {
	token := ""
	for i := range 300 {
		got, want := TokenSubprotocol(token), "token."+base64.RawURLEncoding.EncodeToString([]byte(token))
		if got != want {
			t.Fatalf("%d bytes: got %q, want %q", i, got, want)
		}
		if back, ok := TokenFromSubprotocol(got); !ok || back != token {
			t.Fatalf("%d bytes: got %q %v back, want %q", i, back, ok, token)
		}
		token += string([]byte{byte(i*7 + 250)})
	}
}

func TestTokenFromSubprotocolRefuses(t *testing.T) {
	for _, offered := range []string{
		"", Subprotocol, "token", "Token.YQ", "token.Y", "token.YQ==", "token.YR", "token.Y+", "token.Y/", "token.Y Q", "token.\x00", "token.YWFhY",
	} {
		if token, ok := TokenFromSubprotocol(offered); ok {
			t.Errorf("%q: got the token %q, want none", offered, token)
		}
	}
	if token, ok := TokenFromSubprotocol("token."); !ok || token != "" {
		t.Errorf("an empty token: got %q %v, want it empty and ok", token, ok)
	}
}
