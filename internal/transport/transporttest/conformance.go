// Package transporttest has what tests need of connections: the suite that every
// transport passes, and a network that fails on demand.
package transporttest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// Settings are what a case of the suite asks of a connection. Zero values mean
// the defaults of the transport. They apply to both ends.
type Settings struct {
	ReadLimit    int
	WriteTimeout time.Duration
	Subprotocols []string // offered by one end and known to the other
}

// Connect returns both ends of a new connection. The case ends both.
type Connect func(t *testing.T, s Settings) (near, far transport.Conn)

// Case is one promise of transport.Conn.
type Case struct {
	Name string
	Run  func(t *testing.T, connect Connect)
}

// Conform runs the whole suite. The near end is the one under test; where both
// ends are, it is run twice.
func Conform(t *testing.T, connect Connect) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, connect) })
	}
}

// Cases returns the suite case by case.
func Cases() []Case {
	return []Case{
		{"frames arrive in order in both directions", order},
		{"frames of all sizes arrive unchanged", sizes},
		{"a frame over the limit is refused", overLimit},
		{"a frame that is not UTF-8 is refused", notUTF8},
		{"a frame may be changed once it is written", reuse},
		{"the frames before a close arrive", lastFrame},
		{"a close tells code and reason", closeTells},
		{"a close is answered once and for all", afterPeerClosed},
		{"close ends what waits", closeEnds},
		{"close does not wait for a peer that does not read", closeIsBounded},
		{"close by everybody at once", closeAtOnce},
		{"abort ends what waits at both ends", abortEnds},
		{"abort ends a write that waits", abortEndsWrite},
		{"a context ends a read, and the peer can be told", cancelRead},
		{"a context that has ended sends nothing", canceledWrite},
		{"a context ends a write that waits", cancelWrite},
		{"a peer that does not read times a write out", writeTimesOut},
		{"both ends know the subprotocol", subprotocol},
	}
}

// patience is how long the suite waits for what must happen.
const patience = 20 * time.Second

func open(t *testing.T, connect Connect, s Settings) (ctx context.Context, near, far transport.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	near, far = connect(t, s)
	t.Cleanup(func() {
		near.Abort()
		far.Abort()
		cancel()
	})
	return ctx, near, far
}

func order(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	const frames = 300
	done := make(chan error, 4)
	send := func(c transport.Conn) {
		var err error
		for i := 0; i < frames && err == nil; i++ {
			err = c.Write(ctx, numbered(i))
		}
		done <- err
	}
	receive := func(c transport.Conn) {
		for i := range frames {
			frame, err := c.Read(ctx)
			if err != nil || !bytes.Equal(frame, numbered(i)) {
				done <- errors.Join(err, errors.New("frame out of order: "+string(frame)))
				return
			}
		}
		done <- nil
	}
	go send(near)
	go send(far)
	go receive(near)
	go receive(far)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func sizes(t *testing.T, connect Connect) {
	const limit = 300_000
	ctx, near, far := open(t, connect, Settings{ReadLimit: limit})
	for _, size := range []int{0, 1, 125, 126, 127, 1023, 1024, 4081, 4096, 65535, 65536, 65537, 131072, limit} {
		want := text(size)
		transfer(ctx, t, near, far, want)
		transfer(ctx, t, far, near, want)
	}
}

func overLimit(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{ReadLimit: 1000})
	transfer(ctx, t, far, near, text(1000))
	told := reading(ctx, far)
	go func() { _ = far.Write(ctx, text(100_000)) }()
	_, err := near.Read(ctx)
	wantViolation(t, err, transport.FrameTooLarge)
	_, err = near.Read(ctx)
	wantViolation(t, err, transport.FrameTooLarge)
	_ = near.Close(4104, "frame is too large")
	checkClose(t, nil, <-told, 4104, "frame is too large")
}

func notUTF8(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	told := reading(ctx, far)
	write(ctx, t, far, []byte("{\"name\":\"\xff\"}"))
	_, err := near.Read(ctx)
	if errors.Is(err, transport.ErrLost) {
		<-told // a page checks this itself, closes, and does not say why
		return
	}
	wantViolation(t, err, transport.InvalidUTF8)
	_ = near.Close(4109, "not UTF-8")
	checkClose(t, nil, <-told, 4109, "not UTF-8")
}

func reuse(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	frame := text(5000)
	want := bytes.Clone(frame)
	write(ctx, t, near, frame)
	clear(frame)
	if got := read(ctx, t, far); !bytes.Equal(got, want) {
		t.Error("the frame changed after it was written")
	}
}

