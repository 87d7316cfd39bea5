//go:build !js

package transport_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// A conformanceCase is something that RFC 6455 says about a server, as what a client sends and what it must get. The
// server of these tests sends every frame back.
//
// Answers are written as "text <payload>", "pong <payload>" and "close <code>"; a long payload is told by its length. After
// a close frame the connection must end.
//
// Where the RFC leaves a choice, this is ours: text that is not UTF-8 is found when its frame is whole (section 8.1 does
// not say when), binary frames are refused with 1003 (section 7.4.1), and no extension is agreed on (section 9.1).
type conformanceCase struct {
	section string
	name    string
	sent    []byte
	want    []string
}

func join(pieces ...[]byte) []byte { return slices.Concat(pieces...) }

func closeFrame(code int, reason string) []byte {
	return fragment(0x88, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// echoed is the answer to a text frame.
func echoed(payload string) []string { return []string{described("text", payload)} }

func described(kind, payload string) string {
	if len(payload) > 130 {
		return fmt.Sprintf("%s of %d bytes", kind, len(payload))
	}
	return kind + " " + payload
}

var breach = []string{"close 1002"}

func conformanceCases() []conformanceCase {
	return slices.Concat(framingCases(), maskingCases(), opcodeCases(), fragmentationCases(), controlCases(), closeCases(), textCases())
}

// framingCases are about the lengths of frames.
func framingCases() (cases []conformanceCase) {
	for _, size := range []int{0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 100_000} {
		payload := strings.Repeat("*", size)
		cases = append(cases, conformanceCase{"5.2", fmt.Sprintf("a payload of %d bytes", size), fragment(0x81, payload), echoed(payload)})
	}
	long := func(second byte, bits int, size uint64) []byte {
		p := binary.BigEndian.AppendUint64(nil, size)
		return append(append([]byte{0x81, 0x80 | second}, p[8-bits/8:]...), "keys"...)
	}
	for _, c := range []struct {
		second byte
		bits   int
		size   uint64
	}{{126, 16, 0}, {126, 16, 125}, {127, 64, 0}, {127, 64, 125}, {127, 64, 126}, {127, 64, 65_535}} {
		cases = append(cases, conformanceCase{"5.2", fmt.Sprintf("%d bits for %d bytes", c.bits, c.size), long(c.second, c.bits, c.size), breach})
	}
	for _, size := range []uint64{1 << 63, 1<<64 - 1} {
		cases = append(cases, conformanceCase{"5.2", fmt.Sprintf("the most significant bit is set in %x", size), long(127, 64, size), breach})
	}
	for _, size := range []uint64{200_001, 1 << 32, 1<<63 - 1} {
		cases = append(cases, conformanceCase{"7.4.1", fmt.Sprintf("more than is read: %d bytes", size), long(127, 64, size), []string{"close 1009"}})
	}
	return append(cases,
		conformanceCase{"5.2", "many frames in one piece", bytes.Repeat(fragment(0x81, "a"), 100), slices.Repeat(echoed("a"), 100)},
		conformanceCase{"7.4.1", "more than is read, in fragments", join(fragment(0x01, strings.Repeat("x", 150_000)), fragment(0x80, strings.Repeat("x", 60_000))), []string{"close 1009"}})
}

func maskingCases() []conformanceCase {
	masked := func(key, payload string) []byte {
		p := append(header(0x81, uint64(len(payload))), key...)
		for i := range len(payload) {
			p = append(p, payload[i]^key[i&3])
		}
		return p
	}
	return []conformanceCase{
		{"5.1", "text without a mask", []byte("\x81\x02hi"), breach},
		{"5.1", "an empty text without a mask", []byte("\x81\x00"), breach},
		{"5.1", "a ping without a mask", []byte("\x89\x01p"), breach},
		{"5.1", "a close without a mask", []byte("\x88\x02\x03\xE8"), breach},
		{"5.1", "a continuation without a mask", append(fragment(0x01, "a"), "\x80\x01b"...), breach},
		{"5.3", "a key of zeros", masked("\x00\x00\x00\x00", "zeros"), echoed("zeros")},
		{"5.3", "a key of ones", masked("\xff\xff\xff\xff", "ones"), echoed("ones")},
		{"5.3", "another key for each frame", join(masked("abcd", "first one"), masked("efgh", "second one")), append(echoed("first one"), echoed("second one")...)},
	}
}

// opcodeCases are about reserved bits and opcodes.
func opcodeCases() (cases []conformanceCase) {
	for _, bits := range []byte{0x10, 0x20, 0x40, 0x30, 0x50, 0x60, 0x70} {
		for _, opcode := range []byte{0x1, 0x2, 0x8, 0x9, 0xA} {
			cases = append(cases, conformanceCase{"5.2", fmt.Sprintf("reserved bits %#x on opcode %#x", bits, opcode), fragment(0x80|bits|opcode, ""), breach})
		}
		cases = append(cases, conformanceCase{"5.2", fmt.Sprintf("reserved bits %#x on a continuation", bits), join(fragment(0x01, "a"), fragment(0x80|bits, "b")), breach})
	}
	for _, opcode := range []byte{0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		cases = append(cases,
			conformanceCase{"5.2", fmt.Sprintf("reserved opcode %#x", opcode), join(fragment(0x81, "before"), fragment(0x80|opcode, "x"), fragment(0x81, "after")), append(echoed("before"), breach...)},
			conformanceCase{"5.2", fmt.Sprintf("reserved opcode %#x between fragments", opcode), join(fragment(0x01, "a"), fragment(0x80|opcode, ""), fragment(0x80, "b")), breach})
	}
	return append(cases,
		conformanceCase{"7.1.7", "the first rule that is broken counts", join(fragment(0x81, "\xff"), fragment(0xF1, "x")), []string{"close 1007"}},
		conformanceCase{"7.4.1", "a binary frame", fragment(0x82, "x"), []string{"close 1003"}},
		conformanceCase{"7.4.1", "a binary frame in fragments", join(fragment(0x02, "x"), fragment(0x80, "y")), []string{"close 1003"}})
}

func fragmentationCases() (cases []conformanceCase) {
	letters := "fragments of one byte"
	var single []byte
	for i := range len(letters) {
		first := byte(0x00)
		switch i {
		case 0:
			first = 0x01
		case len(letters) - 1:
			first = 0x80
		}
		single = append(single, fragment(first, letters[i:i+1])...)
	}
	return []conformanceCase{
		{"5.4", "two fragments", join(fragment(0x01, "two "), fragment(0x80, "fragments")), echoed("two fragments")},
		{"5.4", letters, single, echoed(letters)},
		{"5.4", "an empty first fragment", join(fragment(0x01, ""), fragment(0x80, "a")), echoed("a")},
		{"5.4", "an empty last fragment", join(fragment(0x01, "a"), fragment(0x80, "")), echoed("a")},
		{"5.4", "empty fragments between", join(fragment(0x01, "a"), fragment(0x00, ""), fragment(0x00, ""), fragment(0x80, "b")), echoed("ab")},
		{"5.4", "empty fragments alone", join(fragment(0x01, ""), fragment(0x00, ""), fragment(0x80, "")), echoed("")},
		{"5.4", "a ping between fragments is answered at once", join(fragment(0x01, "a"), fragment(0x89, "p"), fragment(0x80, "b")), append([]string{"pong p"}, echoed("ab")...)},
		{"5.4", "pings between all fragments", join(fragment(0x01, "a"), fragment(0x89, "1"), fragment(0x00, "b"), fragment(0x89, "2"), fragment(0x80, "c"), fragment(0x89, "3")), []string{"pong 1", "pong 2", "text abc", "pong 3"}},
		{"5.4", "a pong between fragments", join(fragment(0x01, "a"), fragment(0x8A, "p"), fragment(0x80, "b")), echoed("ab")},
		{"5.4", "a close between fragments", join(fragment(0x01, "a"), closeFrame(1000, ""), fragment(0x80, "b")), []string{"close 1000"}},
		{"5.4", "a continuation of nothing", fragment(0x80, "x"), breach},
		{"5.4", "a continuation of nothing that goes on", fragment(0x00, "x"), breach},
		{"5.4", "a continuation of a frame that is whole", join(fragment(0x81, "a"), fragment(0x80, "b")), append(echoed("a"), breach...)},
		{"5.4", "a continuation behind the last fragment", join(fragment(0x01, "a"), fragment(0x80, "b"), fragment(0x80, "c")), append(echoed("ab"), breach...)},
		{"5.4", "a frame inside another", join(fragment(0x01, "a"), fragment(0x81, "b")), breach},
		{"5.4", "the beginning of a frame inside another", join(fragment(0x01, "a"), fragment(0x01, "b"), fragment(0x80, "c")), breach},
	}
}

func controlCases() (cases []conformanceCase) {
	for _, opcode := range []byte{0x8, 0x9, 0xA} {
		cases = append(cases,
			conformanceCase{"5.5", fmt.Sprintf("opcode %#x in fragments", opcode), join(fragment(opcode, ""), fragment(0x80, "")), breach},
			conformanceCase{"5.5", fmt.Sprintf("126 bytes on opcode %#x", opcode), fragment(0x80|opcode, strings.Repeat("x", 126)), breach},
			conformanceCase{"5.5", fmt.Sprintf("70,000 bytes on opcode %#x", opcode), fragment(0x80|opcode, strings.Repeat("x", 70_000)), breach})
	}
	all := make([]byte, 125)
	for i := range all {
		all[i] = byte(i * 2)
	}
	return append(cases,
		conformanceCase{"5.5.2", "a ping without a payload", fragment(0x89, ""), []string{"pong "}},
		conformanceCase{"5.5.2", "a ping with a payload", fragment(0x89, "Hello"), []string{"pong Hello"}},
		conformanceCase{"5.5.2", "a ping with 125 bytes", fragment(0x89, strings.Repeat("p", 125)), []string{"pong " + strings.Repeat("p", 125)}},
		conformanceCase{"5.5.2", "a ping with bytes that are no text", fragment(0x89, string(all)), []string{"pong " + string(all)}},
		conformanceCase{"5.5.3", "a pong that nobody asked for", join(fragment(0x8A, "x"), fragment(0x81, "after")), echoed("after")},
		conformanceCase{"5.5.3", "a pong without a payload", join(fragment(0x8A, ""), fragment(0x89, "after")), []string{"pong after"}},
		conformanceCase{"5.5.3", "ten pings are answered in their order", bytes.Join([][]byte{fragment(0x89, "0"), fragment(0x89, "1"), fragment(0x89, "2"), fragment(0x89, "3"), fragment(0x89, "4")}, nil), []string{"pong 0", "pong 1", "pong 2", "pong 3", "pong 4"}})
}

func closeCases() []conformanceCase {
	cases := []conformanceCase{
		{"5.5.1", "a close without a code", fragment(0x88, ""), []string{"close without a code"}},
		{"5.5.1", "a close of one byte", fragment(0x88, "\x03"), breach},
		{"5.5.1", "a reason", closeFrame(1000, "that is all"), []string{"close 1000"}},
		{"5.5.1", "a reason of 123 bytes", closeFrame(1000, strings.Repeat("*", 123)), []string{"close 1000"}},
		{"5.5.1", "a reason of 124 bytes", closeFrame(1000, strings.Repeat("*", 124)), breach},
		{"5.5.1", "a reason of many characters", closeFrame(4000, "κόσμε 状态 🙂"), []string{"close 4000"}},
		{"5.5.1", "a reason that is not UTF-8", closeFrame(1000, "κόσμε\xed\xa0\x80edited"), []string{"close 1007"}},
		{"5.5.1", "a reason that ends in a character", closeFrame(1000, "\xe7\x8a"), []string{"close 1007"}},
		{"5.5.1", "frames behind a close", join(closeFrame(1000, ""), fragment(0x81, "late"), fragment(0x89, "late")), []string{"close 1000"}},
		{"5.5.1", "frames that are no text behind a close", join(closeFrame(1000, "x"), fragment(0x89, "\xff\xff\xff"), fragment(0x81, "\xff\xff\xff")), []string{"close 1000"}},
		{"5.5.1", "a second close", join(closeFrame(1001, ""), closeFrame(1000, "")), []string{"close 1001"}},
		{"5.5.1", "what came before a close is answered", join(fragment(0x81, "first"), fragment(0x89, "p"), closeFrame(1000, "")), []string{"text first", "pong p", "close 1000"}},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, conformanceCase{"7.4", fmt.Sprintf("code %d", code), closeFrame(code, ""), []string{fmt.Sprint("close ", code)}})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535} {
		cases = append(cases, conformanceCase{"7.4", fmt.Sprintf("code %d, which is never sent", code), closeFrame(code, ""), breach})
	}
	return cases
}

// textCases are about UTF-8. The boundaries are those of RFC 3629, section 4.
func textCases() (cases []conformanceCase) {
	for _, valid := range []string{"\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeff", "\uffff", "\U00010000", "\U0010ffff", "κόσμε"} {
		cases = append(cases, conformanceCase{"8.1", fmt.Sprintf("valid %+q", valid), fragment(0x81, valid), echoed(valid)})
		for at := 1; at < len(valid); at++ {
			cases = append(cases, conformanceCase{"8.1", fmt.Sprintf("valid %+q in fragments at byte %d", valid, at), join(fragment(0x01, valid[:at]), fragment(0x89, "p"), fragment(0x80, valid[at:])), append([]string{"pong p"}, echoed(valid)...)})
		}
	}
	for _, invalid := range []string{
		"\x80", "\xbf", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2\x20", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xe7\x8a", "\xed\xa0\x80", "\xed\xbf\xbf",
		"\xed\xa0\xbd\xed\xb8\x80", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x99", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff",
	} {
		name := fmt.Sprintf("invalid %+q", invalid)
		cases = append(cases,
			conformanceCase{"8.1", name, join(fragment(0x81, "before"), fragment(0x81, "κόσμε"+invalid+"edited")), append(echoed("before"), "close 1007")},
			conformanceCase{"8.1", name + " at the end", fragment(0x81, "a"+invalid), []string{"close 1007"}},
			conformanceCase{"8.1", name + " in a first fragment", join(fragment(0x01, invalid+"a"), fragment(0x80, "b")), []string{"close 1007"}},
			conformanceCase{"8.1", name + " over fragments", join(fragment(0x01, "a"+invalid[:len(invalid)/2]), fragment(0x00, invalid[len(invalid)/2:]), fragment(0x80, "b")), []string{"close 1007"}})
	}
	return cases
}

func TestConformsToRFC6455(t *testing.T) {
	cases := conformanceCases()
	t.Logf("%d cases", len(cases))
	for _, c := range cases {
		t.Run(c.section+" "+c.name, func(t *testing.T) {
			peer, server := dialRaw(t, transport.AcceptOptions{ReadLimit: 200_000})
			done := make(chan struct{})
			go func() { defer close(done); echo(server) }()
			peer.send(c.sent)
			if len(c.want) == 0 || !strings.HasPrefix(c.want[len(c.want)-1], "close") {
				peer.send(closeFrame(1000, "enough"))
				c.want = append(slices.Clone(c.want), "close 1000")
			}
			got := answers(peer.in)
			if !slices.Equal(got, append(c.want, "end")) {
				t.Errorf("section %s: sent %.60q\ngot  %q\nwant %q", c.section, c.sent, got, append(c.want, "end"))
			}
			peer.Close()
			<-done
		})
	}
}

// echo sends frames back until the peer closes or breaks a rule.
func echo(server transport.Conn) {
	defer server.Abort()
	for {
		frame, err := server.Read(context.Background())
		var violation *transport.ViolationError
		if errors.As(err, &violation) {
			_ = server.Close(violation.Violation.Code(), violation.Reason)
		}
		if err != nil || server.Write(context.Background(), frame) != nil {
			return
		}
	}
}

// answers reads what the server sends until the connection ends.
func answers(in *bufio.Reader) (all []string) {
	for {
		first, payload, err := answer(in)
		switch {
		case err == io.EOF || errors.Is(err, syscall.ECONNRESET): // whoever closes over unread bytes resets
			return append(all, "end")
		case err != nil:
			return append(all, err.Error())
		case first == 0x88 && len(payload) == 0:
			all = append(all, "close without a code")
		case first == 0x88 && len(payload) > 1:
			all = append(all, fmt.Sprint("close ", binary.BigEndian.Uint16(payload)))
		case first == 0x81:
			all = append(all, described("text", string(payload)))
		case first == 0x8A:
			all = append(all, described("pong", string(payload)))
		default:
			return append(all, fmt.Sprintf("%#x %q", first, payload))
		}
	}
}

// answer reads a frame, which is in one fragment and has no mask (section 5.1).
func answer(in *bufio.Reader) (first byte, payload []byte, err error) {
	var head [10]byte
	if _, err = io.ReadFull(in, head[:2]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1])
	switch size {
	case 126:
		_, err = io.ReadFull(in, head[8:])
		size = uint64(binary.BigEndian.Uint16(head[8:]))
	case 127:
		_, err = io.ReadFull(in, head[2:])
		size = binary.BigEndian.Uint64(head[2:])
	}
	if err != nil || size > 1<<20 {
		return 0, nil, fmt.Errorf("a header %x: %v", head, err)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(in, payload)
	return head[0], payload, err
}
