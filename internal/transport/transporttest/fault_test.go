//go:build !js

package transporttest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns a connection with faults and its other end.
func connect(t *testing.T, f transporttest.Faults) (*transporttest.Conn, net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := transporttest.Listen(inner, func() transporttest.Faults { return f })
	defer listener.Close()
	other, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); other.Close() })
	return conn.(*transporttest.Conn), other
}

func TestWriteIsCutAtTheByte(t *testing.T) {
	for after := range int64(5) {
		c, other := connect(t, transporttest.Faults{Write: transporttest.Fault{Kind: transporttest.Cut, After: after}})
		n, err := c.Write([]byte("0123456789"))
		if n != int(after) || !errors.Is(err, transporttest.ErrCut) {
			t.Errorf("wrote %d bytes and got %v, want %d and %v", n, err, after, transporttest.ErrCut)
		}
		if got, err := io.ReadAll(other); err == nil || int64(len(got)) > after {
			t.Errorf("the other end got %q and %v", got, err)
		}
	}
}

func TestReadIsCutAtTheByte(t *testing.T) {
	c, other := connect(t, transporttest.Faults{Read: transporttest.Fault{Kind: transporttest.Cut, After: 7, Slice: 2}})
	if _, err := other.Write([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if string(got) != "0123456" || !errors.Is(err, transporttest.ErrCut) {
		t.Errorf("got %q and %v, want %q and %v", got, err, "0123456", transporttest.ErrCut)
	}
}

func TestSlicesAreSmall(t *testing.T) {
	c, other := connect(t, transporttest.Faults{Read: transporttest.Fault{Slice: 1}})
	if _, err := other.Write([]byte("ab")); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	for _, want := range "ab" {
		if n, err := c.Read(p); n != 1 || p[0] != byte(want) || err != nil {
			t.Errorf("got %q and %v, want %q", p[:n], err, want)
		}
	}
}

func TestStallEnds(t *testing.T) {
	stalled := transporttest.Faults{Read: transporttest.Fault{Kind: transporttest.Stall}}
	for _, c := range []struct {
		name string
		end  func(c *transporttest.Conn)
		want error
	}{
		{"by its repair", func(c *transporttest.Conn) { c.Set(transporttest.Faults{}) }, nil},
		{"by a deadline", func(c *transporttest.Conn) { _ = c.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"by a cut", func(c *transporttest.Conn) { c.Cut() }, transporttest.ErrCut},
		{"by a close", func(c *transporttest.Conn) { _ = c.Close() }, transporttest.ErrCut},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, other := connect(t, stalled)
			if _, err := other.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() {
				_, err := conn.Read(make([]byte, 1))
				done <- err
			}()
			c.end(conn)
			if err := <-done; !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
