package main

import (
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
)

// A change is one line of watch: what is different, where, and the value that stands there now. A sequence of them,
// applied in order as RFC 6902 operations, makes the newer view of the older one.
type change struct {
	op      string // add, replace, remove
	pointer string // RFC 6901
	value   document.Value
	element bool // an element of an array, not a member of an object
}

// differences calls yield for every difference from old to new, in the order in which they apply. Objects are compared by
// name. Arrays are compared by what they begin and end with in common: what was appended is an add per element, also
// when a thousand elements came in one jump.
func differences(pointer string, old, new document.Value, yield func(change)) {
	switch {
	case old.Equal(new):
	case old.Kind() == document.Object && new.Kind() == document.Object:
		memberDifferences(pointer, old, new, yield)
	case old.Kind() == document.Array && new.Kind() == document.Array:
		elementDifferences(pointer, old, new, yield)
	default:
		yield(change{op: "replace", pointer: pointer, value: new})
	}
}

func memberDifferences(pointer string, old, new document.Value, yield func(change)) {
	for name := range old.Members() {
		if !new.Get(name).Exists() {
			yield(change{op: "remove", pointer: pointer + "/" + escape(name)})
		}
	}
	for name, value := range new.Members() {
		child := pointer + "/" + escape(name)
		if before := old.Get(name); before.Exists() {
			differences(child, before, value, yield)
		} else {
			yield(change{op: "add", pointer: child, value: value})
		}
	}
}

func elementDifferences(pointer string, old, new document.Value, yield func(change)) {
	before, after := elements(old), elements(new)
	start := commonPrefix(before, after)
	end := commonSuffix(before[start:], after[start:])
	before, after = before[start:len(before)-end], after[start:len(after)-end]
	if len(before) == len(after) {
		for i := range before {
			differences(pointer+"/"+strconv.Itoa(start+i), before[i], after[i], yield)
		}
		return
	}
	for range before {
		yield(change{op: "remove", pointer: pointer + "/" + strconv.Itoa(start), element: true})
	}
	for i, value := range after {
		yield(change{op: "add", pointer: pointer + "/" + strconv.Itoa(start+i), value: value, element: true})
	}
}

func elements(array document.Value) []document.Value {
	list := make([]document.Value, 0, array.Len())
	for _, value := range array.Elements() {
		list = append(list, value)
	}
	return list
}

func commonPrefix(a, b []document.Value) int {
	n := 0
	for n < min(len(a), len(b)) && a[n].Equal(b[n]) {
		n++
	}
	return n
}

func commonSuffix(a, b []document.Value) int {
	n := 0
	for n < min(len(a), len(b)) && a[len(a)-1-n].Equal(b[len(b)-1-n]) {
		n++
	}
	return n
}

var (
	pointerEscapes   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")
)

// escape writes a member name as a token of a JSON Pointer.
func escape(name string) string { return pointerEscapes.Replace(name) }

// unescape is the inverse of escape.
func unescape(token string) string { return pointerUnescapes.Replace(token) }
