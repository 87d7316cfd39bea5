package document

import (
	"strings"
	"testing"
	"unsafe"
)

// What refers to the text changes with it; a copy does not.
func TestParseFirstKeepsOnlyLargeTexts(t *testing.T) {
	for _, c := range []struct {
		name        string
		size, after int // bytes of the value, and of what follows it
		keep, kept  bool
	}{
		{"a small one is copied", Copied, 0, true, false},
		{"a large one is kept", Copied + 1, 0, true, true},
		{"a large one is kept with a little behind it", Copied + 1, Copied, true, true},
		{"a large one is copied that is the smaller part", Copied + 1, Copied + 2, true, false},
		{"nothing is kept unasked", 4 * Copied, 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := []byte(`"` + strings.Repeat("a", c.size-2) + `"` + strings.Repeat(" ", c.after))
			v, length := ParseFirst(text, Limits{}, c.keep)
			if length != c.size {
				t.Fatalf("got %d bytes, want %d", length, c.size)
			}
			if kept := unsafe.StringData(v.String()) == unsafe.SliceData(text); kept != c.kept {
				t.Errorf("kept is %t, want %t", kept, c.kept)
			}
		})
	}
}

// A string is read eight bytes at a time but at its end; what is not canonical in it must be seen at each place.
func TestCanonicalSeesEachByteOfAString(t *testing.T) {
	for length := range 40 {
		plain := strings.Repeat("z", length)
		for at := range length + 1 {
			for _, c := range []struct {
				text string
				ok   bool
			}{
				{"", true}, {"~", true}, {"\x7f", true}, {" ", true}, {"é", true}, {"\U0001F600", true}, {`\n`, true}, {`\"`, true}, {`\\`, true}, {`\u001f`, true},
				{"\x1f", false}, {"\x00", false}, {"\n", false}, {"\x80", false}, {"\xff", false}, {`\/`, false}, {`\u0041`, false}, {`\u001F`, false}, {`\`, false}, {`"`, false},
			} {
				for _, behind := range []string{"", "        "} {
					text := `["` + plain[:at] + c.text + plain[at:] + `"]` + behind
					want := len(text) - len(behind)
					if !c.ok {
						want = 0
					}
					if got, _ := canonical([]byte(text), DefaultLimits); got != want {
						t.Fatalf("got %d for %q, want %d", got, text, want)
					}
				}
			}
		}
	}
}
