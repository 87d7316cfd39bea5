package transport

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestErrorsRead(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&CloseError{Code: 1000}, "peer closed the connection with code 1000"},
		{&CloseError{Code: 4100, Reason: "unauthorized"}, "peer closed the connection with code 4100: unauthorized"},
		{&HandshakeError{Status: 403}, "server refused the connection with HTTP status 403"},
		{&HandshakeError{Status: 502, Body: "\nbad gateway\nmore\n"}, "server refused the connection with HTTP status 502: bad gateway"},
		{checkFrame([]byte("123"), 2), "peer broke a rule: frame of 3 bytes is larger than 2"},
		{checkFrame([]byte("\xFF"), 2), "peer broke a rule: text frame is not valid UTF-8"},
		{&lostError{io.ErrUnexpectedEOF}, "connection lost: unexpected EOF"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if err := error(&lostError{io.ErrClosedPipe}); !errors.Is(err, ErrLost) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("%v is not both what it is", err)
	}
}

func TestOnlySendableCodesAreSent(t *testing.T) {
	for code, want := range map[int]int{
		0: 1011, 999: 1011, 1000: 1000, 1003: 1003, 1004: 1011, 1005: 1011, 1006: 1011, 1007: 1007, 1014: 1014,
		1015: 1011, 2999: 1011, 3000: 3000, 4999: 4999, 5000: 1011, -1: 1011,
	} {
		if got := sendableCode(code); got != want {
			t.Errorf("code %d: got %d, want %d", code, got, want)
		}
	}
}

func TestReasonIsCutAtACharacter(t *testing.T) {
	for _, c := range []struct{ reason, want string }{
		{"", ""},
		{strings.Repeat("x", 123), strings.Repeat("x", 123)},
		{strings.Repeat("x", 124), strings.Repeat("x", 123)},
		{strings.Repeat("x", 122) + "ä", strings.Repeat("x", 122)},
		{strings.Repeat("状", 42), strings.Repeat("状", 41)},
		{strings.Repeat("x", 121) + "😀", strings.Repeat("x", 121)},
		{"a\xFFb", "a\uFFFDb"},
	} {
		if got := cutReason(c.reason); got != c.want {
			t.Errorf("%q: got %q, want %q", c.reason, got, c.want)
		}
	}
}
