package document

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// TestNumberText has the samples of RFC 8785 appendix B, by their bits.
func TestNumberText(t *testing.T) {
	tests := []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"},
		{0x8000000000000000, "0"},
		{0x0000000000000001, "5e-324"},
		{0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"},
		{0xffefffffffffffff, "-1.7976931348623157e+308"},
		{0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"},
		{0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"},
		{0x44b52d02c7e14af6, "1e+23"},
		{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"},
		{0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"},
		{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
		{0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"},
		{0x41b3de4355555554, "333333333.33333325"},
		{0x41b3de4355555555, "333333333.3333333"},
		{0x41b3de4355555556, "333333333.3333334"},
		{0x41b3de4355555557, "333333333.33333343"},
		{0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"},
	}
	for _, tt := range tests {
		if got := string(appendNumber(nil, math.Float64frombits(tt.bits))); got != tt.want {
			t.Errorf("%016x: got %s, want %s", tt.bits, got, tt.want)
		}
	}
}

func TestNumberTextReadsBack(t *testing.T) {
	r := newRandom(t)
	for range rounds(100_000) {
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		text := string(appendNumber(nil, f))
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != f {
			t.Fatalf("%s: got %v, %v, want %v", text, back, err, f)
		}
		if _, ok := parseNumber(text); ok != safeNumber(f) || canonicalNumber(text) != ok {
			t.Fatalf("%s: got %v as text and %v as canonical text, want %v as a double",
				text, ok, canonicalNumber(text), safeNumber(f))
		}
	}
}

// TestKeyOrder has the sample of RFC 8785 section 3.2.3, and random keys in the order of their UTF-16.
func TestKeyOrder(t *testing.T) {
	want := []string{"\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001F600", "\ufb33"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareKeys[string, string])
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r := newRandom(t)
	key := func() string {
		var b []byte
		for range r.IntN(4) {
			b = utf8.AppendRune(b, pick(r, 'a', 'b', 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xEFFF, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF))
		}
		return string(b)
	}
	for range rounds(50_000) {
		a, b := key(), key()
		want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		if got := compareKeys(a, b); cmp.Compare(got, 0) != want {
			t.Fatalf("%q and %q: got %d, want %d", a, b, got, want)
		}
	}
}

func TestQuotedTextReadsBack(t *testing.T) {
	for c := range 0x300 {
		s := "a" + string(rune(c)) + "b"
		quoted := string(appendQuoted(nil, s))
		if len(quoted) != quotedSize(s) {
			t.Errorf("%q: got size %d, want %d", s, quotedSize(s), len(quoted))
		}
		if got := unescape(quoted[1 : len(quoted)-1]); got != s {
			t.Errorf("%s: got %q, want %q", quoted, got, s)
		}
		if _, ok := isCanonical(quoted, DefaultLimits); !ok {
			t.Errorf("%s: got no canonical text", quoted)
		}
	}
}

// TestTinyNumbersAreReadExactly compares with strconv: at and around every half of a unit, and anywhere.
func TestTinyNumbersAreReadExactly(t *testing.T) {
	r := newRandom(t)
	tinies := 0
	check := func(literal string) {
		t.Helper()
		f, ok := tiny(literal)
		want, err := strconv.ParseFloat(literal, 64)
		if ok && (err != nil || f != want) {
			t.Fatalf("%s: got %b, want %b, %v", literal, f, want, err)
		}
		if ok {
			tinies++
		} else if math.Abs(want) < 0x1p-1022 && want != 0 && len(literal) < 20 {
			t.Fatalf("%s was left to strconv", literal)
		}
	}
	for _, literal := range []string{
		"5e-324", "-5e-324", "2e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.4703282292062329e-324", "2.2250738585072011e-308",
		"2.2250738585072014e-308", "2.2250738585072012e-308", "4.4501477170144023e-308", "1e-307", "0.0e-310", "1e-9999999999", "0.00001e-315",
		"1234567890123456789e-342", "9999999999999999999e-342", "1E-310", "10e-311", "0." + strings.Repeat("0", 310) + "12345",
	} {
		check(literal)
	}
	for range rounds(5_000) { // strconv takes its time
		f := math.Float64frombits(r.Uint64N(1 << 53 >> r.IntN(53)))
		for _, digits := range []int{-1, 0, 5, 16, 17, 18} {
			check(strconv.FormatFloat(f, 'e', digits, 64))
		}
		check(strconv.FormatUint(r.Uint64N(1e19)>>r.IntN(60), 10) + "e-" + strconv.Itoa(300+r.IntN(45)))
	}
	if tinies < rounds(5_000) {
		t.Errorf("only %d numbers were tiny", tinies)
	}
}

// isCanonical reports whether the whole text is canonical, and the depth of its value.
func isCanonical(text string, l Limits) (depth int, ok bool) {
	length, depth := canonical([]byte(text), l)
	return depth, length > 0 && length == len(text)
}
