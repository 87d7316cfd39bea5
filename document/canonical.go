package document

import (
	"strings"
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
)

// checker decides whether a text is, byte for byte, what Parse would make of it. Most texts are: they were written by
// another end of this protocol. It refuses by answering no, never with an error: then parser reads the text again.
type checker struct {
	text   string
	at     int // index of the next byte
	limits Limits
	depth  int // deepest level so far
}

// isCanonical reports whether text is canonical and within the limits, and the depth of its value.
func isCanonical(text string, l Limits) (depth int, ok bool) {
	if !utf8.ValidString(text) {
		return 0, false
	}
	c := checker{text: text, limits: l}
	ok = c.value(0) && c.at == len(text)
	return c.depth, ok
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
	ok := strings.HasPrefix(c.text[c.at:], word)
	c.at += len(word)
	return ok
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
	for last, first := "", true; ; first = false {
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
func (c *checker) key() (key string, ok bool) {
	start := c.at
	if !c.pass('"') {
		return "", false
	}
	c.at = start
	if !c.str() {
		return "", false
	}
	key = unescape(c.text[start+1 : c.at-1])
	return key, len(key) <= c.limits.KeyBytes && key != reservedKey
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
func escapeLength(text string) int {
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
	return canonicalNumber(c.text[start:c.at])
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
