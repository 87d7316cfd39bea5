//go:build !js

package transport

import "time"

// rules are what the fragments of a peer are held to.
type rules struct {
	masked    bool // a client's fragments are masked, a server's are not
	readLimit int
	fragments int // per frame; 0: no limit
	pings     int // pings and pongs per second; 0: no limit
}

// meter follows the fragments in a stream of bytes (RFC 6455, section 5.2) by
// their headers. It finds every breach of the rules that a header shows, before
// the payload is read.
type meter struct {
	rules rules

	header  [maxHeader]byte
	have    int   // bytes of header that have come
	payload int64 // bytes of the current fragment's payload still to come

	begun     uint64 // frames, and control frames between them, that have begun
	inFrame   bool   // a frame has begun, and its last fragment has not
	frameSize int64
	fragments int

	pings      int
	pingsSince time.Time

	farewell farewell // the close frame whose payload comes
}

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA

	finBit    = 0x80
	rsvBits   = 0x70
	opBits    = 0x0F
	maskBit   = 0x80
	lenBits   = 0x7F
	len16     = 126
	len64     = 127
	maxShort  = 125 // largest length in the second byte; largest payload of a control frame
	maxHeader = 14
)

// follow takes the next bytes of the stream. It returns how many of them come
// before a breach, and the breach.
func (m *meter) follow(p []byte) (int, error) {
	for i := 0; i < len(p); {
		if m.payload > 0 {
			n := min(m.payload, int64(len(p)-i))
			m.payload -= n
			if m.farewell.begun && !m.farewell.follow(p[i:i+int(n)], m.payload == 0) {
				return i, &ViolationError{InvalidUTF8, "reason of the close frame is not valid UTF-8"}
			}
			m.farewell.begun = m.farewell.begun && m.payload > 0
			i += int(n)
			continue
		}
		start := max(0, i-m.have)
		if m.have == 0 && !m.inFrame {
			m.begun++
		}
		m.header[m.have] = p[i]
		m.have++
		i++
		if m.have < m.headerSize() {
			continue
		}
		m.have = 0
		if err := m.enter(); err != nil {
			return start, err
		}
	}
	return len(p), nil
}

// waiting reports whether the stream stands inside a frame or a fragment.
func (m *meter) waiting() bool { return m.inFrame || m.have > 0 || m.payload > 0 }

// headerSize returns the size of the current header, as far as it is known.
func (m *meter) headerSize() int {
	if m.have < 2 {
		return 2
	}
	size := 2
	switch m.header[1] & lenBits {
	case len16:
		size += 2
	case len64:
		size += 8
	}
	if m.header[1]&maskBit != 0 {
		size += 4
	}
	return size
}

// enter judges the complete header and begins its fragment.
func (m *meter) enter() error {
	first, masked := m.header[0], m.header[1]&maskBit != 0
	if first&rsvBits != 0 {
		return breach("reserved bits are set")
	}
	if masked != m.rules.masked {
		return breach("masking is not as the role demands")
	}
	size, ok := m.length()
	if !ok {
		return breach("length is not in its shortest form")
	}
	m.payload = size
	if opcode := first & opBits; opcode >= opClose {
		return m.enterControl(opcode, first&finBit != 0, size)
	}
	return m.enterData(first&opBits, first&finBit != 0, size)
}

func (m *meter) length() (int64, bool) {
	switch short := m.header[1] & lenBits; short {
	case len16:
		n := bigEndian(m.header[2:4])
		return n, n > maxShort
	case len64:
		n := bigEndian(m.header[2:10])
		return n, n > 0xFFFF
	default:
		return int64(short), true
	}
}

func bigEndian(p []byte) (n int64) {
	for _, b := range p {
		n = n<<8 | int64(b)
	}
	return n
}

func (m *meter) enterControl(opcode byte, fin bool, size int64) error {
	switch {
	case opcode > opPong:
		return breach("opcode is reserved")
	case !fin:
		return breach("control frame is fragmented")
	case size > maxShort:
		return breach("control frame is larger than 125 bytes")
	case opcode == opClose:
		m.farewell = farewell{begun: size > 0}
		if m.rules.masked {
			m.farewell.key = [4]byte(m.header[2:]) // the length is in the first two bytes
		}
		return nil
	case m.rules.pings == 0:
		return nil
	}
	return m.countPing(time.Now())
}

func (m *meter) countPing(now time.Time) error {
	if now.Sub(m.pingsSince) >= time.Second {
		m.pings, m.pingsSince = 0, now
	}
	m.pings++
	if m.pings > m.rules.pings {
		return &ViolationError{TooManyPings, "too many pings and pongs within a second"}
	}
	return nil
}

func (m *meter) enterData(opcode byte, fin bool, size int64) error {
	switch {
	case opcode == opBinary:
		return &ViolationError{NotText, "binary frames are not read here"}
	case opcode > opBinary:
		return breach("opcode is reserved")
	case opcode == opText && m.inFrame:
		return breach("a frame begins inside another")
	case opcode == opContinuation && !m.inFrame:
		return breach("a frame is continued that has not begun")
	case opcode == opText:
		m.frameSize, m.fragments = 0, 0
	}
	m.inFrame = !fin
	m.frameSize += size
	m.fragments++
	if m.frameSize < 0 || m.frameSize > int64(m.rules.readLimit) {
		return tooLarge(m.frameSize, m.rules.readLimit)
	}
	if m.rules.fragments > 0 && m.fragments > m.rules.fragments {
		return &ViolationError{TooManyFragments, "frame comes in too many fragments"}
	}
	return nil
}

func breach(what string) error {
	return &ViolationError{ProtocolViolation, "WebSocket protocol: " + what}
}
