package core

import (
	"fmt"
	"testing"
)

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
