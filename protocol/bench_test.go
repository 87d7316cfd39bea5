package protocol

import (
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

func BenchmarkAppendEntries(b *testing.B) {
	ops := []document.Op{{
		Kind: document.Add, Path: document.Path{document.Key("messages"), document.Elem(1234)},
		Value: document.MustOf(map[string]any{"from": "ann", "text": strings.Repeat("x", 60)}),
	}}
	m := Entries{N: 3, Version: 123456, Ops: [][]document.Op{ops}}
	dst := make([]byte, 0, 1024)
	b.SetBytes(int64(len(m.Append(dst))))
	b.ReportAllocs()
	for b.Loop() {
		dst = m.Append(dst[:0])
	}
}

// BenchmarkAppendSharedEntries is what each further subscriber costs.
func BenchmarkAppendSharedEntries(b *testing.B) {
	ops := AppendOps(nil, []document.Op{{
		Kind: document.Add, Path: document.Path{document.Key("messages"), document.Elem(1234)},
		Value: document.MustOf(map[string]any{"from": "ann", "text": strings.Repeat("x", 60)}),
	}})
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendEntriesHeader(dst[:0], 3, 123456)
		dst = append(append(append(dst, ','), ops...), ']')
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkDecodeMerge(b *testing.B) {
	benchmarkClient(b, `["merge",3,7,41,{"cursor":{"x":104,"y":233},"name":"ann","text":"`+strings.Repeat("x", 40)+`"}]`)
}

func BenchmarkDecodePatch(b *testing.B) {
	benchmarkClient(b, `["patch",3,7,41,[["add",["messages","-"],{"from":"ann","text":"`+strings.Repeat("x", 40)+`"}]]]`)
}

func BenchmarkDecodeEntries(b *testing.B) {
	benchmarkServer(b, `["entries",3,41,[["add",["messages",1234],{"from":"ann","text":"`+strings.Repeat("x", 40)+`"}]]]`)
}

// BenchmarkDecodeEntriesBatch is a frame as it forms under load.
func BenchmarkDecodeEntriesBatch(b *testing.B) {
	entry := `,[["add",["messages",1234],{"from":"ann","text":"` + strings.Repeat("x", 40) + `"}]]`
	benchmarkServer(b, `["entries",3,41`+strings.Repeat(entry, 100)+`]`)
}

func BenchmarkDecodeSnapshot(b *testing.B) {
	message := `{"from":"ann","text":"` + strings.Repeat("x", 60) + `"},`
	benchmarkServer(b, `["joined",3,"epoch",41,0,[],{"messages":[`+strings.Repeat(message, 1000)+`{}]}]`)
}

func benchmarkClient(b *testing.B, text string) {
	frame := []byte(text)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeClient(frame, Limits{}, func(ClientMessage) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkServer(b *testing.B, text string) {
	frame := []byte(text)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeServer(frame, Limits{}, func(ServerMessage) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
