//go:build !js

package transport

import (
	"bytes"
	"testing"
	"time"
)

// FuzzMeter holds that it does not matter in which pieces a stream comes, and
// that what comes before a breach ends where a fragment or its payload does. Only
// a close frame's reason is judged while it comes.
func FuzzMeter(f *testing.F) {
	f.Add([]byte("\x81\x02hi\x01\x00\x89\x01p\x80\x7E\x00\x7E"), uint8(3), false)
	f.Add([]byte("\x81\x82keyshi\x82\x80keys"), uint8(1), true)
	f.Add(bytes.Repeat([]byte("\x00\x00"), 50), uint8(7), false)
	f.Add([]byte("\x88\x04\x03\xE8\xC3\xA9\x88\x05\x03\xE8a\xC3b"), uint8(0), false)
	f.Add([]byte("\x01\x7F\x00\x00\x00\x00\x00\x01\x00\x00"), uint8(2), false)
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8, masked bool) {
		r := rules{masked: masked, readLimit: 1000, fragments: 10}
		whole, pieces := meter{rules: r}, meter{rules: r}
		kept, breach := whole.follow(stream)
		got, err := followPieces(&pieces, stream, int(piece)+1)
		if (err == nil) != (breach == nil) || err != nil && err.Error() != breach.Error() {
			t.Fatalf("whole: %v, in pieces: %v", breach, err)
		}
		if breach == nil && (whole != pieces || kept != len(stream)) {
			t.Errorf("whole: %+v, in pieces: %+v", whole, pieces)
		}
		if got < kept || got-kept >= maxHeader+maxShort {
			t.Errorf("whole: %d bytes kept, in pieces: %d", kept, got)
		}
	})
}

func followPieces(m *meter, stream []byte, piece int) (kept int, err error) {
	for len(stream) > 0 && err == nil {
		var n int
		n, err = m.follow(stream[:min(piece, len(stream))])
		kept += n
		stream = stream[min(piece, len(stream)):]
	}
	return kept, err
}

func TestMeterKnowsWhetherMoreMustCome(t *testing.T) {
	m := meter{rules: rules{readLimit: 10}}
	for _, step := range []struct {
		sent    string
		waiting bool
		begun   uint64
	}{
		{"\x81", true, 1},
		{"\x02", true, 1},
		{"h", true, 1},
		{"i", false, 1},
		{"\x01\x00", true, 2},
		{"\x89\x00", true, 2},
		{"\x80\x00", false, 2},
		{"\x89\x00\x8A", true, 4},
		{"\x00\x81\x00\x81\x01", true, 6},
		{"x", false, 6},
	} {
		if _, err := m.follow([]byte(step.sent)); err != nil {
			t.Fatal(err)
		}
		if m.waiting() != step.waiting || m.begun != step.begun {
			t.Errorf("after %q: waiting %v, begun %d, want %v, %d", step.sent, m.waiting(), m.begun, step.waiting, step.begun)
		}
	}
}

func TestMeterCountsPingsBySecond(t *testing.T) {
	m := meter{rules: rules{pings: 2}}
	start := time.Unix(1000, 0)
	for _, step := range []struct {
		after time.Duration
		ok    bool
	}{
		{0, true},
		{500 * time.Millisecond, true},
		{999 * time.Millisecond, false},
		{1000 * time.Millisecond, true},
		{1100 * time.Millisecond, true},
		{1200 * time.Millisecond, false},
	} {
		if err := m.countPing(start.Add(step.after)); (err == nil) != step.ok {
			t.Errorf("after %v: got %v", step.after, err)
		}
	}
}
