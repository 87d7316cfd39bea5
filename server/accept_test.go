package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// request sends text to the server, and returns what comes back until the server closes the connection.
func request(t *testing.T, s *StateSyncer, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		t.Errorf("after %q: %v", answer, err)
	}
	return string(answer)
}

func TestRequestsWhoseBodyNeverComesAreClosed(t *testing.T) {
	s := listen(t, Options{})
	for _, text := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		if got := request(t, s, text); !strings.HasPrefix(got, "HTTP/1.1 426 ") || !strings.Contains(got, "Connection: close\r\n") {
			t.Errorf("got %q", got)
		}
	}
}

func TestAuthorizationThatTakesTooLongIsARefusal(t *testing.T) {
	ended := make(chan struct{})
	s := listen(t, Options{InterceptTimeout: 50 * time.Millisecond, Authorize: func(r *http.Request) (any, error) {
		defer close(ended)
		<-r.Context().Done()
		return nil, nil
	}})
	c := dialRaw(t, s, nil)
	if got, want := c.recv(), `["bye",4003,"the server could not check the access token in time",`; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	c.closed(4003)
	<-ended
}

func TestCloseEndsAuthorization(t *testing.T) {
	asked, ended := make(chan struct{}), atomic.Bool{}
	s := listen(t, Options{InterceptTimeout: time.Hour, Authorize: func(r *http.Request) (any, error) {
		close(asked)
		<-r.Context().Done()
		ended.Store(true)
		return nil, errors.New("too late")
	}})
	go func() {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err == nil {
			_, _ = io.WriteString(conn, handshakeText)
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	<-asked
	if err := s.Close(); err != nil || !ended.Load() {
		t.Errorf("got %v, ended %v", err, ended.Load())
	}
	if got := s.drivers.count(); got != 0 {
		t.Errorf("%d handlers", got)
	}
}

const handshakeText = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: " + Subprotocol + "\r\n\r\n"

func TestHandshakesCountAsConnections(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	s := listen(t, Options{Limits: Limits{Connections: 1}, Authorize: func(*http.Request) (any, error) {
		asked <- struct{}{}
		<-release
		return nil, nil
	}})
	got := make(chan string)
	go func() {
		c := dialRaw(t, s, nil)
		c.send(rawHello)
		got <- c.recv()
	}()
	<-asked
	if got := dialRaw(t, s, nil).recv(); !strings.HasPrefix(got, `["bye",4003,"the server has as many connections as it may",`) {
		t.Errorf("got %s", got)
	}
	close(release)
	if got := <-got; !strings.HasPrefix(got, `["welcome",`) {
		t.Errorf("got %s", got)
	}
}

func TestThoseWhoMayNotConnectKeepNobodyOut(t *testing.T) {
	s := listen(t, Options{Limits: Limits{Connections: 1}, Authorize: func(r *http.Request) (any, error) {
		if AccessToken(r) == "" {
			return nil, errors.New("no token")
		}
		return nil, nil
	}})
	for range 5 { // they neither read nor go
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, handshakeText); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	c := dialRaw(t, s, withToken("t"))
	c.send(rawHello)
	if got := c.recv(); !strings.HasPrefix(got, `["welcome",`) {
		t.Errorf("got %s", got)
	}
	s.mu.Lock()
	s.turnedAway += maxRefused
	s.mu.Unlock()
	if got := request(t, s, handshakeText); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %s", got)
	}
	s.mu.Lock()
	s.turnedAway -= maxRefused
	s.mu.Unlock()
}
