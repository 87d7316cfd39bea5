package pipe_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/pipe"
	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

func connectPipe(t *testing.T, s transporttest.Settings) (near, far transport.Conn) {
	o := pipe.Options{ReadLimit: s.ReadLimit, WriteTimeout: s.WriteTimeout}
	if len(s.Subprotocols) > 0 {
		o.Subprotocol = s.Subprotocols[0]
	}
	return pipe.New(o)
}

func TestPipeConforms(t *testing.T) {
	for _, c := range transporttest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.Run(t, connectPipe) })
		})
	}
}

func TestPipeHoldsAtMostItsBuffer(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame []byte
		held  int
	}{
		{"frames", make([]byte, 968), 10},
		{"empty frames", nil, 312},
		{"one frame is always taken", make([]byte, 1<<20), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := pipe.New(pipe.Options{Buffer: 10_000, WriteTimeout: time.Minute})
				defer far.Abort()
				held := 0
				for ; near.Write(t.Context(), c.frame) == nil; held++ {
				}
				if held != c.held {
					t.Errorf("held %d frames, want %d", held, c.held)
				}
			})
		})
	}
}

func TestPipeWriteGoesOnWhenThePeerReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := pipe.New(pipe.Options{Buffer: 100, WriteTimeout: time.Minute})
		defer near.Abort()
		written := make(chan error)
		go func() {
			for range 10 {
				written <- near.Write(context.Background(), make([]byte, 90))
			}
			close(written)
		}()
		for range 10 {
			time.Sleep(30 * time.Second)
			if _, err := far.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		}
		<-written
	})
}

func TestPipeAbortLosesWhatWasNotRead(t *testing.T) {
	near, far := pipe.New(pipe.Options{})
	if err := near.Write(t.Context(), []byte("lost")); err != nil {
		t.Fatal(err)
	}
	near.Abort()
	if frame, err := far.Read(t.Context()); !errors.Is(err, transport.ErrLost) {
		t.Errorf("got %q and %v, want %v", frame, err, transport.ErrLost)
	}
}
