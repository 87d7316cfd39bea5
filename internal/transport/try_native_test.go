//go:build !js

package transport_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

// trying is a connection that writes by TryWrite.
type trying struct{ transport.Trier }

func (c trying) Write(b transport.Bound, frame []byte) error {
	rest, err := c.TryWrite(b, frame)
	if rest != nil {
		return rest()
	}
	return err
}

func TestTryWriteConforms(t *testing.T) {
	transporttest.Conform(t, func(t *testing.T, s transporttest.Settings) (near, far transport.Conn) {
		client, server := connectWebSocket(t, s)
		return trying{server.(transport.Trier)}, client
	})
}

// stuck writes until the peer, which does not read, takes nothing more, and returns what writes the rest.
func stuck(t *testing.T, c transport.Trier, frame []byte) (rest func() error, whole int) {
	t.Helper()
	for range 10_000 {
		rest, err := c.TryWrite(t.Context(), frame)
		switch {
		case err != nil:
			t.Fatal(err)
		case rest != nil:
			return rest, whole
		}
		whole++
	}
	t.Fatal("the kernel takes everything")
	return nil, 0
}

func TestTryWriteDoesNotWait(t *testing.T) {
	client, server := connectPlain(t)
	frame := bytes.Repeat([]byte("x"), 100_000)
	rest, whole := stuck(t, server.(transport.Trier), frame)
	written := make(chan error, 1)
	go func() { written <- rest() }()
	for i := range whole + 1 {
		if got, err := client.Read(t.Context()); err != nil || !bytes.Equal(got, frame) {
			t.Fatalf("frame %d of %d: %d bytes and %v", i, whole+1, len(got), err)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if rest, err := server.(transport.Trier).TryWrite(t.Context(), []byte("more")); rest != nil || err != nil {
		t.Fatalf("after the rest: %v, rest %v", err, rest != nil)
	}
	if got, err := client.Read(t.Context()); string(got) != "more" || err != nil {
		t.Fatalf("got %q and %v", got, err)
	}
}

// A frame that another goroutine has begun is not waited for either.
func TestTryWriteDoesNotWaitForAnother(t *testing.T) {
	client, server := connectPlain(t)
	frame := bytes.Repeat([]byte("x"), 100_000)
	first, whole := stuck(t, server.(transport.Trier), frame)
	second, err := server.(transport.Trier).TryWrite(t.Context(), []byte("last"))
	if second == nil || err != nil {
		t.Fatalf("a frame went between the pieces of another: %v", err)
	}
	written := make(chan error, 2)
	go func() {
		written <- first()
		written <- second()
	}()
	for range whole + 1 {
		if got, err := client.Read(t.Context()); err != nil || !bytes.Equal(got, frame) {
			t.Fatalf("%d bytes and %v", len(got), err)
		}
	}
	if got, err := client.Read(t.Context()); string(got) != "last" || err != nil {
		t.Fatalf("got %q and %v", got, err)
	}
	for range cap(written) {
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
}

func TestAbortEndsTheRest(t *testing.T) {
	_, server := connectPlain(t)
	rest, _ := stuck(t, server.(transport.Trier), bytes.Repeat([]byte("x"), 100_000))
	server.Abort()
	if err := rest(); err != transport.ErrClosed {
		t.Errorf("got %v, want %v", err, transport.ErrClosed)
	}
}

func TestTryWriteAllocatesNothing(t *testing.T) {
	client, server := connectPlain(t)
	frame := make([]byte, 100)
	allocatesNothing(t, client, func() {
		rest, err := server.(transport.Trier).TryWrite(t.Context(), frame)
		if rest != nil || err != nil {
			t.Fatalf("the network does not take 100 bytes at once: %v", err)
		}
	})
}

// The deadline of a rest that had to wait is none for what is written later without waiting.
func TestTryWriteAfterTheDeadlineOfARest(t *testing.T) {
	t.Parallel()
	const timeout = time.Second // a busy machine has a second to read
	address, accepted := serve(t, transport.AcceptOptions{WriteTimeout: timeout})
	client, err := transport.Dial(t.Context(), address, transport.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := (<-accepted).(transport.Trier)
	defer client.Abort()
	defer server.Abort()
	rest, whole := stuck(t, server, bytes.Repeat([]byte("x"), 100_000))
	written := make(chan error, 1)
	go func() { written <- rest() }()
	for range whole + 1 {
		if _, err := client.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * timeout) // the deadline of the rest, at most one and a half of it, is over
	if rest, err := server.TryWrite(t.Context(), []byte("later")); rest != nil || err != nil {
		t.Fatalf("got %v, rest %v", err, rest != nil)
	}
	if got, err := client.Read(t.Context()); string(got) != "later" || err != nil {
		t.Fatalf("got %q and %v", got, err)
	}
}
