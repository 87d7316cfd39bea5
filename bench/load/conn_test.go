package load

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// frame is a server's text frame.
func frame(text string) []byte {
	switch size := len(text); {
	case size <= 125:
		return append([]byte{opText, byte(size)}, text...)
	case size <= 0xFFFF:
		return append(binary.BigEndian.AppendUint16([]byte{opText, 126}, uint16(size)), text...)
	default:
		return append(binary.BigEndian.AppendUint64([]byte{opText, 127}, uint64(size)), text...)
	}
}

// However the network cuts the stream, the same updates are counted and the same messages seen.
func TestFramesAreCountedHoweverTheyAreCut(t *testing.T) {
	large := `["entries",1,3,` + strings.Repeat(`[["add",["p"],"~"]],`, 5000) + "]"
	stream := bytes.Join([][]byte{
		[]byte("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
		frame(`["welcome","w",{}]` + "\n" + `["joined",1,"epoch",7,0,[],{"text":"~~~"}]`),
		frame(`["entries",1,8,[["add",["p"],"~1"]],[["add",["p"],"~2"]]]` + "\n" + `["accepted",1,1,10]`),
		frame(large),
		frame(`["accepted",1,2,5011]`),
	}, nil)
	for _, size := range []int{1, 2, 3, 7, 1000, 65_535, 65_536, len(stream)} {
		var delivered int
		l := &Loop{Deliver: func(_ *Conn, updates int) { delivered += updates }}
		c := &Conn{loop: l, dialect: silent{}, Sent: 2}
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			c.feed(rest[:min(size, len(rest))])
		}
		if l.err != nil || !c.Joined || c.StateEpoch != "epoch" || c.Version != "7" {
			t.Fatalf("in pieces of %d: joined %v in %q at %q, error %v", size, c.Joined, c.StateEpoch, c.Version, l.err)
		}
		if c.Got != 5002 || delivered != 5002 || c.Acked != 2 {
			t.Errorf("in pieces of %d: %d updates, %d delivered, %d accepted; want 5002, 5002 and 2", size, c.Got, delivered, c.Acked)
		}
	}
}

// silent opens without sending, for a connection without a socket.
type silent struct{ ours }

func (silent) Opened(*Conn) {}
