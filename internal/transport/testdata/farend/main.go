// Command farend is a WebSocket server whose ends are driven over HTTP. The
// js/wasm tests of package transport start it, and have with it the other end of
// the connections that they make. It prints its address, and ends when its
// standard input does.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	e := &ends{conns: map[string]*end{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /connect", e.connect)
	mux.HandleFunc("GET /refuse", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	mux.HandleFunc("POST /read", e.read)
	mux.HandleFunc("POST /write", e.write)
	mux.HandleFunc("POST /close", e.close)
	mux.HandleFunc("POST /abort", e.abort)
	mux.HandleFunc("POST /subprotocol", e.subprotocol)
	fmt.Fprintln(os.Stderr, http.Serve(listener, mux))
	os.Exit(1)
}

// ends are the accepted connections by the id that the test chose.
type ends struct {
	mu    sync.Mutex
	conns map[string]*end
}

type end struct {
	ready chan struct{}
	conn  transport.Conn
}

func (e *ends) of(r *http.Request) *end {
	e.mu.Lock()
	defer e.mu.Unlock()
	id := r.FormValue("id")
	if e.conns[id] == nil {
		e.conns[id] = &end{ready: make(chan struct{})}
	}
	return e.conns[id]
}

func (e *ends) conn(r *http.Request) transport.Conn {
	c := e.of(r)
	<-c.ready
	return c.conn
}

func (e *ends) connect(w http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	timeout, _ := time.ParseDuration(r.FormValue("timeout"))
	conn, err := transport.Accept(w, r, transport.AcceptOptions{
		Subprotocols: r.Form["subprotocol"], ReadLimit: limit, WriteTimeout: timeout,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	c := e.of(r)
	c.conn = conn
	close(c.ready)
}

func (e *ends) read(w http.ResponseWriter, r *http.Request) {
	frame, err := e.conn(r).Read(r.Context())
	answer(w, frame, err)
}

func (e *ends) write(w http.ResponseWriter, r *http.Request) {
	frame, err := io.ReadAll(r.Body)
	if err == nil {
		err = e.conn(r).Write(r.Context(), frame)
	}
	answer(w, nil, err)
}

func (e *ends) close(w http.ResponseWriter, r *http.Request) {
	code, _ := strconv.Atoi(r.FormValue("code"))
	answer(w, nil, e.conn(r).Close(code, r.FormValue("reason")))
}

func (e *ends) abort(w http.ResponseWriter, r *http.Request) {
	e.conn(r).Abort()
	answer(w, nil, nil)
}

func (e *ends) subprotocol(w http.ResponseWriter, r *http.Request) {
	answer(w, []byte(e.conn(r).Subprotocol()), nil)
}

// answer tells an error by its kind, with status 409, and in the body what a
// typed error holds.
func answer(w http.ResponseWriter, body []byte, err error) {
	var closed *transport.CloseError
	var violation *transport.ViolationError
	kind, detail := "other", ""
	switch {
	case err == nil:
		_, _ = w.Write(body)
		return
	case errors.As(err, &closed):
		kind, detail = "close", strconv.Itoa(closed.Code)+" "+closed.Reason
	case errors.As(err, &violation):
		kind, detail = "violation", string(violation.Violation)
	case errors.Is(err, transport.ErrClosed):
		kind = "closed"
	case errors.Is(err, transport.ErrLost):
		kind = "lost"
	case errors.Is(err, transport.ErrWriteTimeout):
		kind = "timeout"
	default:
		detail = err.Error()
	}
	w.WriteHeader(http.StatusConflict)
	_, _ = io.WriteString(w, kind+" "+detail)
}
