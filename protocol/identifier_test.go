package protocol

import (
	"strings"
	"testing"
)

func TestCheckIdentifier(t *testing.T) {
	for _, good := range []string{"a", " ", "chat/room 1", "état", "😀", "\u00a0", strings.Repeat("é", 128)} {
		if err := CheckIdentifier(good); err != nil {
			t.Errorf("%q: got %v, want none", good, err)
		}
	}
	for _, bad := range []string{"", "a\x00", "\x1f", "\x7f", "\u0080", "\u009f", "a\xff", "\xed\xa0\x80", strings.Repeat("é", 128) + "x"} {
		err := CheckIdentifier(bad)
		if err == nil || err.(*Error).Code != CodeIdentifierInvalid {
			t.Errorf("%q: got %v, want %v", bad, err, CodeIdentifierInvalid)
		}
	}
	wantError(t, CheckIdentifier("a\n"), &Error{CodeIdentifierInvalid, `"a\n" is not ` + identifierRule})
}

func TestCheckSession(t *testing.T) {
	for _, good := range []string{"0123456789abcdef", strings.Repeat("-_Az", 16)} {
		if err := CheckSession(good); err != nil {
			t.Errorf("%q: got %v, want none", good, err)
		}
	}
	for _, bad := range []string{"", "0123456789abcde", "0123456789abcde+", "0123456789abcdé", strings.Repeat("x", 65)} {
		wantError(t, CheckSession(bad), &Error{CodeBadMessage, "the session is not " + sessionRule})
	}
}
