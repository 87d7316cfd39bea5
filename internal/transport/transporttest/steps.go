package transporttest

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// numbered returns a frame that tells its place.
func numbered(i int) []byte { return []byte(`["frame",` + strconv.Itoa(i) + `]`) }

// text returns a frame of size bytes, with characters of one and three bytes.
func text(size int) []byte {
	frame := bytes.Repeat([]byte("state 状"), size/9+1)[:size]
	return bytes.ToValidUTF8(frame, []byte("..."))[:size]
}

func write(ctx context.Context, t *testing.T, c transport.Conn, frame []byte) {
	t.Helper()
	if err := c.Write(ctx, frame); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func read(ctx context.Context, t *testing.T, c transport.Conn) []byte {
	t.Helper()
	frame, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return frame
}

// transfer writes want at one end, which must arrive at the other.
func transfer(ctx context.Context, t *testing.T, from, to transport.Conn, want []byte) {
	t.Helper()
	written := make(chan error, 1)
	go func() { written <- from.Write(ctx, want) }()
	if got := read(ctx, t, to); !bytes.Equal(got, want) {
		t.Fatalf("got a frame of %d bytes, want another of %d", len(got), len(want))
	}
	if err := <-written; err != nil {
		t.Fatalf("write: %v", err)
	}
}

// reading reads in the background until there is an error.
func reading(ctx context.Context, c transport.Conn) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(ctx)
		ended <- err
	}()
	return ended
}

// filling writes in the background until there is an error. The peer does not
// read.
func filling(ctx context.Context, c transport.Conn) <-chan error {
	ended := make(chan error, 1)
	frame := text(100_000)
	go func() {
		for range 1000 {
			if err := c.Write(ctx, frame); err != nil {
				ended <- err
				return
			}
		}
		ended <- errors.New("wrote 100 MB to a peer that does not read")
	}()
	return ended
}

func wantClose(ctx context.Context, t *testing.T, c transport.Conn, code int, reason string) {
	t.Helper()
	frame, err := c.Read(ctx)
	checkClose(t, frame, err, code, reason)
}

func checkClose(t *testing.T, frame []byte, err error, code int, reason string) {
	t.Helper()
	var closed *transport.CloseError
	if !errors.As(err, &closed) {
		t.Fatalf("got frame %q and error %v, want a close with code %d", frame, err, code)
	}
	if closed.Code != code || closed.Reason != reason {
		t.Errorf("got code %d and reason %q, want %d and %q", closed.Code, closed.Reason, code, reason)
	}
}

func wantViolation(t *testing.T, err error, want transport.Violation) {
	t.Helper()
	var violation *transport.ViolationError
	if !errors.As(err, &violation) || violation.Violation != want {
		t.Fatalf("got %v, want violation %s", err, want)
	}
}
