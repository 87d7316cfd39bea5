package wasmclient

import "testing"

func TestAPlaceIsAPointerOrAName(t *testing.T) {
	for place, want := range map[string]string{
		"messages":  "/messages",
		"/a/b/0":    "/a/b/0",
		"a/b":       "/a~1b",
		"a~b":       "/a~0b",
		"":          "/",
		"/messages": "/messages",
	} {
		if got := pointer(place); got != want {
			t.Errorf("pointer(%q) = %q, want %q", place, got, want)
		}
	}
}
