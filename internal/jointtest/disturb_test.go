//go:build !js

package jointtest

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"

	"github.com/server-state-sync/server-state-sync/stores"
)

// repeating is a connection from a client on which frames of changes come twice: the second time at once, or after the
// next frame.
type repeating struct {
	net.Conn
	repeat   func() int    // 0: not; 1: at once; 2: after the next frame
	repeated *atomic.Int64 // counts

	chunk    []byte // as large as a read of the network
	in       []byte // not a whole frame yet
	out      []byte // to be read
	later    []byte // to be repeated after the next frame
	upgraded bool   // the handshake is over
}

// repeatingConn returns conn with repetitions drawn from random, which the connections of a listener share.
func repeatingConn(conn net.Conn, mu *sync.Mutex, random *rand.Rand, repeated *atomic.Int64) net.Conn {
	draw := func() int {
		mu.Lock()
		defer mu.Unlock()
		return max(0, random.IntN(20)-17)
	}
	return &repeating{Conn: conn, repeat: draw, repeated: repeated, chunk: make([]byte, 4096)}
}

// Read returns what has come, with repetitions.
func (c *repeating) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		n, err := c.Conn.Read(c.chunk)
		c.in = append(c.in, c.chunk[:n]...)
		c.sort()
		if err != nil && len(c.out) == 0 {
			return 0, err
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// sort moves whole frames from in to out.
func (c *repeating) sort() {
	if !c.upgraded {
		end := bytes.Index(c.in, []byte("\r\n\r\n"))
		if end < 0 {
			return
		}
		c.upgraded = true
		c.out, c.in = append(c.out, c.in[:end+4]...), c.in[end+4:]
	}
	for {
		size, payload := frameOf(c.in)
		if size == 0 {
			return
		}
		frame := c.in[:size]
		c.in = c.in[size:]
		c.out = append(append(c.out, frame...), c.later...)
		c.later = nil
		if !onlyChanges(payload) {
			continue
		}
		switch c.repeat() {
		case 1:
			c.out = append(c.out, frame...)
			c.repeated.Add(1)
		case 2:
			c.later = bytes.Clone(frame)
			c.repeated.Add(1)
		}
	}
}

// frameOf returns the size of the WebSocket frame with which text begins, 0 while it is not whole, and its payload if it
// is a whole text message (RFC 6455 section 5.2). Frames of clients are masked.
func frameOf(text []byte) (size int, payload []byte) {
	const finalText, longest, longer = 0x81, 127, 126
	if len(text) < 2 {
		return 0, nil
	}
	head, length := 2, int(text[1]&0x7f)
	switch {
	case length == longer && len(text) >= 4:
		head, length = 4, int(binary.BigEndian.Uint16(text[2:]))
	case length == longest && len(text) >= 10:
		head, length = 10, int(binary.BigEndian.Uint64(text[2:]))
	case length >= longer:
		return 0, nil
	}
	size = head + 4 + length
	if len(text) < size {
		return 0, nil
	}
	if text[0] != finalText {
		return size, nil
	}
	payload = bytes.Clone(text[head+4 : size])
	for i := range payload {
		payload[i] ^= text[head+i%4]
	}
	return size, payload
}

// onlyChanges reports whether the message has changes in it and nothing else.
func onlyChanges(message []byte) bool {
	for line := range bytes.SplitSeq(message, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte(`["merge"`)) && !bytes.HasPrefix(line, []byte(`["patch"`)) && !bytes.HasPrefix(line, []byte(`["transaction"`)) {
			return false
		}
	}
	return len(message) > 0
}

// lateStore is a store in memory that commits on a goroutine of its own, so that what is applied is not committed for a
// while.
type lateStore struct{ stores.Store }

func (s lateStore) Create(identifier string, header []byte, version uint64, checkpoint []byte, committed stores.Committed) (stores.Log, error) {
	log, err := s.Store.Create(identifier, header, version, checkpoint, nil)
	return late(log, committed), err
}

func (s lateStore) Open(identifier string, committed stores.Committed) (stores.Log, stores.Kept, error) {
	log, kept, err := s.Store.Open(identifier, nil)
	return late(log, committed), kept, err
}

// lateLog is a log of a lateStore.
type lateLog struct {
	stores.Log
	appended chan uint64
	done     chan struct{}
}

func late(log stores.Log, committed stores.Committed) stores.Log {
	if log == nil {
		return nil
	}
	l := &lateLog{Log: log, appended: make(chan uint64, 1<<16), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for version := range l.appended {
			for range len(l.appended) { // what has come meanwhile is committed together
				version = <-l.appended
			}
			committed(version, nil)
		}
	}()
	return l
}

// Append never has to wait: clients have fewer changes without an answer than the channel holds.
func (l *lateLog) Append(version uint64, record []byte) (bool, error) {
	_, err := l.Log.Append(version, record)
	l.appended <- version
	return false, err
}

func (l *lateLog) Close() error {
	close(l.appended)
	<-l.done
	return l.Log.Close()
}
