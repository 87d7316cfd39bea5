package shrink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// knownGo is the version of Go whose modules are understood: the tables are the runtime's own affair, and each version
// may lay them out anew.
const knownGo = "go1.26"

// Sections of a WebAssembly module that are read here.
const (
	customSection = 0
	dataSection   = 11
)

var preamble = []byte("\x00asm\x01\x00\x00\x00")

// errShort says that the module ends within something.
var errShort = errors.New("the module is cut off")

// Module returns the module, which the linker of Go 1.26 made, in fewer bytes. The error says why that is not done: bytes
// that are no such module, or tables that are not what they should be.
func Module(wasm []byte) ([]byte, error) {
	sections, err := parseSections(wasm)
	if err != nil {
		return nil, err
	}
	if err := checkVersion(sections); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(sections, func(s section) bool { return s.id == dataSection })
	if i < 0 {
		return nil, errors.New("the module has no data")
	}
	memory, err := parseData(sections[i].content)
	if err != nil {
		return nil, err
	}
	if err := clearLines(memory); err != nil {
		return nil, err
	}
	sections[i].content = appendData(nil, memory)
	sections = slices.DeleteFunc(sections, func(s section) bool { return s.id == customSection })
	return appendSections(slices.Clone(preamble), sections), nil
}

type section struct {
	id      byte
	content []byte
}

func parseSections(wasm []byte) ([]section, error) {
	rest, ok := bytes.CutPrefix(wasm, preamble)
	if !ok {
		return nil, errors.New("this is no WebAssembly module")
	}
	var sections []section
	for in := (reader{rest: rest}); len(in.rest) > 0; {
		s := section{id: in.byte()}
		s.content = in.bytes(in.number())
		if in.err != nil {
			return nil, in.err
		}
		sections = append(sections, s)
	}
	return sections, nil
}

func appendSections(b []byte, sections []section) []byte {
	for _, s := range sections {
		b = binary.AppendUvarint(append(b, s.id), uint64(len(s.content)))
		b = append(b, s.content...)
	}
	return b
}

// checkVersion finds in the section "producers" which Go made the module.
func checkVersion(sections []section) error {
	for _, s := range sections {
		in := reader{rest: s.content}
		if s.id != customSection || string(in.bytes(in.number())) != "producers" {
			continue
		}
		at := bytes.Index(in.rest, []byte("go1."))
		if at < 0 {
			break
		}
		version := string(in.rest[at:])
		if after, ok := strings.CutPrefix(version, knownGo); ok && (after == "" || after[0] < '0' || after[0] > '9') {
			return nil
		}
		return fmt.Errorf("the module was made by %.8q, and only the tables of %s are known", version, knownGo)
	}
	return errors.New("the module does not say that Go made it")
}

// A reader takes a module apart. After the first error it returns zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.rest) {
		r.err = errShort
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// number reads an unsigned LEB128 number, which is a varint of package binary.
func (r *reader) number() int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > 1<<32 {
		r.err = errShort
		return 0
	}
	r.bytes(size)
	return int(n)
}
