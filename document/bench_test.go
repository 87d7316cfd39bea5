package document

import (
	"strconv"
	"strings"
	"testing"
)

// list returns an object whose property "list" has n messages, expanded as a first write leaves it.
func list(tb testing.TB, n int) Value {
	tb.Helper()
	items := make([]Value, n)
	for i := range items {
		items[i] = MustOf(map[string]any{"from": "user" + strconv.Itoa(i%7), "text": "message number " + strconv.Itoa(i)})
	}
	return MustOf(map[string]Value{"list": MustOf(items), "title": MustOf("chat")}).Expanded()
}

func wide(n int) Value {
	values := make(map[string]any, n)
	for i := range n {
		values["property"+strconv.Itoa(i)] = i
	}
	return MustOf(values).Expanded()
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			v := list(b, n)
			ops := []Op{{Kind: Add, Path: Path{Key("list"), Key("-")}, Value: MustOf(map[string]any{"from": "me", "text": "hello"})}}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Apply(v, ops, DefaultStateLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGrow appends to what the append before made, as a chat does.
func BenchmarkGrow(b *testing.B) {
	v := list(b, 10_000)
	ops := []Op{{Kind: Add, Path: Path{Key("list"), Key("-")}, Value: MustOf(map[string]any{"from": "me", "text": "hello"})}}
	b.ReportAllocs()
	for b.Loop() {
		next, _, err := Apply(v, ops, NoLimits)
		if err != nil {
			b.Fatal(err)
		}
		v = next
	}
}

func BenchmarkMerge(b *testing.B) {
	v := wide(10_000)
	updates := MustOf(map[string]any{"property5000": "new"})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Apply(v, Merge(v, updates), DefaultStateLimits); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMergeList merges a whole list with one message more, as the object form of an update does.
func BenchmarkMergeList(b *testing.B) {
	v := list(b, 10_000)
	longer := v.Get("list").insertElement(10_000, MustOf("hello"))
	updates := newText(`{"list":`+longer.String()+`}`, 3)
	b.SetBytes(int64(updates.Size()))
	b.ReportAllocs()
	for b.Loop() {
		if ops := Merge(v, updates); len(ops) != 1 {
			b.Fatal(len(ops))
		}
	}
}

func BenchmarkGet(b *testing.B) {
	v := wide(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if !v.Get("property7777").Exists() {
			b.Fatal("absent")
		}
	}
}

func BenchmarkAt(b *testing.B) {
	v := list(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if !v.At("/list/7777").Exists() {
			b.Fatal("absent")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	canonical := list(b, 16_500).Get("list").String()
	numbers := "[" + strings.TrimSuffix(strings.Repeat("3.141592653589793,1.5e-7,-271828.18,", 25_000), ",") + "]"
	texts := map[string]string{
		"canonical": canonical,
		"unsorted":  strings.ReplaceAll(canonical, `"text":`, `"a":`),
		"spaced":    strings.ReplaceAll(canonical, `,"`, `, "`),
		"escaped":   `["` + strings.Repeat(`\n\u0001`, 125_000) + `"]`,
		"numbers":   numbers,
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse([]byte(text), Limits{Bytes: 2 << 20}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExpanded(b *testing.B) {
	v := newText(list(b, 10_000).String(), 3)
	b.SetBytes(int64(v.Size()))
	b.ReportAllocs()
	for b.Loop() {
		v.Expanded()
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	v := list(b, 10_000)
	b.SetBytes(int64(v.Size()))
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = v.AppendJSON(dst[:0])
	}
}

// BenchmarkParseFirst reads a snapshot as a client does.
func BenchmarkParseFirst(b *testing.B) {
	rows := make([]any, 9_000)
	for i := range rows {
		rows[i] = map[string]any{
			"id": i, "name": "row number " + strconv.Itoa(i), "tags": []any{"a", "b"}, "done": i%2 == 0,
			"note": "some text for this row, about as long as notes are",
		}
	}
	text := []byte(MustOf(map[string]any{"rows": rows}).String())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, length := ParseFirst(text, Limits{Bytes: 2 << 20}, true); length != len(text) {
			b.Fatal(length)
		}
	}
}
