//go:build !js

package jointtest

import (
	"cmp"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
)

// tick is what the history's clock counts in porcupine's time, so that a call can be put between two of its readings.
const tick = 1 << 20

// narrow moves calls and returns of changes together as far as reads say where they stand: before a read that shows the
// change or a later one of its writer, and after one that shows neither. The model says the same, but only when the
// search has come so far: a change that waited for a new connection stands beside hundreds of others, and their orders
// are too many to try.
func narrow(operations []porcupine.Operation) {
	for i := range operations {
		o := &operations[i]
		c := o.Input.(*event).change
		if c == nil {
			continue
		}
		call, back := o.Call, o.Return
		for j := range operations {
			read := operations[j].Input.(*event)
			switch {
			case read.change != nil:
			case read.read.tags[c.writer] < c.number:
				call = max(call, read.call*tick+1)
			case read.read.tags[c.writer] == c.number || o.Return != math.MaxInt64:
				back = min(back, read.back*tick)
			}
		}
		if call < back { // else no order is right, and the search shall say so
			o.Call, o.Return = call, back
		}
	}
}

// hinted returns the operations of porcupineOperations, with calls and returns moved so that they come in the order of
// the versions that the follower heard, and those that it never heard of come at the end. Intervals only become shorter.
// Porcupine tries calls in their order, and so the first that it tries is the right one.
func hinted(events []event, sights []sight) []porcupine.Operation {
	operations := porcupineOperations(events)
	heard := map[tag]uint64{}
	for _, s := range sights {
		for _, t := range s.tags {
			heard[t] = s.version
		}
	}
	var changes []*porcupine.Operation
	version := func(o *porcupine.Operation) uint64 { return heard[o.Input.(*event).change.tag] }
	for i := range operations {
		o := &operations[i]
		switch c := o.Input.(*event).change; {
		case c == nil:
		case heard[c.tag] != 0:
			changes = append(changes, o)
		case o.Return == math.MaxInt64:
			o.Call = math.MaxInt64 - 1
		}
	}
	slices.SortFunc(changes, func(a, b *porcupine.Operation) int { return cmp.Compare(version(a), version(b)) })
	call, back := int64(0), int64(math.MaxInt64)
	for _, o := range changes {
		call = max(call+1, o.Call)
		o.Call = call
	}
	for _, o := range slices.Backward(changes) {
		back = min(back, o.Return)
		o.Return = back
		if back < o.Call { // the versions contradict the clock
			return porcupineOperations(events)
		}
	}
	return operations
}
