//go:build !js

package transport_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

const patience = 20 * time.Second

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// Wherever the network is cut, the client has read the first frames whole and in
// order, and then hears that the connection is lost.
func TestServerIsCutOffAtAnyByte(t *testing.T) {
	for after := int64(0); ; after++ {
		fault := transporttest.Fault{Kind: transporttest.Cut, After: after, Slice: 7}
		client, server, err := connectFaulty(t, transporttest.Faults{Write: fault})
		if err != nil {
			continue // cut in the handshake
		}
		written := 0
		for ; written < 5 && server.Write(t.Context(), frameOf(written)) == nil; written++ {
		}
		uncut := server.Write(t.Context(), nil) == nil
		read, err := readAll(t, client)
		if !uncut && !errors.Is(err, transport.ErrLost) {
			t.Fatalf("cut after %d bytes: got %v, want %v", after, err, transport.ErrLost)
		}
		if read > written {
			t.Fatalf("cut after %d bytes: read %d frames, written %d", after, read, written)
		}
		client.Abort()
		server.Abort()
		if uncut {
			return
		}
	}
}

func TestSlicedNetwork(t *testing.T) {
	slice := transporttest.Fault{Slice: 1}
	client, server, err := connectFaulty(t, transporttest.Faults{Read: slice, Write: slice})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to transport.Conn }{{client, server}, {server, client}} {
		go func() {
			for i := range 5 {
				_ = c.from.Write(t.Context(), frameOf(i))
			}
			_ = c.from.Write(t.Context(), nil)
		}()
		if n, err := readAll(t, c.to); n != 5 || err != nil {
			t.Errorf("read %d frames, then %v", n, err)
		}
	}
	client.Abort()
	server.Abort()
}

func frameOf(i int) []byte { return fmt.Appendf(nil, "frame %d", i) }

// readAll reads up to an error or an empty frame, and holds the frames against
// what was written.
func readAll(t *testing.T, c transport.Conn) (frames int, err error) {
	t.Helper()
	for ; ; frames++ {
		frame, err := c.Read(t.Context())
		if err != nil || len(frame) == 0 {
			return frames, err
		}
		if string(frame) != string(frameOf(frames)) {
			t.Fatalf("frame %d: got %q", frames, frame)
		}
	}
}
