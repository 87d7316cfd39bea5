//go:build !js

package transport_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// raw is a client that writes what it likes.
type raw struct {
	net.Conn
	t  testing.TB
	in *bufio.Reader
}

const rawHandshake = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// dialRaw does a handshake. What is given besides comes with it in one piece.
func dialRaw(t testing.TB, o transport.AcceptOptions, besides ...[]byte) (*raw, transport.Conn) {
	t.Helper()
	address, accepted := serve(t, o)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := &raw{Conn: conn, t: t, in: bufio.NewReader(conn)}
	r.send(append([]byte(rawHandshake), bytes.Join(besides, nil)...))
	for line := " "; line != "\r\n"; {
		if line, err = r.in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	server := <-accepted
	t.Cleanup(server.Abort)
	return r, server
}

func (r *raw) send(p []byte) {
	r.t.Helper()
	if _, err := r.Write(p); err != nil {
		r.t.Fatal(err)
	}
}

// next reads a fragment of the server.
func (r *raw) next() (first byte, payload []byte, err error) {
	first, err = r.in.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	size, err := r.in.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, size) // the tests need no longer ones
	_, err = io.ReadFull(r.in, payload)
	return first, payload, err
}

// wantClose reads up to the close frame and the end of the connection.
func (r *raw) wantClose(code int) {
	r.t.Helper()
	for {
		first, payload, err := r.next()
		if err != nil {
			r.t.Fatalf("got %v, want a close frame with code %d", err, code)
		}
		if first != 0x88 {
			continue
		}
		if got := int(binary.BigEndian.Uint16(payload)); got != code {
			r.t.Errorf("got code %d and reason %q, want code %d", got, payload[2:], code)
		}
		break
	}
	if _, err := io.Copy(io.Discard, r.in); err != nil {
		r.t.Errorf("the close frame is followed by %v", err)
	}
}

// fragment returns a masked fragment; first is its first byte.
func fragment(first byte, payload string) []byte {
	p := header(first, uint64(len(payload)))
	key := []byte{0x12, 0x34, 0x56, 0x78}
	p = append(p, key...)
	for i := range len(payload) {
		p = append(p, payload[i]^key[i&3])
	}
	return p
}

// header returns the header of a masked fragment without its key.
func header(first byte, size uint64) []byte {
	switch {
	case size < 126:
		return []byte{first, 0x80 | byte(size)}
	case size <= 0xFFFF:
		return binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(size))
	}
	return binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, size)
}

func repeat(p []byte, n int) []byte { return bytes.Repeat(p, n) }

