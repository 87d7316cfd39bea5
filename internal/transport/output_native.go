//go:build !js

package transport

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
)

// Sizes of the buffers that fragments are written from. The small one is for
// nearly all frames; the large one bounds what one system call writes and what
// one peer that does not read holds.
const (
	smallOutput = 4 << 10
	largeOutput = 64 << 10
)

var (
	smallOutputs = sync.Pool{New: func() any { return &output{buffer: make([]byte, smallOutput)} }}
	largeOutputs = sync.Pool{New: func() any { return &output{buffer: make([]byte, largeOutput)} }}
)

// output turns a frame into pieces for the network, each at most as large as
// its buffer: one system call for all but large frames, and no buffer kept by a
// connection that does not write.
type output struct {
	buffer  []byte
	left    []byte // of the piece that next returned last, and that comes again
	rest    []byte
	started bool
	masked  bool
	key     [4]byte // RFC 6455, section 5.3
	at      int     // bytes of the frame that came before rest
}

// newOutput begins a text frame. It is released after use.
func newOutput(frame []byte, masked bool) *output {
	pool := &smallOutputs
	if len(frame)+maxHeader > smallOutput {
		pool = &largeOutputs
	}
	o := pool.Get().(*output)
	o.rest, o.masked, o.started, o.at = frame, masked, false, 0
	if masked {
		_, _ = rand.Read(o.key[:]) // never fails
	}
	return o
}

func (o *output) release() {
	o.left, o.rest = nil, nil
	if len(o.buffer) == smallOutput {
		smallOutputs.Put(o)
		return
	}
	largeOutputs.Put(o)
}

// next returns the next piece, or nil after the last. It is valid until the
// next call.
func (o *output) next() []byte {
	if left := o.left; len(left) > 0 {
		o.left = nil
		return left
	}
	if o.started && len(o.rest) == 0 {
		return nil
	}
	head := 0
	if !o.started {
		o.started = true
		head = len(o.appendHeader(o.buffer[:0]))
	}
	n := copy(o.buffer[head:], o.rest)
	if o.masked {
		mask(o.buffer[head:head+n], o.key, o.at)
	}
	o.rest = o.rest[n:]
	o.at += n
	return o.buffer[:head+n]
}

// appendHeader appends the header of a frame in one fragment.
func (o *output) appendHeader(dst []byte) []byte {
	dst = append(dst, finBit|opText)
	bit := byte(0)
	if o.masked {
		bit = maskBit
	}
	switch size := len(o.rest); {
	case size <= maxShort:
		dst = append(dst, bit|byte(size))
	case size <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, bit|len16), uint16(size))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, bit|len64), uint64(size))
	}
	if o.masked {
		dst = append(dst, o.key[:]...)
	}
	return dst
}

// mask masks p, which begins at byte at of its frame.
func mask(p []byte, key [4]byte, at int) {
	var wide [8]byte
	for i := range wide {
		wide[i] = key[(at+i)&3]
	}
	word := binary.LittleEndian.Uint64(wide[:])
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^word)
	}
	for i := range p {
		p[i] ^= wide[i]
	}
}
