package document

import (
	"strings"
	"testing"
)

// FuzzParse parses any text. What is accepted must be canonical, within the limits, and read the same again, by both
// parsers.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"b":[1,-0.5e-7,null],"a":"\u00e9\n\ud83d\ude00"}`, rfc6901, ` [ ] `, `{"__proto__":1}`,
		`1e400`, `9007199254740992`, `"\ud800"`, `{"a":1,"a":2}`, "\"\xff\"", strings.Repeat("[", 70)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text, Limits{Bytes: 1 << 16})
		if first, length := ParseFirst(text, Limits{Bytes: 1 << 16}, false); length > 0 {
			if whole, err := parseAny(text[:length], Limits{Bytes: 1 << 16}.withDefaults()); err != nil || first.String() != string(text[:length]) || !whole.Equal(first) {
				t.Fatalf("of %q the first %d bytes are taken for %s; they are %s, %v", text, length, first, whole, err)
			}
			checkBookkeeping(t, first)
		}
		if err != nil {
			if CodeOf(err) == "" || v.Exists() {
				t.Fatalf("got %s and %v", v, err)
			}
			return
		}
		checkBookkeeping(t, v)
		canonical := v.String()
		if len(canonical) > 1<<16 || v.Depth() > 64 {
			t.Fatalf("got %d bytes and %d levels", len(canonical), v.Depth())
		}
		if _, ok := isCanonical(canonical, DefaultLimits); !ok {
			t.Fatalf("got %s, which is not canonical", canonical)
		}
		if _, length := ParseFirst([]byte(canonical+"]"), DefaultLimits, false); length != len(canonical) {
			t.Fatalf("of the canonical %s the first %d bytes are known", canonical, length)
		}
		again, err := parseAny([]byte(canonical), DefaultLimits)
		if err != nil || again.String() != canonical {
			t.Fatalf("got %s, %v, want %s", again, err, canonical)
		}
		if back, err := Of(v.Any()); err != nil || back.String() != canonical {
			t.Fatalf("got %s, %v through Go values, want %s", back, err, canonical)
		}
	})
}

// FuzzPatch applies any patch to any document. Whatever is accepted must keep the limits and the promises.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"a":[1,2],"m":{}}`), []byte(`[{"op":"add","path":"/a/-","value":[]},{"op":"move","from":"/a/0","path":"/m/x"}]`))
	f.Add([]byte(`{"n":1}`), []byte(`[{"op":"increment","path":"/n","value":9007199254740991},{"op":"copy","from":"","path":"/c"}]`))
	f.Add([]byte(`[[]]`), []byte(`[{"op":"test","path":"/0","value":[]},{"op":"replace","path":"","value":{"~":1}},{"op":"remove","path":"/~0"}]`))
	f.Fuzz(func(t *testing.T, document, patch []byte) {
		limits := StateLimits{Bytes: 1 << 12, Depth: 10, KeyBytes: 20}
		v, err := Parse(document, Limits(limits))
		if err != nil {
			return
		}
		parsed, err := ParsePatch(patch, Limits{Bytes: 1 << 12, Depth: 12, KeyBytes: 20})
		if err != nil {
			return
		}
		before := v.String()
		ops, err := Resolve(v, parsed)
		if err != nil {
			return
		}
		next, entry, err := Apply(v, ops, limits)
		if v.String() != before {
			t.Fatalf("got the old root %s, want %s", v, before)
		}
		if err != nil {
			return
		}
		checkBookkeeping(t, next)
		checkEntry(t, v, next, entry)
		if _, err := Parse([]byte(next.String()), Limits(limits)); err != nil {
			t.Fatalf("the new value: %v", err)
		}
	})
}

// FuzzPointer reads any pointer. Its tokens must be those that make the same pointer, and a path that base types must
// lead where the pointer leads.
func FuzzPointer(f *testing.F) {
	base := MustOf(map[string]any{"foo": []any{"bar", []any{}}, "": 0, "a/b": map[string]any{"m~n": 1, "0": 2}})
	for _, pointer := range []string{"", "/", "/foo/0", "/foo/1/-", "/a~1b/m~0n", "/a~1b/0", "a", "/~", "/foo/00"} {
		f.Add(pointer)
	}
	f.Fuzz(func(t *testing.T, pointer string) {
		tokens, err := ParsePointer(pointer)
		if err != nil {
			if base.At(pointer).Exists() {
				t.Fatalf("got a value at the invalid pointer %q", pointer)
			}
			return
		}
		if got := Pointer(tokens...); got != pointer {
			t.Fatalf("got %q, want %q", got, pointer)
		}
		path, err := ParsePath(base, pointer)
		if err != nil {
			return
		}
		if path.String() != pointer || base.At(pointer) != base.Lookup(path) && !base.At(pointer).Equal(base.Lookup(path)) {
			t.Fatalf("got the path %v and %s there, want %q and %s", path, base.Lookup(path), pointer, base.At(pointer))
		}
	})
}
