package server

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// drawn is a stream of frames that are drawn at random, behind a hello and a join.
type drawn struct {
	r      *rand.Rand
	stream []byte
	pings  int // the limit by the second is not what is tested here
}

const goodText = `["pong"]`

// frames draws frames until one of them should have ended the connection, or the stream ends.
func (d *drawn) frames() {
	for range 1 + d.r.IntN(24) {
		switch n := d.r.IntN(28); {
		case n < 8:
			d.add(0x81, goodText)
		case n < 16:
			d.fragments(goodText)
		case n < 22:
			d.control()
		case n < 23:
			d.add(0x81, d.brokenText())
		case n < 24:
			d.fragments(d.brokenText())
		default:
			d.malformed()
		}
	}
	switch d.r.IntN(4) {
	case 0: // it ends anywhere
		d.stream = d.stream[:d.r.IntN(len(d.stream)+1)]
	case 1:
		d.close()
	default:
		d.add(0x88, "\x03\xe8")
	}
}

// add adds a masked fragment.
func (d *drawn) add(first byte, payload string) {
	d.stream = append(d.stream, fragment(first, payload)...)
}

// fragments adds a text in fragments, with control frames between them.
func (d *drawn) fragments(text string) {
	first := byte(0x01)
	for parts := d.r.IntN(18); parts > 0; parts-- {
		n := d.r.IntN(min(len(text), 3) + 1)
		d.add(first, text[:n])
		text, first = text[n:], 0x00
		if d.r.IntN(4) == 0 {
			d.control()
		}
	}
	d.add(first|0x80, text)
}

// control adds a ping or a pong.
func (d *drawn) control() {
	if d.pings++; d.pings < 15 {
		d.add(0x89+byte(d.r.IntN(2)), d.bytes(d.r.IntN(126)))
	}
}

func (d *drawn) bytes(n int) string {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(d.r.Uint32())
	}
	return string(p)
}

// brokenText is not UTF-8, or damaged.
func (d *drawn) brokenText() string {
	for {
		text := []byte(`["pong","κόσμε 状态 🙂"]`)
		for range 1 + d.r.IntN(3) {
			text[d.r.IntN(len(text))] = byte(d.r.Uint32())
		}
		if d.r.IntN(8) == 0 || !utf8.Valid(text) {
			return string(text)
		}
	}
}

// malformed adds a frame as none may be, most of the time.
func (d *drawn) malformed() {
	length := d.r.Uint64() >> d.r.IntN(64)
	switch d.r.IntN(10) {
	case 0: // anything
		d.stream = append(d.stream, d.bytes(1+d.r.IntN(20))...)
	case 1: // any first byte
		d.add(byte(d.r.Uint32()), d.bytes(d.r.IntN(140)))
	case 2: // any length, in any form
		d.stream = append(d.stream, 0x80|byte(d.r.IntN(3)), 0x80|127)
		d.stream = append(binary.BigEndian.AppendUint64(d.stream, length), "keys"...)
	case 3:
		d.stream = append(d.stream, 0x81, 0x80|126, byte(length>>8), byte(length), 0, 0, 0, 0)
	case 4: // without a mask
		d.stream = append(d.stream, byte(d.r.Uint32()), byte(d.r.IntN(126)))
	case 5: // a control frame that is long or fragmented
		d.add(0x08|byte(d.r.Uint32())&0x83, d.bytes(d.r.IntN(300)))
	case 6: // a continuation of nothing, or a frame that does not end
		d.add(byte(d.r.IntN(2)), goodText)
	case 7: // many fragments
		d.add(0x01, "")
		for range d.r.IntN(30) {
			d.add(0x00, "")
		}
	case 8: // fragments that add up
		d.add(0x01, strings.Repeat(" ", malformedMessage-10))
		d.add(0x80, strings.Repeat(" ", d.r.IntN(20)))
	case 9:
		d.add(0x81, d.bytes(d.r.IntN(50)))
	}
}

// close adds a close frame of any kind.
func (d *drawn) close() {
	switch d.r.IntN(4) {
	case 0:
		d.add(0x88, "")
	case 1:
		d.add(0x88, d.bytes(d.r.IntN(4)))
	case 2:
		d.add(0x88, "\x13\x87"+d.brokenText())
	default:
		d.add(0x88, "\x13\x87"+strings.Repeat("é", d.r.IntN(61)))
	}
}

// goodMessages are what is damaged.
var goodMessages = []string{
	`["merge",1,1,0,{"a":{"b":[1,2.5e-7,null,true,"\u00e9\ud83d\ude00"]},"n":1}]`,
	`["patch",1,1,0,[["add",["l",0],{"k":1}],["move",["l",1],["m"]],["remove",["l",0]]]]`,
	`["patch",1,1,0,[["increment",["n"],1],["copy",["l"],["l","-"]],["test",["n"],1],["replace",["l",2],[]]]]`,
	`["transaction",1,1,0,{"a":1},["a","b"],0]`, `["transaction",1,1,0,{"a":1},null,0]`,
	`["join",2,"own"]`, `["join",2,"none"]`, `["join",2,"own","AAAAAAAAAAAAAAAA",0,0]`, `["leave",1]`, `["pong"]`,
	`["hello","0123456789abcdef","a",{"connection":2}]`,
}

