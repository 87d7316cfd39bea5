package transport_test

import (
	"context"
	"errors"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// fake is a WebSocket whose events the test fires.
type fake struct {
	socket js.Value
	closed chan int // the number of arguments of each call of close
	sent   []string
}

// fakeReadLimit is how many bytes a frame may have that a fake receives.
const fakeReadLimit = 1 << 20

// dialFake connects to a fake, and holds that no js.Func is left in the end.
func dialFake(t *testing.T) (*fake, transport.Conn) {
	t.Helper()
	f := &fake{closed: make(chan int, 10)}
	var functions []js.Func
	function := func(call func(arguments []js.Value)) js.Func {
		functions = append(functions, js.FuncOf(func(_ js.Value, arguments []js.Value) any {
			call(arguments)
			return f.socket
		}))
		return functions[len(functions)-1]
	}
	f.socket = js.ValueOf(map[string]any{
		"readyState": 1, "bufferedAmount": 0, "protocol": "",
		"close": function(func(arguments []js.Value) { f.closed <- len(arguments) }),
		"send":  function(func(arguments []js.Value) { f.sent = append(f.sent, arguments[0].String()) }),
	})
	constructor := function(func([]js.Value) {
		go func() {
			for f.socket.Get("onopen").IsUndefined() {
				time.Sleep(time.Millisecond) // lets the page go on
			}
			f.fire("open", nil)
		}()
	})
	c, err := transport.Dial(t.Context(), "ws://fake", transport.DialOptions{
		ReadLimit:       fakeReadLimit,
		WriteTimeout:    100,
		PlatformOptions: transport.PlatformOptions{WebSocket: constructor.Value, SendBuffer: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Abort()
		if n := transport.Handlers(); n != 0 {
			t.Errorf("%d js.Funcs are alive", n)
		}
		for _, function := range functions {
			function.Release()
		}
	})
	return f, c
}

func (f *fake) fire(kind string, fields map[string]any) {
	event := js.ValueOf(map[string]any{"type": kind})
	for name, value := range fields {
		event.Set(name, value)
	}
	if handler := f.socket.Get("on" + kind); !handler.IsNull() {
		handler.Invoke(event)
	}
}

func (f *fake) message(data any) { f.fire("message", map[string]any{"data": data}) }

func TestPageEventsAreReadInOrder(t *testing.T) {
	f, c := dialFake(t)
	f.message("one")
	f.message("")
	f.message("three")
	f.fire("error", nil)
	f.fire("close", map[string]any{"code": 4000, "reason": "bye"})
	f.message("after the end")
	for _, want := range []string{"one", "", "three"} {
		if frame, err := c.Read(t.Context()); string(frame) != want || err != nil {
			t.Errorf("got %q and %v, want %q", frame, err, want)
		}
	}
	for range 2 {
		frame, err := c.Read(t.Context())
		if err == nil || err.Error() != "peer closed the connection with code 4000: bye" {
			t.Errorf("got %q and %v", frame, err)
		}
	}
}

func TestPageRefusesBinary(t *testing.T) {
	f, c := dialFake(t)
	f.message("text")
	f.message(js.Global().Get("Uint8Array").New(3))
	f.message("more text")
	if frame, err := c.Read(t.Context()); string(frame) != "text" || err != nil {
		t.Errorf("got %q and %v", frame, err)
	}
	_, err := c.Read(t.Context())
	var violation *transport.ViolationError
	if !errors.As(err, &violation) || violation.Violation != transport.NotText {
		t.Errorf("got %v, want %s", err, transport.NotText)
	}
}

func TestPageSendsOnlyTheCodesThatItMay(t *testing.T) {
	for code, arguments := range map[int]int{1000: 2, 1001: 0, 1009: 0, 0: 0, 3000: 2, 4999: 2, 5000: 0} {
		f, c := dialFake(t)
		closed := make(chan error)
		go func() { closed <- c.Close(code, "why") }()
		got := <-f.closed
		f.fire("close", map[string]any{"code": 1005, "reason": ""})
		if err := <-closed; err != nil || got != arguments || len(f.closed) > 0 {
			t.Errorf("code %d: close was called with %d arguments and gave %v, want %d", code, got, err, arguments)
		}
	}
}

func TestPageThatDoesNotClose(t *testing.T) {
	_, c := dialFake(t)
	err := c.Close(1000, "")
	if err == nil || err.Error() != "connection lost: the page did not close the WebSocket in time" {
		t.Errorf("got %v", err)
	}
}

func TestPageThatDoesNotSend(t *testing.T) {
	f, c := dialFake(t)
	f.socket.Set("bufferedAmount", 900)
	if err := c.Write(t.Context(), []byte(strings.Repeat("x", 100))); err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), []byte(strings.Repeat("x", 101))); !errors.Is(err, transport.ErrWriteTimeout) {
		t.Errorf("got %v, want %v", err, transport.ErrWriteTimeout)
	}
	if len(f.sent) != 1 || <-f.closed != 0 {
		t.Errorf("sent %d frames", len(f.sent))
	}
	if _, err := c.Read(t.Context()); !errors.Is(err, transport.ErrLost) || !errors.Is(err, transport.ErrWriteTimeout) {
		t.Errorf("got %v", err)
	}
}

func TestPageSendsALargeFrameAlone(t *testing.T) {
	f, c := dialFake(t)
	f.socket.Set("bufferedAmount", 1)
	time.AfterFunc(20*time.Millisecond, func() { f.socket.Set("bufferedAmount", 0) })
	if err := c.Write(t.Context(), []byte(strings.Repeat("x", 5000))); err != nil || len(f.sent) != 1 {
		t.Errorf("got %v, sent %d", err, len(f.sent))
	}
}

func TestPageThatThrows(t *testing.T) {
	f, c := dialFake(t)
	f.socket.Set("send", js.Global().Get("Promise")) // throws when it is called without new
	if err := c.Write(t.Context(), []byte("x")); !errors.Is(err, transport.ErrLost) {
		t.Errorf("got %v, want %v", err, transport.ErrLost)
	}
}

func TestPageHoldsABoundedBacklog(t *testing.T) {
	f, c := dialFake(t)
	megabyte := js.ValueOf(strings.Repeat("x", 1<<20))
	for range 64 {
		f.message(megabyte)
	}
	_, err := c.Read(t.Context())
	if err == nil || err.Error() != "connection lost: more than 64 MiB of frames wait to be read" {
		t.Errorf("got %v", err)
	}
}

func TestPageReadEndsWithItsContext(t *testing.T) {
	f, c := dialFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.message("not lost")
	if _, err := c.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if frame, err := c.Read(t.Context()); string(frame) != "not lost" || err != nil {
		t.Errorf("got %q and %v", frame, err)
	}
}
