package main

import (
	"github.com/server-state-sync/server-state-sync/document"
)

// changesOf returns what the operations change, one after the other, beginning at the value; ok is false where that is
// not known, and the views have to be compared.
func changesOf(value document.Value, ops []document.Op) (changes []change, ok bool) {
	for _, op := range ops {
		if len(op.Path) == 0 {
			return nil, false
		}
		next, _, err := document.Apply(value, []document.Op{op}, document.NoLimits)
		if err != nil {
			return nil, false
		}
		changes = appendChanges(changes, value, next, op)
		value = next
	}
	return changes, len(ops) > 0
}

// appendChanges appends what one operation changes. A move is the end of the one and the coming of the other.
func appendChanges(changes []change, before, after document.Value, op document.Op) []change {
	pointer, element := pointerOf(op.Path), op.Path[len(op.Path)-1].IsIndex()
	if op.Kind == document.Move {
		changes = append(changes, change{op: "remove", pointer: pointerOf(op.From), element: op.From[len(op.From)-1].IsIndex()})
	}
	switch op.Kind {
	case document.Remove:
		return append(changes, change{op: "remove", pointer: pointer, element: element})
	case document.Replace, document.Increment:
		return append(changes, change{op: "replace", pointer: pointer, value: after.Lookup(op.Path)})
	}
	added := change{op: "add", pointer: pointer, value: after.Lookup(op.Path), element: element}
	if !element && before.Lookup(op.Path).Exists() {
		added.op = "replace"
	}
	return append(changes, added)
}

func pointerOf(path document.Path) string {
	text := ""
	for _, token := range path {
		text += "/" + escape(token.String())
	}
	return text
}