func TestPeerThatBreaksARule(t *testing.T) {
	empty := fragment(0x00, "")
	for _, c := range []struct {
		name string
		sent []byte
		want transport.Violation
		text string
		code int
	}{
		{"reserved bit", fragment(0xC1, "x"), transport.ProtocolViolation, "WebSocket protocol: reserved bits are set", 1002},
		{"reserved bit on a ping", fragment(0x99, ""), transport.ProtocolViolation, "WebSocket protocol: reserved bits are set", 1002},
		{"reserved opcode", fragment(0x83, "x"), transport.ProtocolViolation, "WebSocket protocol: opcode is reserved", 1002},
		{"reserved control opcode", fragment(0x8B, ""), transport.ProtocolViolation, "WebSocket protocol: opcode is reserved", 1002},
		{"no mask", []byte{0x81, 0x01, 'x'}, transport.ProtocolViolation, "WebSocket protocol: masking is not as the role demands", 1002},
		{"fragmented ping", fragment(0x09, ""), transport.ProtocolViolation, "WebSocket protocol: control frame is fragmented", 1002},
		{"long ping", fragment(0x89, strings.Repeat("x", 126)), transport.ProtocolViolation, "WebSocket protocol: control frame is larger than 125 bytes", 1002},
		{"16 bits for a short length", []byte{0x81, 0xFE, 0, 5, 0, 0, 0, 0}, transport.ProtocolViolation, "WebSocket protocol: length is not in its shortest form", 1002},
		{"64 bits for a short length", []byte{0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0}, transport.ProtocolViolation, "WebSocket protocol: length is not in its shortest form", 1002},
		{"negative length", append(header(0x81, 1<<63), 0, 0, 0, 0), transport.ProtocolViolation, "WebSocket protocol: length is not in its shortest form", 1002},
		{"continuation of nothing", fragment(0x80, "x"), transport.ProtocolViolation, "WebSocket protocol: a frame is continued that has not begun", 1002},
		{"frame in a frame", append(fragment(0x01, "x"), fragment(0x81, "y")...), transport.ProtocolViolation, "WebSocket protocol: a frame begins inside another", 1002},
		{"close of one byte", fragment(0x88, "x"), transport.ProtocolViolation, "WebSocket protocol: close frame is malformed", 1002},
		{"close with a code that is never sent", fragment(0x88, "\x03\xED"), transport.ProtocolViolation, "WebSocket protocol: close frame is malformed", 1002},
		{"binary", fragment(0x82, "x"), transport.NotText, "binary frames are not read here", 1003},
		{"not UTF-8", fragment(0x81, "a\xFFb"), transport.InvalidUTF8, "text frame is not valid UTF-8", 1007},
		{"half a character", fragment(0x81, "\xE7\x8A"), transport.InvalidUTF8, "text frame is not valid UTF-8", 1007},
		{"surrogate", fragment(0x81, "\xED\xA0\x80"), transport.InvalidUTF8, "text frame is not valid UTF-8", 1007},
		{"large, as its header says", append(header(0x81, 1<<40), 0, 0, 0, 0), transport.FrameTooLarge, "frame of 1099511627776 bytes is larger than 1000", 1009},
		{"large in fragments", append(fragment(0x01, strings.Repeat("x", 600)), fragment(0x80, strings.Repeat("x", 600))...), transport.FrameTooLarge, "frame of 1200 bytes is larger than 1000", 1009},
		{"endless empty fragments", append(fragment(0x01, ""), repeat(empty, 100)...), transport.TooManyFragments, "frame comes in too many fragments", 1008},
		{"flood of pings", repeat(fragment(0x89, "x"), 100), transport.TooManyPings, "too many pings and pongs within a second", 1008},
		{"flood of pongs", repeat(fragment(0x8A, ""), 100), transport.TooManyPings, "too many pings and pongs within a second", 1008},
		{"flood of pings in a frame", append(fragment(0x01, "x"), repeat(fragment(0x89, ""), 100)...), transport.TooManyPings, "too many pings and pongs within a second", 1008},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent := append(fragment(0x81, "good"), c.sent...)
			peer, server := dialRaw(t, transport.AcceptOptions{ReadLimit: 1000, Fragments: 50, Pings: 10})
			peer.send(sent)
			if frame, err := server.Read(t.Context()); string(frame) != "good" || err != nil {
				t.Errorf("the frame before: got %q and %v", frame, err)
			}
			frame, err := server.Read(t.Context())
			var violation *transport.ViolationError
			if !errors.As(err, &violation) {
				t.Fatalf("got frame %q and error %v, want %s", frame, err, c.want)
			}
			if violation.Violation != c.want || violation.Reason != c.text {
				t.Errorf("got %s: %q, want %s: %q", violation.Violation, violation.Reason, c.want, c.text)
			}
			closed := make(chan error)
			go func() { closed <- server.Close(violation.Violation.Code(), violation.Reason) }()
			peer.wantClose(c.code)
			peer.Close()
			if err := <-closed; err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func TestPeerIsToldThoughItStillSends(t *testing.T) {
	peer, server := dialRaw(t, transport.AcceptOptions{})
	const size = 8 << 20
	go func() {
		_, _ = peer.Write(append(header(0x81, size), 0, 0, 0, 0))
		_, _ = peer.Write(make([]byte, size))
	}()
	_, err := server.Read(t.Context())
	if err == nil {
		t.Fatal("read a frame over the limit")
	}
	closed := make(chan error)
	go func() { closed <- server.Close(1009, err.Error()) }()
	peer.wantClose(1009)
	peer.Close()
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestFragmentsAreJoined(t *testing.T) {
	early := fragment(0x81, "came with the handshake")
	peer, server := dialRaw(t, transport.AcceptOptions{}, early)
	peer.send(bytes.Join([][]byte{
		fragment(0x01, "a\xE7"), fragment(0x89, "ping"), fragment(0x00, ""), fragment(0x00, "\x8A"), fragment(0x80, "\xB6"),
		fragment(0x01, ""), fragment(0x80, ""),
		fragment(0x81, strings.Repeat("x", 70_000)),
	}, nil))
	for _, want := range []string{"came with the handshake", "a状", "", strings.Repeat("x", 70_000)} {
		if frame, err := server.Read(t.Context()); string(frame) != want || err != nil {
			t.Errorf("got %d bytes and %v, want %d", len(frame), err, len(want))
		}
	}
	if first, payload, err := peer.next(); first != 0x8A || string(payload) != "ping" || err != nil {
		t.Errorf("got %#x %q and %v, want a pong", first, payload, err)
	}
}

// Half a frame must never pass for a whole one, wherever the connection ends.
func TestFrameThatIsCutOffIsNotDelivered(t *testing.T) {
	stream := bytes.Join([][]byte{
		fragment(0x81, "first"), fragment(0x01, "sec"), fragment(0x89, "p"), fragment(0x00, "on"), fragment(0x80, "d"), fragment(0x81, strings.Repeat("t", 200)),
	}, nil)
	whole := []string{"first", "second", strings.Repeat("t", 200)}
	for end := range stream {
		peer, server := dialRaw(t, transport.AcceptOptions{})
		peer.send(stream[:end])
		if err := peer.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			frame, err := server.Read(t.Context())
			if err == nil && i < len(whole) && string(frame) == whole[i] {
				continue
			}
			if !errors.Is(err, transport.ErrLost) {
				t.Fatalf("cut after %d bytes: got frame %q and error %v", end, frame, err)
			}
			break
		}
		server.Abort()
	}
}

func TestSlowPeer(t *testing.T) {
	half := fragment(0x81, "0123456789")
	for _, c := range []struct {
		name  string
		begin []byte
		drip  []byte // sent a byte at a time, for ever
	}{
		{"one byte of a header", half[:1], nil},
		{"a header", half[:6], nil},
		{"half a payload", half[:10], nil},
		{"a fragment", fragment(0x01, "x"), nil},
		{"half a ping", fragment(0x89, "ping")[:4], nil},
		{"a byte now and then", nil, fragment(0x81, strings.Repeat("x", 900))},
		{"a fragment now and then", fragment(0x01, ""), repeat(fragment(0x00, ""), 100)},
	} {
		t.Run(c.name, func(t *testing.T) {
			peer, server := dialRaw(t, transport.AcceptOptions{FrameTimeout: 100 * time.Millisecond})
			peer.send(c.begin)
			go drip(peer, c.drip)
			_, err := server.Read(t.Context())
			var violation *transport.ViolationError
			if !errors.As(err, &violation) || violation.Violation != transport.FrameTooSlow {
				t.Fatalf("got %v, want %s", err, transport.FrameTooSlow)
			}
			if want := "frame was not whole within 100ms"; violation.Reason != want {
				t.Errorf("got %q, want %q", violation.Reason, want)
			}
			closed := make(chan error)
			go func() { closed <- server.Close(violation.Violation.Code(), violation.Reason) }()
			peer.wantClose(1008)
			peer.Close()
			<-closed
		})
	}
}

// drip sends a byte every few milliseconds until it cannot.
func drip(peer net.Conn, p []byte) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := range p {
		<-tick.C
		if _, err := peer.Write(p[i : i+1]); err != nil {
			return
		}
	}
}

// The time of a frame counts from its own first byte, also where the end of
// one frame and the beginning of the next come together.
func TestFramesThatOverlapAreNotSlow(t *testing.T) {
	const frames = 12
	peer, server := dialRaw(t, transport.AcceptOptions{FrameTimeout: 150 * time.Millisecond})
	one := fragment(0x81, "0123456789")
	go func() {
		tick := time.NewTicker(30 * time.Millisecond)
		defer tick.Stop()
		_, _ = peer.Write(one[:8])
		for range frames - 1 {
			<-tick.C
			_, _ = peer.Write(append(bytes.Clone(one[8:]), one[:8]...))
		}
		_, _ = peer.Write(one[8:])
	}()
	for range frames {
		if frame, err := server.Read(t.Context()); string(frame) != "0123456789" || err != nil {
			t.Fatalf("got %q and %v", frame, err)
		}
	}
}

func TestSilentPeerIsNotSlow(t *testing.T) {
	peer, server := dialRaw(t, transport.AcceptOptions{FrameTimeout: 20 * time.Millisecond})
	one := fragment(0x81, "x")
	go func() {
		tick := time.NewTicker(60 * time.Millisecond)
		defer tick.Stop()
		for range 3 {
			_, _ = peer.Write(one[:3])
			_, _ = peer.Write(one[3:])
			<-tick.C
		}
	}()
	for range 3 {
		if frame, err := server.Read(t.Context()); string(frame) != "x" || err != nil {
			t.Fatalf("got %q and %v", frame, err)
		}
	}
}

func TestPeerThatPingsNowAndThen(t *testing.T) {
	peer, server := dialRaw(t, transport.AcceptOptions{})
	for range 5 {
		peer.send(fragment(0x89, "x"))
		peer.send(fragment(0x81, "frame"))
		if frame, err := server.Read(t.Context()); string(frame) != "frame" || err != nil {
			t.Fatalf("got %q and %v", frame, err)
		}
	}
}
