package disk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A frame is one entry of the log:
//
//	head   what it is and of what, with a checksum
//	body   what is kept, whose checksum stands in the head
//	tail   the head once more, and its length in two bytes
//
// A head is, in big endian:
//
//	 0  4  headMagic, in the tail tailMagic
//	 4  4  CRC-32C of the head from byte 8 on
//	 8  1  kind
//	 9  1  zero
//	10  2  length of the name
//	12  4  length of the body
//	16  4  CRC-32C of the body
//	20  8  seq: one more than that of the frame before, over all segments
//	28  8  order: the seq of the frame of which this is a copy, or its own
//	36  8  settled: the frames up to this seq had been synced when it was written
//	44  8  number of the state; one that is removed and created again has another
//	52  8  version of the record or checkpoint
//	60  8  first: with a base, the version of the oldest record that is kept; with opened, mark and closed, the seq
//	       with which the log begins
//	68  8  base: which checkpoint of the state it is, from 1; with a record, the last one before it
//	76  8  last: the last version that was appended when the frame was
//	84  n  name: the state's identifier, the session's id
//
// The head stands twice because it tells whose the frame is: with one of the two damaged it is still read, and with the
// body damaged the state can be named. Texts in UTF-8 contain no magic, so a damaged head does not let a text pass for a frame.
type frame struct {
	kind    kind
	name    string
	bodyLen uint32
	bodyCRC uint32
	seq     uint64
	order   uint64
	settled uint64
	number  uint64
	version uint64
	first   uint64
	base    uint64
	last    uint64
}

// kind is what a frame says.
type kind uint8

const (
	kindBase    kind = iota + 1 // a state's header and checkpoint: length and CRC-32C of the header, the header, the checkpoint
	kindRecord                  // the record of a version
	kindRemove                  // the state is forgotten; no body
	kindSession                 // the text of a session
	kindForget                  // the session is forgotten; no body
	kindOpened                  // the store was opened: lineage, boot and durability are the name
	kindMark                    // nothing; its settled is the news
	kindClosed                  // the store was closed, and everything synced
)

const (
	headMagic = "\xffSs\xf1"
	tailMagic = "\xffSs\xf2"
	headFixed = 84
	baseFixed = 8
	maxName   = 1 << 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(parts ...[]byte) (sum uint32) {
	for _, part := range parts {
		sum = crc32.Update(sum, castagnoli, part)
	}
	return sum
}

// headLen is the length of the head.
func (f *frame) headLen() int { return headFixed + len(f.name) }

// size is the length of the whole frame.
func (f *frame) size() int64 { return 2*int64(f.headLen()) + int64(f.bodyLen) + 2 }

// appendFrame writes a frame. The body's length and checksum are those that f has: a copy of a damaged body stays damaged.
func appendFrame(out []byte, f *frame, body ...[]byte) []byte {
	start := len(out)
	out = append(out, headMagic+"\x00\x00\x00\x00"...)
	out = append(out, byte(f.kind), 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(f.name)))
	out = binary.BigEndian.AppendUint32(out, f.bodyLen)
	out = binary.BigEndian.AppendUint32(out, f.bodyCRC)
	for _, n := range []uint64{f.seq, f.order, f.settled, f.number, f.version, f.first, f.base, f.last} {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	out = append(out, f.name...)
	end := len(out)
	binary.BigEndian.PutUint32(out[start+4:], checksum(out[start+8:end]))
	for _, part := range body {
		out = append(out, part...)
	}
	out = append(out, tailMagic...)
	out = append(out, out[start+4:end]...)
	return binary.BigEndian.AppendUint16(out, uint16(end-start))
}

// headAt reads the head at data[at:] whose magic is given.
func headAt(data []byte, at int, magic string) (f frame, ok bool) {
	if at < 0 || len(data)-at < headFixed || string(data[at:at+4]) != magic {
		return f, false
	}
	h := data[at:]
	name := int(binary.BigEndian.Uint16(h[10:]))
	if name > maxName || len(h) < headFixed+name || checksum(h[8:headFixed+name]) != binary.BigEndian.Uint32(h[4:]) {
		return f, false
	}
	n := func(at int) uint64 { return binary.BigEndian.Uint64(h[at:]) }
	return frame{
		kind: kind(h[8]), name: string(h[headFixed : headFixed+name]),
		bodyLen: binary.BigEndian.Uint32(h[12:]), bodyCRC: binary.BigEndian.Uint32(h[16:]),
		seq: n(20), order: n(28), settled: n(36), number: n(44), version: n(52), first: n(60), base: n(68), last: n(76),
	}, true
}

// frameAt reads the frame at data[at:], which must have the given seq, by its head or else by its tail.
func frameAt(data []byte, at int, seq uint64) (f frame, ok bool) {
	f, ok = headAt(data, at, headMagic)
	if ok && f.seq == seq {
		return f, f.size() <= int64(len(data)-at)
	}
	for end := at + 1; end > 0; {
		var next frame
		if end, next = search(data, end, seq+1); end > 0 && next.seq != seq+1 {
			return f, false
		}
		stop := end
		if stop < 0 {
			stop = len(data)
		}
		if f, ok := tailBefore(data, stop); ok && f.seq == seq && f.size() == int64(stop-at) {
			return f, true
		}
		if end > 0 {
			end++
		}
	}
	return f, false
}

// tailBefore reads the tail that ends at data[:end].
func tailBefore(data []byte, end int) (f frame, ok bool) {
	if end < 2 {
		return f, false
	}
	length := int(binary.BigEndian.Uint16(data[end-2:]))
	f, ok = headAt(data[:end], end-2-length, tailMagic)
	return f, ok && f.headLen() == length
}

// search finds the next frame at or after data[at:] with that seq or a later one; without one it returns -1.
func search(data []byte, at int, seq uint64) (int, frame) {
	for at < len(data) {
		i := bytes.Index(data[at:], []byte(headMagic))
		if i < 0 {
			break
		}
		at += i
		if f, ok := headAt(data, at, headMagic); ok && f.seq >= seq && f.size() <= int64(len(data)-at) {
			return at, f
		}
		at++
	}
	return -1, frame{}
}

// bodyOf returns the body of the frame at data[at:].
func bodyOf(data []byte, at int, f *frame) []byte {
	start := at + f.headLen()
	return data[start : start+int(f.bodyLen)]
}
