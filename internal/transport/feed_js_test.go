package transport_test

import (
	"errors"
	"strings"
	"syscall/js"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// feeder is a loader that feeds pages; number is that of the newest.
func feeder(t *testing.T) (number *int32) {
	t.Helper()
	number = new(int32)
	feed := js.FuncOf(func(_ js.Value, arguments []js.Value) any {
		*number = int32(arguments[1].Int())
		return nil
	})
	js.Global().Set(transport.FeedName, feed)
	t.Cleanup(func() {
		js.Global().Delete(transport.FeedName)
		feed.Release()
	})
	return number
}

func TestALoaderFeedsPages(t *testing.T) {
	number := feeder(t)
	f, c := dialFake(t)
	first := *number
	transport.Feed(first, "one")
	transport.Feed(first, "")
	transport.Feed(first, strings.Repeat("long ☃ ", 20_000))
	transport.Feed(first+1, "of nobody")
	for _, want := range []string{"one", "", strings.Repeat("long ☃ ", 20_000)} {
		if frame, err := c.Read(t.Context()); err != nil || string(frame) != want {
			t.Fatalf("read %.20q, %v, want %.20q", frame, err, want)
		}
	}
	f.message(js.ValueOf(map[string]any{})) // what is no string goes the other way
	var violation *transport.ViolationError
	if _, err := c.Read(t.Context()); !errors.As(err, &violation) {
		t.Errorf("a binary frame: %v", err)
	}
	c.Abort()
	transport.Feed(first, "late")
	if n := transport.Fed(); n != 0 {
		t.Errorf("%d pages are fed that are gone", n)
	}
}

// A client keeps values of more than document.Copied bytes in the memory of the frame that they came in.
func TestFramesThatAreKeptHaveMemoryOfTheirOwn(t *testing.T) {
	if transport.MostRoom > document.Copied {
		t.Errorf("the memory of frames of %d bytes is used again, and values of more than %d stay in it", transport.MostRoom, document.Copied)
	}
}

func TestFramesAreDeliveredAsTheyCome(t *testing.T) {
	number := feeder(t)
	f, c := dialFake(t)
	transport.Feed(*number, "before")
	f.message("and before")
	var got []string
	c.(transport.Pusher).Deliver(func(frame []byte) { got = append(got, string(frame)) })
	f.message("by the handler")
	transport.Feed(*number, "by the loader")
	if want := "before, and before, by the handler, by the loader"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	transport.Feed(*number, strings.Repeat("a", fakeReadLimit+1))
	transport.Feed(*number, "after what was wrong")
	var violation *transport.ViolationError
	if _, err := c.Read(t.Context()); !errors.As(err, &violation) || len(got) != 4 {
		t.Errorf("too large a frame: %v, and then %q", err, got[4:])
	}
}

func TestATextThatIsTooLongGetsNoRoom(t *testing.T) {
	number := feeder(t)
	_, c := dialFake(t)
	if transport.FeedTooLong(*number, 64<<20) {
		t.Fatal("a text of 64 MiB got no room")
	}
	if !transport.FeedTooLong(*number, 3*64<<20+1) {
		t.Fatal("a text of more than 192 MiB got room")
	}
	var violation *transport.ViolationError
	if _, err := c.Read(t.Context()); !errors.As(err, &violation) || violation.Violation != transport.FrameTooLarge {
		t.Errorf("got %v, want that the frame is too large", err)
	}
	c.Abort()
	if !transport.FeedTooLong(*number, 3*64<<20+1) {
		t.Error("afterwards a text got room")
	}
}
