package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

// loaded has a state and peers that follow it, without sockets.
func loaded(b *testing.B, subscribers int, initial map[string]any) (author *wire, others []*wire) {
	b.Helper()
	f := newFixture(b, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: initial})
	for i := range subscribers {
		others = append(others, f.joined(fmt.Sprint("w", i), "s"))
	}
	return f.joined("author", "s"), others
}

// drain takes what waits for everybody.
func drainAll(wires []*wire, buffer []byte) []byte {
	for _, w := range wires {
		for {
			frame := w.peer.take(buffer[:0], 64<<10)
			if len(frame) == 0 {
				break
			}
			buffer = frame
		}
	}
	return buffer
}

// BenchmarkFanOut sends one merge of 100 bytes to every subscriber, each taking it at once.
func BenchmarkFanOut(b *testing.B) {
	for _, subscribers := range []int{100, 1000} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			author, others := loaded(b, subscribers, nil)
			buffer := make([]byte, 0, 64<<10)
			text := strings.Repeat("x", 75)
			number := 0
			send := func() {
				number++
				author.peer.receive(fmt.Appendf(nil, `["merge",1,%d,0,{"p":"%s%06d"}]`, number, text, number))
				buffer = drainAll([]*wire{author}, buffer)
			}
			for range 10 {
				send()
				buffer = drainAll(others, buffer)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				send()
				buffer = drainAll(others, buffer)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers), "ns/delivery")
		})
	}
}

// BenchmarkFanOutBurst sends 100 merges before the subscribers take them.
func BenchmarkFanOutBurst(b *testing.B) {
	for _, subscribers := range []int{100, 1000} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			author, others := loaded(b, subscribers, nil)
			buffer := make([]byte, 0, 64<<10)
			text := strings.Repeat("x", 75)
			number := 0
			b.ReportAllocs()
			for b.Loop() {
				for range 100 {
					number++
					author.peer.receive(fmt.Appendf(nil, `["merge",1,%d,0,{"p":"%s%06d"}]`, number, text, number))
					buffer = drainAll([]*wire{author}, buffer)
				}
				buffer = drainAll(others, buffer)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers*100), "ns/delivery")
		})
	}
}

// BenchmarkAppend appends to an array of 100 and of 10,000 messages, with one subscriber.
func BenchmarkAppend(b *testing.B) {
	for _, length := range []int{100, 10_000} {
		b.Run(fmt.Sprint(length), func(b *testing.B) {
			messages := make([]any, length)
			for i := range messages {
				messages[i] = map[string]any{"id": i, "content": strings.Repeat("x", 80)}
			}
			author, others := loaded(b, 1, map[string]any{"m": messages})
			buffer := make([]byte, 0, 64<<10)
			number := 0
			b.ReportAllocs()
			for b.Loop() {
				number++
				author.peer.receive(fmt.Appendf(nil, `["patch",1,%d,0,[["add",["m","-"],{"id":%d,"content":"hello"}]]]`, number, number))
				buffer = drainAll([]*wire{author}, buffer)
				buffer = drainAll(others, buffer)
				if number%100 == 0 { // stay at the length
					number++
					author.peer.receive(fmt.Appendf(nil, `["patch",1,%d,%d,[["remove",["m",0]]]]`, number, number-1))
					buffer = drainAll([]*wire{author}, buffer)
				}
			}
		})
	}
}

// BenchmarkJoin joins a state of 100 KB, with a new version for each tenth client.
func BenchmarkJoin(b *testing.B) {
	f := newFixture(b, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": strings.Repeat("x", 100_000)}})
	buffer := make([]byte, 0, 128<<10)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n++; n%10 == 0 {
			f.update("s", map[string]any{"n": n})
		}
		p := f.connect(nil, func() {})
		p.receive(fmt.Appendf(nil, "[\"hello\",\"session-number-%d\",\"c\",{}]\n[\"join\",1,\"s\"]", n))
		buffer = drainAll([]*wire{{peer: p}}, buffer)
		p.receive([]byte(`["leave",1]`))
		p.disconnect()
	}
}

// BenchmarkResume takes a state of 100 KB up again after one missed change.
func BenchmarkResume(b *testing.B) {
	f := newFixture(b, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"big": strings.Repeat("x", 100_000)}})
	epoch := f.state("s").epoch
	buffer := make([]byte, 0, 128<<10)
	version := uint64(0)
	f.joined("a", "s").peer.disconnect()
	hello := fmt.Sprintf(`["hello","%s","a",{}]`, sessionNamed("a"))
	b.ReportAllocs()
	for b.Loop() {
		next := f.update("s", map[string]any{"n": version})
		p := f.connect(nil, func() {})
		p.receive(fmt.Appendf(nil, "%s\n[\"join\",1,\"s\",\"%s\",%d,0]", hello, epoch, version))
		buffer = drainAll([]*wire{{peer: p}}, buffer)
		p.disconnect()
		version = next
	}
}

// BenchmarkStartWithStates begins a server on a store of 10,000 states of 4 KB, and names them all.
func BenchmarkStartWithStates(b *testing.B) {
	store := stores.NewMemory()
	value := map[string]any{"text": strings.Repeat("x", 4000)}
	f := newFixture(b, Options{Store: store})
	for i := range 10_000 {
		f.create(StateOptions{Identifier: fmt.Sprint("state", i), InitialValue: value})
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := New(Options{Store: store, Logger: discard})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 10_000 {
			if _, err := s.CreateState(StateOptions{Identifier: fmt.Sprint("state", i)}); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeptAppend is BenchmarkAppend with a store.
func BenchmarkKeptAppend(b *testing.B) {
	f := newFixture(b, Options{Store: stores.NewMemory()})
	messages := make([]any, 10_000)
	for i := range messages {
		messages[i] = map[string]any{"id": i, "content": strings.Repeat("x", 80)}
	}
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"m": messages}})
	author := f.joined("author", "s")
	buffer := make([]byte, 0, 64<<10)
	number := 0
	b.ReportAllocs()
	for b.Loop() {
		number++
		author.peer.receive(fmt.Appendf(nil, `["patch",1,%d,0,[["add",["m","-"],{"id":%d,"content":"hello"}]]]`, number, number))
		buffer = drainAll([]*wire{author}, buffer)
	}
}