func lastFrame(t *testing.T, connect Connect) {
	for range 10 {
		ctx, near, far := open(t, connect, Settings{})
		closed := make(chan error, 1)
		for i := range 50 {
			write(ctx, t, far, numbered(i))
		}
		go func() { closed <- far.Close(4000, "the server stops") }()
		for i := range 50 {
			if got := read(ctx, t, near); !bytes.Equal(got, numbered(i)) {
				t.Fatalf("got frame %q, want %q", got, numbered(i))
			}
		}
		wantClose(ctx, t, near, 4000, "the server stops")
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func closeTells(t *testing.T, connect Connect) {
	long := strings.Repeat("ä", 100)
	for _, c := range []struct {
		code         int
		reason, want string
	}{
		{1000, "", ""},
		{3000, "bye", "bye"},
		{4321, `"quoted" and 漢字`, `"quoted" and 漢字`},
		{4999, long, long[:122]},
	} {
		ctx, near, far := open(t, connect, Settings{})
		go func() { _ = near.Close(c.code, c.reason) }()
		wantClose(ctx, t, far, c.code, c.want)

		ctx, near, far = open(t, connect, Settings{})
		go func() { _ = far.Close(c.code, c.reason) }()
		wantClose(ctx, t, near, c.code, c.want)
	}
}

func afterPeerClosed(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	go func() { _ = far.Close(4001, "first") }()
	wantClose(ctx, t, near, 4001, "first")
	wantClose(ctx, t, near, 4001, "first")
	if err := near.Write(ctx, text(10)); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("write: got %v, want %v", err, transport.ErrClosed)
	}
	if err := near.Close(4002, "second"); err != nil {
		t.Errorf("close: %v", err)
	}
	near.Abort()
}

func closeEnds(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	go func() { _, _ = far.Read(ctx) }()
	ended := reading(ctx, near)
	if err := near.Close(1000, ""); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-ended; !errors.Is(err, transport.ErrClosed) {
		t.Errorf("read: got %v, want %v", err, transport.ErrClosed)
	}
	if _, err := near.Read(ctx); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("read: got %v, want %v", err, transport.ErrClosed)
	}
	if err := near.Write(ctx, text(1)); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("write: got %v, want %v", err, transport.ErrClosed)
	}
}

func closeIsBounded(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	ended := filling(ctx, near)
	begun := time.Now()
	_ = near.Close(1000, "")
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("close took %v", took)
	}
	if err := <-ended; !errors.Is(err, transport.ErrClosed) {
		t.Errorf("write: got %v, want %v", err, transport.ErrClosed)
	}
	far.Abort()
}

func closeAtOnce(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	nearEnd, farEnd := reading(ctx, near), reading(ctx, far)
	done := make(chan struct{})
	closers := []func(){
		func() { _ = near.Close(4000, "near") },
		func() { _ = far.Close(4001, "far") },
		func() { _ = near.Close(4002, "near again") },
		func() { _ = far.Close(4003, "far again") },
	}
	for _, c := range closers {
		go func() { c(); done <- struct{}{} }()
	}
	for range closers {
		<-done
	}
	if err := <-nearEnd; err == nil {
		t.Error("read a frame that nobody wrote")
	}
	if err := <-farEnd; err == nil {
		t.Error("read a frame that nobody wrote")
	}
}

func abortEnds(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	nearEnd, farEnd := reading(ctx, near), reading(ctx, far)
	near.Abort()
	near.Abort()
	if err := <-nearEnd; !errors.Is(err, transport.ErrClosed) {
		t.Errorf("read here: got %v, want %v", err, transport.ErrClosed)
	}
	err := <-farEnd
	var closed *transport.CloseError
	if pageClosed := errors.As(err, &closed) && closed.Code == transport.CodeNoStatus; !pageClosed && !errors.Is(err, transport.ErrLost) {
		t.Errorf("read there: got %v, want %v", err, transport.ErrLost)
	}
	if err := near.Write(ctx, text(1)); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("write: got %v, want %v", err, transport.ErrClosed)
	}
}

func abortEndsWrite(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	ended := filling(ctx, near)
	near.Abort()
	if err := <-ended; !errors.Is(err, transport.ErrClosed) {
		t.Errorf("got %v, want %v", err, transport.ErrClosed)
	}
	far.Abort()
}

func cancelRead(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	for range 3 {
		transfer(ctx, t, far, near, text(10))
	}
	short, cancel := context.WithCancel(ctx)
	ended := reading(short, near)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("read: got %v, want %v", err, context.Canceled)
	}
	transfer(ctx, t, near, far, []byte("too late"))
	go func() { _ = near.Close(4004, "handshake timeout") }()
	wantClose(ctx, t, far, 4004, "handshake timeout")
}

func canceledWrite(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	ended, cancel := context.WithCancel(ctx)
	transfer(ended, t, near, far, []byte("before"))
	cancel()
	if err := near.Write(ended, []byte("never")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	transfer(ctx, t, near, far, []byte("after"))
}

func cancelWrite(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{})
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := <-filling(short, near); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	if err := near.Write(ctx, text(1)); err == nil {
		t.Error("wrote behind half a frame")
	}
	far.Abort()
}

func writeTimesOut(t *testing.T, connect Connect) {
	ctx, near, far := open(t, connect, Settings{WriteTimeout: 200 * time.Millisecond})
	if err := <-filling(ctx, near); !errors.Is(err, transport.ErrWriteTimeout) {
		t.Errorf("got %v, want %v", err, transport.ErrWriteTimeout)
	}
	if _, err := near.Read(ctx); err == nil {
		t.Error("read from a connection that was dropped")
	}
	far.Abort()
}

func subprotocol(t *testing.T, connect Connect) {
	_, near, far := open(t, connect, Settings{Subprotocols: []string{"state.v1"}})
	if near.Subprotocol() != "state.v1" || far.Subprotocol() != "state.v1" {
		t.Errorf("got %q and %q, want %q", near.Subprotocol(), far.Subprotocol(), "state.v1")
	}
}
