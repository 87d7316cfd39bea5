package shrink

import (
	"encoding/binary"
	"errors"
)

const (
	constI32 = 0x41
	end      = 0x0b

	// mostMemory bounds what a module may fill in the beginning.
	mostMemory = 64 << 20

	// gap is the shortest run of zeros that ends a segment. A segment's header has bytes that compress badly, and zeros
	// cost next to nothing on the wire; of 32 to 4,096 this is the best.
	gap = 128
)

// parseData returns the memory from address 0 as the segments fill it.
func parseData(content []byte) ([]byte, error) {
	in := reader{rest: content}
	var memory []byte
	for n := in.number(); n > 0 && in.err == nil; n-- {
		flags, instruction := in.byte(), in.byte()
		address := in.number() // a signed number, which reads the same while it is not negative
		if flags != 0 || instruction != constI32 || in.byte() != end {
			return nil, errors.New("a data segment has no fixed place")
		}
		segment := in.bytes(in.number())
		if in.err != nil || address+len(segment) > mostMemory {
			return nil, errors.New("a data segment does not end, or leaves the memory")
		}
		memory = append(memory, make([]byte, max(0, address+len(segment)-len(memory)))...)
		copy(memory[address:], segment)
	}
	return memory, in.err
}

// appendData writes the segments that fill the memory.
func appendData(b, memory []byte) []byte {
	var segments []byte
	count := 0
	for begin := nonZero(memory, 0); begin < len(memory); count++ {
		stop, next := begin, begin
		for next < len(memory) && next-stop < gap {
			stop = zero(memory, next)
			next = nonZero(memory, stop)
		}
		segments = append(segments, 0, constI32)
		segments = append(appendSigned(segments, begin), end)
		segments = binary.AppendUvarint(segments, uint64(stop-begin))
		segments = append(segments, memory[begin:stop]...)
		begin = next
	}
	return append(binary.AppendUvarint(b, uint64(count)), segments...)
}

// zero and nonZero return the first address from at on that holds zero, or does not; or the memory's end.
func zero(memory []byte, at int) int {
	for at < len(memory) && memory[at] != 0 {
		at++
	}
	return at
}

func nonZero(memory []byte, at int) int {
	for at < len(memory) && memory[at] == 0 {
		at++
	}
	return at
}

// appendSigned writes a number that is not negative as signed LEB128.
func appendSigned(b []byte, n int) []byte {
	for ; n >= 0x40; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}