// messages draws well-formed frames with messages that were damaged. What comes of each is the protocol's affair, so
// the ruling leaves that open.
func (d *drawn) messages() ruling {
	frames := 1 + d.r.IntN(12)
	for range frames {
		var lines []string
		for range 1 + d.r.IntN(3) {
			lines = append(lines, d.damaged(goodMessages[d.r.IntN(len(goodMessages))]))
		}
		d.add(0x81, strings.Join(lines, "\n"))
	}
	d.add(0x88, "\x03\xe8")
	return ruling{frames: frames}
}

// damaged changes a few places of a message.
func (d *drawn) damaged(message string) string {
	const parts = "\"\\{}[],:0123456789eE+-.untrfalsbd/ \n\x00\xff\x10"
	for range d.r.IntN(4) {
		at := d.r.IntN(len(message) + 1)
		switch rest := message[at:]; d.r.IntN(5) {
		case 0:
			message = message[:at] + rest[min(len(rest), d.r.IntN(8)):]
		case 1:
			message = message[:at] + string(parts[d.r.IntN(len(parts))]) + rest
		case 2:
			message = message[:at] + fmt.Sprint(d.r.Uint64()>>d.r.IntN(64)) + rest
		case 3:
			message = message[:at] + message[d.r.IntN(len(message)+1):]
		default:
			message = message[:at] + strings.Repeat("[", d.r.IntN(200)) + rest
		}
	}
	return message
}

// referee reads a stream as RFC 6455 and this server's limits say, all of it at once. Unlike the server it has no buffers
// and no pieces.
func referee(stream []byte) (v ruling) {
	message, inside, fragments := "", false, 0
	for {
		first, payload, rest, end := refereeFrame(stream, len(message), fragments, inside)
		if end != "" {
			if v.end = end; end != "lost" {
				v.frames++
			}
			return v
		}
		v.frames++
		stream = rest
		switch first & 0x0F {
		case 0x8:
			v.end = refereeClose(payload)
			v.closed = v.end != "4109"
			return v
		case 0x9:
			v.pongs = append(v.pongs, payload)
			continue
		case 0xA:
			continue
		case 0x1:
			fragments = 0
		}
		fragments++
		message += payload
		inside = first&0x80 == 0
		if inside {
			continue
		}
		if !utf8.ValidString(message) {
			v.end = "4109"
			return v
		}
		if message != goodText {
			v.end, v.message = "4103", true
			switch rest := referee(stream); {
			case rest.message:
				v.or = rest.or
			case rest.closed || rest.end == "lost":
				v.or = rest.end
			}
			return v
		}
		message = ""
	}
}

// refereeFrame takes the next frame off the stream. end says how the connection ends if it cannot.
func refereeFrame(stream []byte, before, fragments int, inside bool) (first byte, payload string, rest []byte, end string) {
	if len(stream) < 2 {
		return 0, "", nil, "lost"
	}
	first = stream[0]
	size, extra := uint64(stream[1]&0x7F), map[byte]int{126: 2, 127: 8}[stream[1]&0x7F]
	masked := stream[1]&0x80 != 0
	header := 2 + extra
	if masked {
		header += 4
	}
	if len(stream) < header {
		return 0, "", nil, "lost"
	}
	if extra > 0 {
		size = 0
		for _, b := range stream[2 : 2+extra] {
			size = size<<8 | uint64(b)
		}
	}
	opcode, last := first&0x0F, first&0x80 != 0
	shortest := extra == 0 || extra == 2 && size > 125 || extra == 8 && size > 65_535 && size < 1<<63
	switch {
	case first&0x70 != 0, !masked, !shortest,
		opcode > 0xA, opcode > 1 && opcode < 8,
		opcode >= 8 && (!last || size > 125),
		opcode == 0 && !inside, opcode == 1 && inside:
		return 0, "", nil, "4103"
	case opcode < 8 && uint64(before)+size > malformedMessage:
		return 0, "", nil, "4104"
	case opcode < 8 && inside && fragments == 16: // by its header alone
		return 0, "", nil, "4108"
	case uint64(len(stream)-header) < size:
		return refereeCut(stream[header:], opcode, stream[header-4:header])
	}
	text := make([]byte, size)
	for i := range text {
		text[i] = stream[header+i] ^ stream[header-4+i%4]
	}
	return first, string(text), stream[header+int(size):], ""
}

// refereeClose returns how a close frame is answered. There is no bye any more where the client closes, however badly.
func refereeClose(payload string) string {
	if payload == "" {
		return "1005"
	}
	if len(payload) == 1 {
		return "1002"
	}
	code := int(payload[0])<<8 | int(payload[1])
	switch {
	case !utf8.ValidString(payload[2:]):
		return "4109"
	case code >= 3000 && code <= 4999, code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006:
		return fmt.Sprint(code)
	}
	return "1002"
}

// refereeCut returns how a stream ends in the middle of a frame: it is lost, unless what came of a close frame is wrong
// already.
func refereeCut(came []byte, opcode byte, key []byte) (byte, string, []byte, string) {
	if opcode == 0x8 && len(came) > 2 {
		text := make([]byte, len(came))
		for i := range came {
			text[i] = came[i] ^ key[i%4]
		}
		for text = text[2:]; len(text) > 0; {
			if !utf8.FullRune(text) {
				break
			}
			char, n := utf8.DecodeRune(text)
			if char == utf8.RuneError && n == 1 {
				return 0, "", nil, "4109"
			}
			text = text[n:]
		}
	}
	return 0, "", nil, "lost"
}
