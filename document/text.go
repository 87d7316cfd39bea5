package document

import (
	"math"
	"strconv"

	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
	"github.com/server-state-sync/server-state-sync/internal/mutant"
)

// maxSafe is the largest integer that every I-JSON reader keeps exactly (RFC 7493 section 2.2): 2^53-1.
const maxSafe = 1<<53 - 1

// reservedKey would change a JavaScript object's prototype instead of becoming its member.
const reservedKey = "__proto__"

// quotedSize returns the bytes of s as canonical text, with its quotes.
func quotedSize(s string) int {
	size := 2
	for i := range len(s) {
		size += int(jsonscan.Escaped[s[i]])
	}
	return size
}

// appendQuoted appends s, which is valid UTF-8, as canonical text with its quotes.
func appendQuoted(dst []byte, s string) []byte { return jsonscan.AppendQuoted(dst, s) }

// appendNumber appends f, which is finite, as ECMAScript's Number::toString writes it (RFC 8785 section 3.2.2.3).
func appendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0') // -0 too
	}
	if size := math.Abs(f); size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst = append(dst[:n-2], dst[n-1]) // strconv writes e-07 for e-7
	}
	return dst
}

// safeNumber reports whether f may be in a value: finite, and no integer beyond maxSafe in canonical text, where
// integers are written without an exponent below 1e21. A double beyond maxSafe has no fraction.
func safeNumber(f float64) bool {
	size := math.Abs(f)
	if mutant.MissingNumberGuard && size < 1e21 {
		return true
	}
	return size <= maxSafe || (size >= 1e21 && size <= math.MaxFloat64)
}

// parseNumber returns the double that a valid JSON number means, and whether it may be in a value.
func parseNumber(literal string) (f float64, ok bool) {
	if f, ok = tiny(literal); ok {
		return f, true
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || !safeNumber(f) {
		return 0, false
	}
	return f, math.Abs(f) <= maxSafe || !isInteger(literal)
}

// isInteger reports whether a JSON number is written as an integer.
func isInteger(literal string) bool {
	for i := range len(literal) {
		if c := literal[i]; c == '.' || c == 'e' || c == 'E' {
			return false
		}
	}
	return true
}

// compareKeys orders two keys of valid UTF-8 by their UTF-16 code units (RFC 8785 section 3.2.3). Bytes have that order
// but for one case: a surrogate pair (lead byte 0xF0 and up) comes before U+E000 to U+FFFF (lead bytes 0xEE and 0xEF).
func compareKeys[A, B string | []byte](a A, b B) int {
	n := min(len(a), len(b))
	for i := range n {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if (x < y) != (x >= 0xEE && y >= 0xEE && (x < 0xF0) != (y < 0xF0)) {
			return -1
		}
		return 1
	}
	return len(a) - len(b)
}
