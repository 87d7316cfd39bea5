package document

import (
	"math/bits"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
)

// checker decides whether a text is, byte for byte, what Parse would make of it. Most texts are: they were written by
// another end of this protocol. It refuses by answering no, never with an error: then parser reads the text again. Its
// methods take the index of the next byte and return the index after what they have passed, or no.
type checker struct {
	text   []byte
	limits Limits
	depth  int    // deepest level so far
	bytes  uint64 // all bytes of strings, or'ed: tells whether all is ASCII
}

// no is where a text goes on that is not canonical.
const no = -1

// canonical returns the length and the depth of the canonical value that text begins with; the length is 0 when it begins
// with none, or one beyond the limits.
func canonical(text []byte, l Limits) (length, depth int) {
	c := checker{text: text, limits: l}
	length = c.value(0, 0)
	if length == no || length > l.Bytes || (c.bytes&highBits != 0 && !utf8.Valid(text[:length])) {
		return 0, 0
	}
	return length, c.depth
}

// Copied is how many bytes a value has at most of which ParseFirst always makes a copy.
const Copied = 64 << 10

// ParseFirst is Parse for a value that more text may follow: it returns the value that text begins with, and its length.
// It knows only what is canonical already, which is most of what one end of this protocol gets from the other, and reads
// that once; for anything else the length is 0, and Parse says what is wrong with it, or makes it canonical.
//
// With keep, a value of more than Copied bytes that is most of text refers to it: then nobody may write to a text of more
// than Copied bytes any more.
func ParseFirst(text []byte, l Limits, keep bool) (v Value, length int) {
	length, depth := canonical(text, l.withDefaults())
	if length == 0 {
		return Value{}, 0
	}
	if keep && length > Copied && length > len(text)/2 {
		return newText(unsafe.String(unsafe.SliceData(text), length), depth), length
	}
	return newText(string(text[:length]), depth), length
}

// value passes the value that starts at the next byte, within level containers.
func (c *checker) value(i, level int) int {
	if i >= len(c.text) {
		return no
	}
	b := c.text[i]
	if b == '"' {
		i, _ = c.str(i)
		return i
	}
	if b <= '9' {
		return c.number(i)
	}
	switch b {
	case '{':
		return c.object(i, level+1)
	case '[':
		return c.array(i, level+1)
	case 't':
		return c.literal(i, "true")
	case 'f':
		return c.literal(i, "false")
	case 'n':
		return c.literal(i, "null")
	}
	return no
}

func (c *checker) literal(i int, word string) int {
	if end := i + len(word); end <= len(c.text) && string(c.text[i:end]) == word {
		return end
	}
	return no
}

// open notes an array or object; not ok where there are too many levels.
func (c *checker) open(level int) bool {
	c.depth = max(c.depth, level)
	return level <= c.limits.Depth
}

// at returns the next byte; the text's end is 0, which no canonical text has outside of strings.
func (c *checker) at(i int) byte {
	if i < len(c.text) {
		return c.text[i]
	}
	return 0
}

func (c *checker) array(i, level int) int {
	if !c.open(level) {
		return no
	}
	if i++; c.at(i) == ']' {
		return i + 1
	}
	for {
		if i = c.value(i, level); i == no {
			return no
		}
		switch c.at(i) {
		case ',':
			i++
		case ']':
			return i + 1
		default:
			return no
		}
	}
}

func (c *checker) object(i, level int) int {
	if !c.open(level) {
		return no
	}
	if i++; c.at(i) == '}' {
		return i + 1
	}
	for last, first := []byte(nil), true; ; first = false {
		if c.at(i) != '"' {
			return no
		}
		end, plain := c.str(i)
		if end == no || c.at(end) != ':' {
			return no
		}
		key := c.text[i+1 : end-1]
		if !plain {
			key = []byte(unescape(string(key)))
		}
		if !ascending(last, key) && !(first || compareKeys(last, key) < 0) {
			return no
		}
		if len(key) > c.limits.KeyBytes || string(key) == reservedKey {
			return no
		}
		if i = c.value(end+1, level); i == no {
			return no
		}
		switch c.at(i) {
		case ',':
			i++
		case '}':
			return i + 1
		default:
			return no
		}
		last = key
	}
}

// ascending reports whether the first letters of two keys tell already that they are in order, which is so nearly always.
func ascending(a, b []byte) bool {
	return len(a) > 0 && len(b) > 0 && a[0] < b[0] && b[0] < utf8.RuneSelf
}

// str passes the string that starts at the next byte; plain tells that it has no escapes for certain. It looks at eight bytes at a
// time, which is most of the speed of a check: a module in a browser pays for each turn of a loop.
func (c *checker) str(i int) (end int, plain bool) {
	text, all := c.text, uint64(0)
	for i++; uint(i) < uint(len(text)); {
		rest := text[i:]
		if len(rest) < 8 {
			break
		}
		word := word64(rest)
		all |= word
		if found := special(word); found != 0 {
			i += bits.TrailingZeros64(found) / 8
			c.bytes |= all
			if text[i] == '"' {
				return i + 1, true
			}
			break
		}
		i += 8
	}
	c.bytes |= all
	return c.unusual(i), false
}

// unusual passes a string from index i on, byte by byte: there is an escape, or the end of the text is near.
func (c *checker) unusual(i int) int {
	for i < len(c.text) {
		b := c.text[i]
		if b == '"' {
			return i + 1
		}
		if jsonscan.Escaped[b] == 1 {
			c.bytes |= uint64(b)
			i++
			continue
		}
		n := escapeLength(c.text[i:])
		if n == 0 {
			return no
		}
		i += n
	}
	return no
}

// Each byte of a word with its lowest, and with its highest bit.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x80 * lowBits
)

// word64 returns the first eight bytes, the first of them lowest; compilers make it one load. encoding/binary has the same,
// and would bring reflect into the browser's module.
func word64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// special returns a word whose lowest set bit is the highest bit of the first of eight bytes that is a quote, a backslash
// or a control character; 0 when there is none. Subtracting borrows from a byte that is too small, and so sets its highest
// bit; a borrow from the next byte can only come after such a one (Hacker's Delight, 2nd edition, section 6-1).
func special(word uint64) uint64 {
	control := word - ' '*lowBits
	quote := word ^ '"'*lowBits - lowBits
	backslash := word ^ '\\'*lowBits - lowBits
	return (control | quote | backslash) &^ word & highBits
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
func (c *checker) number(i int) int {
	start := i
	for i < len(c.text) && c.text[i]-'0' <= 9 {
		i++
	}
	if size := i - start; size > 0 && size <= 15 && (c.text[start] > '0' || size == 1) && !numberBytes[c.at(i)] {
		return i // a small natural number, as most are
	}
	for i < len(c.text) && numberBytes[c.text[i]] {
		i++
	}
	if !canonicalNumber(string(c.text[start:i])) {
		return no
	}
	return i
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
