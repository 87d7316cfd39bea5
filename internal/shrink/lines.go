package shrink

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The header of the table of functions, runtime.pcHeader: the magic number of its layout, two zeros, the least size of an
// instruction and the size of a pointer.
var functionsMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// Where runtime.pcHeader says how many functions there are and where its parts lie.
const (
	headerFunctions = 8
	headerParts     = 32 // offsets of the names, compilation units, files, pc tables, and functions; eight bytes each
)

// Where runtime._func has what.
const (
	functionStack     = 16 // the offset of a pc table: the size of the frame
	functionFile      = 20 // the same: the number of the file
	functionLine      = 24 // the same: the line
	functionTables    = 28 // how many more pc tables there are
	functionStartLine = 36
	functionSize      = 44 // the offsets of the further pc tables follow
)

var errTables = errors.New("the module's table of functions is not as Go 1.26 makes it")

// clearLines takes from the memory which line of which file an instruction is of, as if the compiler had known none: for
// offset 0 the runtime prints "?" and line 0.
func clearLines(memory []byte) error {
	t, err := findTables(memory)
	if err != nil {
		return err
	}
	lines, others := t.pcTables()
	for at := range t.pcs {
		if lines[at] && !others[at] {
			t.pcs[at] = 0
		}
	}
	for _, f := range t.functions {
		clear(f[functionFile:functionTables])
		clear(f[functionStartLine : functionStartLine+4])
	}
	clear(t.files)
	return nil
}

// tables is where a memory has runtime.moduledata's tables.
type tables struct {
	files     []byte
	pcs       []byte // tables from program counters to numbers, each at an offset that functions name
	functions [][]byte
}

// findTables finds them by their header and the one place that points to it and to what follows it.
func findTables(memory []byte) (*tables, error) {
	header := 0
	for header < len(memory) && !bytes.HasPrefix(memory[header:], functionsMagic) {
		header += 8
	}
	if header+headerParts+5*8 > len(memory) {
		return nil, errTables
	}
	word := func(at int) int { return int(binary.LittleEndian.Uint64(memory[at:])) }
	var pointers []byte
	pointers = binary.LittleEndian.AppendUint64(pointers, uint64(header))
	pointers = binary.LittleEndian.AppendUint64(pointers, uint64(header+word(header+headerParts)))
	data := bytes.Index(memory, pointers)
	if data < 0 || data+7*24 > len(memory) || bytes.Contains(memory[data+1:], pointers) {
		return nil, errTables
	}
	part := func(i, size int) []byte { // a slice of runtime.moduledata
		begin, n := word(data+8+24*i), word(data+16+24*i)*size
		if begin < 0 || n < 0 || begin > len(memory) || n > len(memory)-begin {
			return nil
		}
		return memory[begin : begin+n : begin+n]
	}
	t := &tables{files: part(2, 1), pcs: part(3, 1)}
	index := part(5, 8)
	if count := word(header + headerFunctions); t.files == nil || t.pcs == nil || count < 1 || len(index) != 8*(count+1) {
		return nil, errTables
	}
	return t, t.findFunctions(part(4, 1), index[:len(index)-8])
}

// findFunctions takes the functions from their table, where the index says.
func (t *tables) findFunctions(table, index []byte) error {
	for ; len(index) > 0; index = index[8:] {
		at := int(binary.LittleEndian.Uint32(index[4:]))
		if at+functionSize > len(table) {
			return errTables
		}
		f := table[at:]
		size := functionSize + 4*int(binary.LittleEndian.Uint32(f[functionTables:]))
		if size > len(f) || size > 1024 {
			return errTables
		}
		f = f[:size:size]
		for _, offset := range pcOffsets(f) {
			if offset >= len(t.pcs) {
				return errTables
			}
		}
		t.functions = append(t.functions, f)
	}
	return nil
}

// pcOffsets returns the offsets of the function's tables: frame size, file, line, and others.
func pcOffsets(f []byte) []int {
	offsets := []int{}
	for at := functionStack; at < len(f); at += 4 {
		if at < functionTables || at >= functionSize {
			offsets = append(offsets, int(binary.LittleEndian.Uint32(f[at:])))
		}
	}
	return offsets
}

// pcTables returns which bytes belong to tables of files and lines, and which to others: tables that are equal are one.
func (t *tables) pcTables() (lines, others []bool) {
	lines, others = make([]bool, len(t.pcs)), make([]bool, len(t.pcs))
	for _, f := range t.functions {
		for i, offset := range pcOffsets(f) {
			if offset == 0 {
				continue // there is no table
			}
			into := others
			if i == 1 || i == 2 {
				into = lines
			}
			for n := t.pcTableSize(offset); n > 0; n-- {
				into[offset+n-1] = true
			}
		}
	}
	return lines, others
}

// pcTableSize returns the length of a table: pairs of varints, of which the first is 0 behind the last pair.
func (t *tables) pcTableSize(offset int) int {
	at := offset
	for first := true; at < len(t.pcs) && (first || t.pcs[at] != 0); first = false {
		for range 2 {
			for at < len(t.pcs) && t.pcs[at] >= 0x80 {
				at++
			}
			at++
		}
	}
	return min(at+1, len(t.pcs)) - offset
}
