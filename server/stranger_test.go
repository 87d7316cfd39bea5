package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// stranger is a client that puts on the wire what it likes.
type stranger struct {
	testing.TB
	*net.TCPConn
	in      *bufio.Reader
	waiting []string // messages that came in the same frame as the last one
	largest int      // the payload of the largest fragment that came
}

// patience is how long a stranger waits for anything. Nothing here takes so long but on a machine that is very busy.
const patience = time.Minute

// knock connects and does nothing else.
func knock(t testing.TB, s *StateSyncer) *stranger {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(deadline()); err != nil {
		t.Fatal(err)
	}
	return &stranger{TB: t, TCPConn: conn.(*net.TCPConn), in: bufio.NewReader(conn)}
}

// enter does the handshake. What is given besides comes in one piece with it.
func enter(t testing.TB, s *StateSyncer, besides ...[]byte) *stranger {
	t.Helper()
	c := knock(t, s)
	c.put([]byte(handshakeText), slices.Concat(besides...))
	if status := c.status(); status != "HTTP/1.1 101 Switching Protocols" {
		t.Fatalf("the handshake: got %s", status)
	}
	return c
}

// introduced says hello under a name that makes the session, in one piece with the handshake, and joins states as 1, 2
// and so on.
func introduced(t testing.TB, s *StateSyncer, name string, states ...string) *stranger {
	t.Helper()
	messages := []string{fmt.Sprintf(`["hello","%s","%s",{}]`, sessionNamed(name), name)}
	for i, identifier := range states {
		messages = append(messages, fmt.Sprintf(`["join",%d,"%s"]`, i+1, identifier))
	}
	c := enter(t, s, text(messages...))
	c.hear(`["welcome",…`)
	for range states {
		c.hear(`["joined",…`)
	}
	return c
}

// status reads the head of an HTTP response, and returns its first line.
func (c *stranger) status() (first string) {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return first + err.Error()
		}
		if first == "" {
			first = strings.TrimSpace(line)
		}
		if line == "\r\n" {
			return first
		}
	}
}

// put writes bytes. That it cannot is no failure: the server may have closed already.
func (c *stranger) put(pieces ...[]byte) { _, _ = c.Write(slices.Concat(pieces...)) }

// say writes the messages as one frame.
func (c *stranger) say(messages ...string) { c.put(text(messages...)) }

// text returns the messages as one frame.
func text(messages ...string) []byte { return fragment(0x81, strings.Join(messages, "\n")) }

// fragment returns a masked fragment; first is its first byte.
func fragment(first byte, payload string) []byte {
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	p := append(frameHeader(first, uint64(len(payload))), key[:]...)
	for i := range len(payload) {
		p = append(p, payload[i]^key[i&3])
	}
	return p
}

// frameHeader returns the header of a masked fragment without its key.
func frameHeader(first byte, size uint64) []byte {
	switch {
	case size < 126:
		return []byte{first, 0x80 | byte(size)}
	case size <= 0xFFFF:
		return binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(size))
	}
	return binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, size)
}

// next reads a fragment of the server, which must have the right form.
func (c *stranger) next() (first byte, payload []byte, err error) {
	var head [8]byte
	if _, err = io.ReadFull(c.in, head[:2]); err != nil {
		return 0, nil, err
	}
	first = head[0]
	size := uint64(head[1])
	switch {
	case first&0x70 != 0 || size&0x80 != 0:
		return 0, nil, fmt.Errorf("the server sent a header %x", head[:2])
	case size == 126:
		_, err = io.ReadFull(c.in, head[:2])
		size = uint64(binary.BigEndian.Uint16(head[:]))
	case size == 127:
		_, err = io.ReadFull(c.in, head[:8])
		size = binary.BigEndian.Uint64(head[:])
	}
	if err != nil || size > 64<<20 {
		return 0, nil, errors.Join(err, fmt.Errorf("a fragment of %d bytes", size))
	}
	c.largest = max(c.largest, int(size))
	payload = make([]byte, size)
	_, err = io.ReadFull(c.in, payload)
	return first, payload, err
}

// message returns the next message of the server, or how the connection ended. It answers the server's pings.
func (c *stranger) message() (string, error) {
	for len(c.waiting) == 0 {
		first, payload, err := c.next()
		switch {
		case err != nil:
			return "", err
		case first == 0x88 && len(payload) >= 2:
			return "", &closedBy{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
		case first == 0x81:
			c.waiting = strings.Split(string(payload), "\n")
		}
	}
	message := c.waiting[0]
	c.waiting = c.waiting[1:]
	if message == `["ping"]` {
		c.say(`["pong"]`)
		return c.message()
	}
	return message, nil
}

// closedBy is the close frame that ended a connection.
type closedBy struct {
	code   int
	reason string
}

func (e *closedBy) Error() string { return fmt.Sprintf("closed with %d %q", e.code, e.reason) }

// hear reads a message, which must be as wanted, and returns it.
func (c *stranger) hear(want string) string {
	c.Helper()
	got, err := c.message()
	if err != nil || !matches(got, want) {
		c.Fatalf("got %.300s, %v; want %s", got, err, want)
	}
	return got
}

// seek reads messages until one is as wanted.
func (c *stranger) seek(want string) string {
	c.Helper()
	for {
		got, err := c.message()
		if err != nil {
			c.Fatalf("got %v, want %s", err, want)
		}
		if matches(got, want) {
			return got
		}
	}
}

// expectEnd reads up to the end of the connection. The last message is a bye with the code and a sentence, the close
// frame says the same, and nothing follows it.
func (c *stranger) expectEnd(code protocol.Code) {
	c.Helper()
	if got, err := c.ending(); err != nil || got != int(code) {
		c.Errorf("got %d, %v; want %d, %s", got, err, code, code)
	}
}

// ending reads up to the end of the connection, and returns the code with which it was closed.
func (c *stranger) ending() (code int, err error) {
	last := ""
	for {
		message, err := c.message()
		var end *closedBy
		if errors.As(err, &end) {
			code = end.code
			if err := checkBye(last, end); err != nil {
				return code, err
			}
			break
		}
		if err != nil {
			return 0, fmt.Errorf("after %.300q: %w", last, err)
		}
		last = message
	}
	_ = c.CloseWrite() // or the server waits a second for an answer
	if n, err := io.Copy(io.Discard, c.in); n > 0 {
		return code, fmt.Errorf("%d bytes and %v follow the close frame", n, err)
	}
	return code, nil
}

// checkBye compares the last message with the close frame.
func checkBye(last string, end *closedBy) error {
	var bye protocol.Bye
	err := protocol.DecodeServer([]byte(last), protocol.Limits{}, func(m protocol.ServerMessage) error {
		bye, _ = m.(protocol.Bye)
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("the last message is %.300q: %w", last, err)
	case int(bye.Code) != end.code || !strings.HasPrefix(bye.Reason, end.reason):
		return fmt.Errorf("the last message is %.300q, and then it was %w", last, end)
	case !isSentence(bye.Reason):
		return fmt.Errorf("%q is no sentence", bye.Reason)
	}
	return nil
}

// isSentence reports whether a reason says something to people.
func isSentence(reason string) bool { return strings.Count(reason, " ") >= 2 }

// deadline is when waiting ends that begins now.
func deadline() time.Time { return time.Now().Add(patience) }
