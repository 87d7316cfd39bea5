package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall/js"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

// farAddress is the host and port of the program testdata/farend.
var farAddress string

// TestMain starts the other end of the connections: a Go server.
func TestMain(m *testing.M) {
	stop, err := startFarEnd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start testdata/farend:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

func startFarEnd() (stop func(), err error) {
	environment := js.Global().Get("Object").New()
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); name != "GOOS" && name != "GOARCH" {
			environment.Set(name, value)
		}
	}
	child := js.Global().Call("require", "child_process").Call("spawn", "go", []any{"run", "./testdata/farend"},
		map[string]any{"env": environment, "stdio": []any{"pipe", "pipe", "inherit"}})
	address := make(chan string, 1)
	told := js.FuncOf(func(_ js.Value, arguments []js.Value) any {
		text := ""
		if arguments[0].Type() == js.TypeObject {
			text = arguments[0].Call("toString").String()
		}
		select {
		case address <- strings.TrimSpace(text):
		default:
		}
		return nil
	})
	child.Get("stdout").Call("on", "data", told)
	child.Call("on", "exit", told)
	farAddress = <-address
	if farAddress == "" {
		return nil, errors.New("it ended at once")
	}
	return func() { child.Get("stdin").Call("end") }, nil
}

// webSocket returns the WebSocket of the npm package ws.
func webSocket(t testing.TB) js.Value {
	t.Helper()
	folder, err := filepath.Abs("testdata/js/node_modules/ws")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("%v; run: npm ci --prefix internal/transport/testdata/js", err)
	}
	return js.Global().Call("require", folder)
}

var lastID atomic.Int64

func connectPage(t *testing.T, s transporttest.Settings) (near, far transport.Conn) {
	t.Helper()
	id := strconv.FormatInt(lastID.Add(1), 10)
	query := url.Values{"id": {id}, "subprotocol": s.Subprotocols}
	if s.ReadLimit > 0 {
		query.Set("limit", strconv.Itoa(s.ReadLimit))
	}
	if s.WriteTimeout > 0 {
		query.Set("timeout", s.WriteTimeout.String())
	}
	near, err := transport.Dial(t.Context(), "ws://"+farAddress+"/connect?"+query.Encode(), transport.DialOptions{
		ReadLimit:       s.ReadLimit,
		WriteTimeout:    s.WriteTimeout.Milliseconds(),
		Subprotocols:    s.Subprotocols,
		PlatformOptions: transport.PlatformOptions{WebSocket: webSocket(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return near, farEnd(id)
}

// farEnd is a Conn whose methods are called in the server.
type farEnd string

func (f farEnd) Read(b transport.Bound) ([]byte, error) {
	return f.call(b.(context.Context), "read", nil, nil)
}

func (f farEnd) Write(b transport.Bound, frame []byte) error {
	_, err := f.call(b.(context.Context), "write", nil, frame)
	return err
}

func (f farEnd) Close(code int, reason string) error {
	_, err := f.call(context.Background(), "close", url.Values{"code": {strconv.Itoa(code)}, "reason": {reason}}, nil)
	return err
}

func (f farEnd) Abort() { _, _ = f.call(context.Background(), "abort", nil, nil) }

func (f farEnd) Subprotocol() string {
	name, _ := f.call(context.Background(), "subprotocol", nil, nil)
	return string(name)
}

func (f farEnd) call(ctx context.Context, method string, query url.Values, body []byte) ([]byte, error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("id", string(f))
	control := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { control.Call("abort") })
	defer stop()
	response, err := await(js.Global().Call("fetch", "http://"+farAddress+"/"+method+"?"+query.Encode(), map[string]any{
		"method": "POST", "body": toJS(body), "signal": control.Get("signal"),
	}))
	if err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	content, err := await(response.Call("arrayBuffer"))
	if err != nil {
		return nil, err
	}
	answer := toGo(content)
	if response.Get("status").Int() != 200 {
		return nil, farError(answer)
	}
	return answer, nil
}

func farError(answer []byte) error {
	kind, detail, _ := bytes.Cut(answer, []byte(" "))
	switch string(kind) {
	case "close":
		code, reason, _ := strings.Cut(string(detail), " ")
		number, _ := strconv.Atoi(code)
		return &transport.CloseError{Code: number, Reason: reason}
	case "violation":
		return &transport.ViolationError{Violation: transport.Violation(detail)}
	case "closed":
		return transport.ErrClosed
	case "lost":
		return transport.ErrLost
	case "timeout":
		return transport.ErrWriteTimeout
	}
	return errors.New(string(answer))
}

// await waits for a promise.
func await(promise js.Value) (value js.Value, err error) {
	settled := make(chan struct{})
	then := js.FuncOf(func(_ js.Value, arguments []js.Value) any {
		value = arguments[0]
		close(settled)
		return nil
	})
	catch := js.FuncOf(func(_ js.Value, arguments []js.Value) any {
		err = errors.New(arguments[0].Call("toString").String())
		close(settled)
		return nil
	})
	defer then.Release()
	defer catch.Release()
	promise.Call("then", then, catch)
	<-settled
	return value, err
}

func toJS(p []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(p))
	js.CopyBytesToJS(array, p)
	return array
}

func toGo(buffer js.Value) []byte {
	array := js.Global().Get("Uint8Array").New(buffer)
	p := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(p, array)
	return p
}
