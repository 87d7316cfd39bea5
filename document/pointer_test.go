package document

import (
	"slices"
	"strings"
	"testing"
)

// rfc6901 is the document of RFC 6901 section 5.
const rfc6901 = `{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`

func TestAt(t *testing.T) {
	document, err := Parse([]byte(rfc6901), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ pointer, want string }{
		{"", document.String()},
		{"/foo", `["bar","baz"]`},
		{"/foo/0", `"bar"`},
		{"/", `0`},
		{"/a~1b", `1`},
		{"/c%d", `2`},
		{"/e^f", `3`},
		{"/g|h", `4`},
		{"/i\\j", `5`},
		{"/k\"l", `6`},
		{"/ ", `7`},
		{"/m~0n", `8`},
		// Not there: String of an absent value is empty.
		{"/foo/2", ``},
		{"/foo/-", ``},
		{"/foo/-1", ``},
		{"/foo/00", ``},
		{"/foo/01", ``},
		{"/foo/+1", ``},
		{"/foo/1e0", ``},
		{"/foo/4294967296", ``},
		{"/foo/18446744073709551616", ``},
		{"/foo/", ``},
		{"/foo/0/x", ``},
		{"/bar", ``},
		{"//", ``},
		{"foo", ``},
		{"/m~n", ``},
		{"/m~", ``},
		{"/m~2n", ``},
	}
	for _, tt := range tests {
		for _, v := range []Value{document, document.expanded()} {
			if got := v.At(tt.pointer).String(); got != tt.want {
				t.Errorf("at %q: got %s, want %s", tt.pointer, got, tt.want)
			}
		}
	}
	if (Value{}).At("/a").Exists() || (Value{}).At("").Exists() {
		t.Error("got a value within an absent one")
	}
}

func TestParsePointer(t *testing.T) {
	tests := []struct {
		pointer string
		want    []string
	}{
		{"", nil},
		{"/", []string{""}},
		{"/a/b", []string{"a", "b"}},
		{"//", []string{"", ""}},
		{"/~01", []string{"~1"}}, // RFC 6901 section 4: ~1 first, then ~0
		{"/~10", []string{"/0"}},
		{"/~0~1~0~1", []string{"~/~/"}},
		{"/é\n/-", []string{"é\n", "-"}},
	}
	for _, tt := range tests {
		got, err := ParsePointer(tt.pointer)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, %v, want %q", tt.pointer, got, err, tt.want)
		}
		if back := Pointer(got...); back != tt.pointer {
			t.Errorf("%q: got %q back", tt.pointer, back)
		}
	}
}

func TestParsePointerRefuses(t *testing.T) {
	tests := []struct{ pointer, want string }{
		{"a", `invalid_patch: the pointer "a" does not begin with a slash`},
		{"#/a", `invalid_patch: the pointer "#/a" does not begin with a slash`},
		{"/~", `invalid_patch: the pointer "/~" has a ~ that is neither ~0 nor ~1`},
		{"/a/~2", `invalid_patch: the pointer "/a/~2" has a ~ that is neither ~0 nor ~1`},
		{"/~~0", `invalid_patch: the pointer "/~~0" has a ~ that is neither ~0 nor ~1`},
		{strings.Repeat("é", 100), `invalid_patch: the pointer "` + strings.Repeat("é", 18) + `..." does not begin with a slash`},
		{strings.Repeat("/", 10_001), `invalid_patch: the pointer has 10001 tokens, and 10000 are allowed`},
	}
	for _, tt := range tests {
		if _, err := ParsePointer(tt.pointer); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestParsePath(t *testing.T) {
	base := MustOf(map[string]any{"list": []any{1, map[string]any{"0": "x"}}, "map": map[string]any{"0": 1}})
	tests := []struct {
		pointer string
		want    Path
	}{
		{"", Path{}},
		{"/list/1/0", Path{Key("list"), Elem(1), Key("0")}},
		{"/map/0", Path{Key("map"), Key("0")}},
		{"/list/-", Path{Key("list"), Key("-")}},
		{"/list/9/7", Path{Key("list"), Elem(9), Key("7")}},
		{"/none/0/1", Path{Key("none"), Key("0"), Key("1")}},
	}
	for _, tt := range tests {
		got, err := ParsePath(base, tt.pointer)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %v, %v, want %v", tt.pointer, got, err, tt.want)
		}
		if got.String() != tt.pointer {
			t.Errorf("got %q back, want %q", got, tt.pointer)
		}
	}
	want := `patch_failed: "x" is no index of an array (at /list/x)`
	if _, err := ParsePath(base, "/list/x/y"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got := base.Lookup(Path{Key("list"), Elem(1), Key("0")}).Text(); got != "x" {
		t.Errorf("got %q, want x", got)
	}
	if base.Lookup(Path{Key("map"), Elem(0)}).Exists() || base.Lookup(Path{Key("list"), Key("0")}).Exists() {
		t.Error("got a value for a token of another type")
	}
}
