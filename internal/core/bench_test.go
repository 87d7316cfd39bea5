package core

import (
	"fmt"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// BenchmarkRemoteAppends applies 100,000 appends of another client to one list, 100 to a frame.
func BenchmarkRemoteAppends(b *testing.B) {
	const appends, batch = 100_000, 100
	var frames [][]byte
	for version := 1; version <= appends; version += batch {
		m := protocol.Entries{N: 1, Version: uint64(version)}
		for i := range batch {
			m.Ops = append(m.Ops, []document.Op{{
				Kind: document.Add, Path: document.Path{document.Key("messages"), document.Elem(version - 1 + i)},
				Value: document.MustOf(map[string]any{"content": "message", "number": version + i}),
			}})
		}
		frames = append(frames, m.Append(nil))
	}
	b.ReportAllocs()
	for b.Loop() {
		s := joinedState(b, `{"messages":[]}`)
		for _, frame := range frames {
			s.core.Received(1, frame)
			s.core.Effects()
		}
		if s.View().Get("messages").Len() != appends {
			b.Fatal("appends are missing")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*appends), "ns/append")
}

// BenchmarkOwnChange submits an append, sends it and has it accepted while 500 others are pending.
func BenchmarkOwnChange(b *testing.B) {
	s := joinedState(b, `{"messages":[]}`)
	change := Patch{Ops: []document.PatchOp{{Kind: document.Add, Path: "/messages/-", Value: document.MustOf("hello")}}}
	for range 500 {
		mustSubmit(b, s, change)
	}
	frame := make([]byte, 0, 1<<16)
	number := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		mustSubmit(b, s, change)
		frame = s.core.Output(1, frame[:0], 1<<16)
		number++
		frame = protocol.Accepted{N: 1, Number: number, Version: number}.Append(frame[:0])
		s.core.Received(1, frame)
		s.core.Effects()
	}
	if len(s.pending) != 500 {
		b.Fatal("changes are missing")
	}
}

// BenchmarkRemoteBesidePending applies an entry of another client while 500 own changes are pending, to a property that
// they touch and to one that they do not.
func BenchmarkRemoteBesidePending(b *testing.B) {
	for _, property := range []string{"messages", "other"} {
		b.Run(property, func(b *testing.B) {
			s := joinedState(b, `{"messages":[],"other":[]}`)
			for range 500 {
				mustSubmit(b, s, Patch{Ops: []document.PatchOp{{Kind: document.Add, Path: "/messages/-", Value: document.MustOf("hello")}}})
			}
			version := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				version++
				s.core.Received(1, []byte(fmt.Sprintf(`["entries",1,%d,[["add",["%s",%d],"x"]]]`, version, property, version-1)))
				s.core.Effects()
			}
		})
	}
}

func mustSubmit(tb testing.TB, s *State, change Change) Ticket {
	tb.Helper()
	ticket, err := s.Submit(1, change)
	if err != nil {
		tb.Fatal(err)
	}
	return ticket
}

// joinedState returns the state "abc" of a core that has joined it at version 0.
func joinedState(tb testing.TB, value string) *State {
	tb.Helper()
	c, err := New(Config{Session: "0123456789abcdef", ClientIdentifier: "client", Random: func() uint64 { return 0 }})
	if err != nil {
		tb.Fatal(err)
	}
	s := c.Join("abc")
	c.Start(1)
	c.Connected(1)
	c.Output(1, nil, 1<<20)
	c.Received(1, []byte(`["welcome","s1",{"heartbeat":15000,"window":512,"windowBytes":4194304,"maxMessage":1048576}]`+
		"\n"+`["joined",1,"epoch",0,0,[],`+value+`]`))
	c.Effects()
	if s.Phase() != StateJoined {
		tb.Fatalf("the state is %s", s.Phase())
	}
	return s
}

// BenchmarkRemoteChange applies a small entry of another client, alone in its frame.
func BenchmarkRemoteChange(b *testing.B) {
	s := joinedState(b, `{"list":[1,2,3],"n":0,"other":{"a":1}}`)
	version := uint64(0)
	var frames [][]byte
	for i := range 1 << 10 {
		frames = append(frames, []byte(fmt.Sprintf(`["entries",1,%d,[["add",["n"],%d]]]`, i+1, i+1)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if version == 1<<10 {
			s = joinedState(b, `{"list":[1,2,3],"n":0,"other":{"a":1}}`)
			version = 0
		}
		s.core.Received(1, frames[version])
		s.core.Effects()
		version++
	}
}
