package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// maxHeaderBytes bounds the headers of a request.
const maxHeaderBytes = 16 << 10

// listening is the part of a StateSyncer that listens by itself.
type listening struct {
	tls *tls.Config // nil: plain

	mu     sync.Mutex // guards everything below
	server *http.Server
	addr   net.Addr
	ended  chan struct{} // closed when serving has ended, with err
	err    error         // why; set before ended is closed
}

// Start listens on the TCP address, such as ":5000" or "localhost:0", and returns when connections are accepted. It
// speaks TLS when Options.TLS is set. The error says why the address cannot be had.
func (s *StateSyncer) Start(addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return s.Serve(listener)
}

// Serve is Start on a listener that the caller has made and that the StateSyncer closes.
func (s *StateSyncer) Serve(listener net.Listener) error {
	l := &s.listening
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil || s.draining.Load() {
		_ = listener.Close()
		return errors.New("start: the server is listening already or was closed")
	}
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.options.HandshakeTimeout,
		IdleTimeout:       s.options.HandshakeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		TLSConfig:         l.tls,
		ErrorLog:          quiet(s.options.Logger),
	}
	l.server, l.addr, l.ended = server, listener.Addr(), make(chan struct{})
	go l.serve(server, listener)
	s.options.Logger.Info("listening", "address", l.addr.String(), "tls", l.tls != nil)
	return nil
}

// serve runs until the listener is closed.
func (l *listening) serve(server *http.Server, listener net.Listener) {
	if l.tls != nil {
		l.err = server.ServeTLS(listener, "", "")
	} else {
		l.err = server.Serve(listener)
	}
	close(l.ended)
}

// quiet returns a log for net/http, which reports every failed TLS handshake.
func quiet(logger *slog.Logger) *log.Logger {
	return slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
}

// Addr returns the address that Start listens on; nil before.
func (s *StateSyncer) Addr() net.Addr {
	s.listening.mu.Lock()
	defer s.listening.mu.Unlock()
	return s.listening.addr
}

// ListenAndServe is Start, and returns when listening has ended: nil after Shutdown or Close.
func (s *StateSyncer) ListenAndServe(addr string) error {
	if err := s.Start(addr); err != nil {
		return err
	}
	<-s.listening.ended
	if err := s.listening.err; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listen and serve: %w", err)
	}
	return nil
}

// Shutdown ends the server gently. No connection and no change is taken any more; what was received before gets its
// verdict; then every client is told shutting_down, and when to come back, spread over Options.DrainSpread. The states
// end with the process, so clients are not told that they were removed. When ctx ends before all that is done, the rest
// is cut off and the error of ctx returned; not while another Shutdown still waits, which then cuts it off or not.
func (s *StateSyncer) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.shutdowns.Add(1)
	s.stopListening()
	err := s.inFlight.wait(ctx)
	for _, p := range s.allPeers() {
		p.say(&Error{Code: protocol.CodeShuttingDown}, false)
	}
	if err == nil {
		err = s.drivers.wait(ctx)
	}
	if others := s.shutdowns.Add(-1); err != nil && others > 0 {
		return err
	}
	s.end()
	return err
}

// Close ends the server at once: connections are cut and changes without a verdict stay without.
func (s *StateSyncer) Close() error {
	s.draining.Store(true)
	s.stopListening()
	s.end()
	return nil
}

// dropStates ends all states for this process. The store keeps them.
func (s *StateSyncer) dropStates() {
	s.mu.Lock()
	states, stored := s.states, s.stored
	s.states, s.stored = make(map[string]*state), make(map[string]*resting)
	s.mu.Unlock()
	for _, state := range states {
		state.remove("the server is shutting down")
	}
	for _, r := range stored {
		r.stopClock()
	}
}

// stopListening closes the listener. Handshakes under way are cut; connections that they have become go on.
func (s *StateSyncer) stopListening() {
	l := &s.listening
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server != nil {
		_ = l.server.Close()
		<-l.ended
	}
}

// end stops everything that still runs, and waits for it.
func (s *StateSyncer) end() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = s.drivers.wait(ctx)
	s.sessions.stop()
	s.dropStates()
	_ = s.goroutines.wait(ctx) // a callback that ignores its context is not awaited for ever
}
