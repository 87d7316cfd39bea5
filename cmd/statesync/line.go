package main

import (
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
)

// A form writes one change as one line, with its newline.
type form func(dst []byte, version uint64, c change) []byte

// humanLine is the form for people: a sign, where, and the value. "+" is new, "=" has another value, "-" is gone.
func humanLine(dst []byte, _ uint64, c change) []byte {
	sign := map[string]byte{"add": '+', "replace": '=', "remove": '-'}[c.op]
	dst = append(dst, sign, ' ')
	dst = append(dst, c.pointer...)
	if c.value.Exists() {
		dst = append(dst, ' ')
		dst = c.value.AppendJSON(dst)
	}
	return append(dst, '\n')
}

// jsonLine is the form for programs: an operation of RFC 6902, and the version of the state that it leads to.
func jsonLine(dst []byte, version uint64, c change) []byte {
	dst = append(dst, `{"version":`...)
	dst = strconv.AppendUint(dst, version, 10)
	dst = append(dst, `,"op":"`...)
	dst = append(dst, c.op...)
	dst = append(dst, `","path":`...)
	dst = appendString(dst, c.pointer)
	if c.value.Exists() {
		dst = append(dst, `,"value":`...)
		dst = c.value.AppendJSON(dst)
	}
	return append(dst, "}\n"...)
}

// valueLine is the mirror of append: the value of every element that comes into an array, or comes with one, and nothing
// else.
func valueLine(dst []byte, _ uint64, c change) []byte {
	switch {
	case c.op == "add" && c.element:
		dst = append(c.value.AppendJSON(dst), '\n')
	case !c.element:
		for _, value := range c.value.Elements() {
			dst = append(value.AppendJSON(dst), '\n')
		}
	}
	return dst
}

// appendString writes text as canonical JSON. A pointer of a state's names is valid Unicode, so it cannot fail.
func appendString(dst []byte, text string) []byte {
	return document.MustOf(text).AppendJSON(dst)
}
