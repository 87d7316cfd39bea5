package jsonscan

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Escaped holds, for each byte, how many bytes it takes within canonical text (RFC 8785 section 3.2.2.2).
var Escaped = func() (table [256]uint8) {
	for c := range table {
		table[c] = 1
		if c < 0x20 {
			table[c] = 6
		}
	}
	for _, c := range "\b\t\n\f\r\"\\" {
		table[c] = 2
	}
	return table
}()

// AppendQuoted appends s, which is valid UTF-8, as canonical text with its quotes.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if Escaped[c] == 1 {
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		c = 'b'
	case '\t':
		c = 't'
	case '\n':
		c = 'n'
	case '\f':
		c = 'f'
	case '\r':
		c = 'r'
	case '"', '\\':
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(dst, '\\', c)
}

// Unquote returns what a string says, which Scalar has passed; not ok where it has invalid UTF-8 or a lone surrogate.
// The slice refers to quoted where nothing is escaped.
func Unquote(quoted []byte) (text []byte, ok bool) {
	rest := quoted[1 : len(quoted)-1]
	if !utf8.Valid(rest) {
		return nil, false
	}
	i := bytes.IndexByte(rest, '\\')
	if i < 0 {
		return rest, true
	}
	text = make([]byte, 0, len(rest))
	for ; i >= 0; i = bytes.IndexByte(rest, '\\') {
		text = append(text, rest[:i]...)
		r, n := unescape(rest[i:])
		if n == 0 {
			return nil, false
		}
		text = utf8.AppendRune(text, r)
		rest = rest[i+n:]
	}
	return append(text, rest...), true
}

// unescape returns what the escape at the start of text means, and its length; 0 for a lone surrogate.
func unescape(text []byte) (rune, int) {
	switch c := text[1]; c {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return rune(c), 2
	}
	r := hexRune(text[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(text) < 12 || text[6] != '\\' || text[7] != 'u' {
		return 0, 0
	}
	if r = utf16.DecodeRune(r, hexRune(text[8:12])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hexRune returns the value of hexadecimal digits.
func hexRune(digits []byte) (r rune) {
	for _, c := range digits {
		if c = c | 0x20 - '0'; c > 9 {
			c -= 'a' - '0' - 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
