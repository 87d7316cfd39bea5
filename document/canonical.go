package document

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
)

// checker decides whether a text is, byte for byte, what Parse would make of it. Most texts are: they were written by
// another end of this protocol. It refuses by answering no, never with an error: then parser reads the text again.
type checker struct {
	text   []byte
	at     int // index of the next byte
	limits Limits
	depth  int // deepest level so far
}

// canonical returns the length and the depth of the canonical value that text begins with; the length is 0 when it begins
// with none, or one beyond the limits.
func canonical(text []byte, l Limits) (length, depth int) {
	c := checker{text: text, limits: l}
	if !c.value(0) || c.at > l.Bytes || !utf8.Valid(text[:c.at]) {
		return 0, 0
	}
	return c.at, c.depth
}

// ParseFirst is Parse for a value that more text may follow: it returns the value that text begins with, and its length.
// It knows only what is canonical already, which is most of what one end of this protocol gets from the other, and reads
// that once; for anything else the length is 0, and Parse says what is wrong with it, or makes it canonical.
func ParseFirst(text []byte, l Limits) (v Value, length int) {
	length, depth := canonical(text, l.withDefaults())
	if length == 0 {
		return Value{}, 0
	}
	return newText(string(text[:length]), depth), length
}

// value passes the value that starts at the next byte, within level containers.
func (c *checker) value(level int) bool {
	if c.at == len(c.text) {
		return false
	}
	switch c.text[c.at] {
	case '{':
		return c.object(level + 1)
	case '[':
		return c.array(level + 1)
	case '"':
		return c.str()
	case 't':
		return c.literal("true")
	case 'f':
		return c.literal("false")
	case 'n':
		return c.literal("null")
	}
	return c.number()
}

func (c *checker) literal(word string) bool {
	if !bytes.HasPrefix(c.text[c.at:], []byte(word)) {
		return false
	}
	c.at += len(word)
	return true
}

// open passes the first byte of an array or object.
func (c *checker) open(level int) bool {
	c.at++
	c.depth = max(c.depth, level)
	return level <= c.limits.Depth
}

// pass passes the byte, if it is next.
func (c *checker) pass(b byte) bool {
	if c.at < len(c.text) && c.text[c.at] == b {
		c.at++
		return true
	}
	return false
}

func (c *checker) array(level int) bool {
	if !c.open(level) {
		return false
	}
	if c.pass(']') {
		return true
	}
	for c.value(level) {
		if !c.pass(',') {
			return c.pass(']')
		}
	}
	return false
}

func (c *checker) object(level int) bool {
	if !c.open(level) {
		return false
	}
	if c.pass('}') {
		return true
	}
	for last, first := []byte(nil), true; ; first = false {
		key, ok := c.key()
		if !ok || (!first && compareKeys(last, key) >= 0) || !c.pass(':') || !c.value(level) {
			return false
		}
		if !c.pass(',') {
			return c.pass('}')
		}
		last = key
	}
}

// key passes a key and returns it.
func (c *checker) key() (key []byte, ok bool) {
	start := c.at
	if start == len(c.text) || c.text[start] != '"' || !c.str() {
		return nil, false
	}
	key = c.text[start+1 : c.at-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		key = []byte(unescape(string(key)))
	}
	return key, len(key) <= c.limits.KeyBytes && string(key) != reservedKey
}

// str passes the string that starts at the next byte.
func (c *checker) str() bool {
	text := c.text
	for i := c.at + 1; i < len(text); i++ {
		b := text[i]
		if jsonscan.Escaped[b] == 1 {
			continue
		}
		if b == '"' {
			c.at = i + 1
			return true
		}
		n := escapeLength(text[i:])
		if n == 0 {
			return false
		}
		i += n - 1
	}
	return false
}

// escapeLength returns the length of the canonical escape at the start of text, or 0 when there is none.
func escapeLength(text []byte) int {
	if text[0] != '\\' || len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', 'b', 't', 'n', 'f', 'r':
		return 2
	case 'u':
	default:
		return 0
	}
	if len(text) < 6 || text[2] != '0' || text[3] != '0' || text[4] > '1' || text[4] < '0' {
		return 0
	}
	if digit := text[5]; (digit < '0' || digit > '9') && (digit < 'a' || digit > 'f') {
		return 0
	}
	if jsonscan.Escaped[hexValue(text[4])<<4|hexValue(text[5])] != 6 {
		return 0
	}
	return 6
}

// number passes the number that starts at the next byte.
func (c *checker) number() bool {
	start := c.at
	for c.at < len(c.text) && numberBytes[c.text[c.at]] {
		c.at++
	}
	return canonicalNumber(string(c.text[start:c.at]))
}

// numberBytes are the bytes that canonical numbers are made of.
var numberBytes = func() (table [256]bool) {
	for _, c := range "0123456789+-.e" {
		table[c] = true
	}
	return table
}()

// canonicalNumber reports whether the text is a number as appendNumber writes it, of those that may be in a value.
func canonicalNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if len(digits) == 0 || len(digits) > 25 {
		return false
	}
	if len(digits) <= 15 && digits[0] >= '1' && allDigits(digits) {
		return true
	}
	f, ok := parseNumber(text)
	var written [32]byte
	return ok && string(appendNumber(written[:0], f)) == text
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}
