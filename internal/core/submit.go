package core

import "github.com/server-state-sync/server-state-sync/document"

// Ticket names a submitted change in its Settled effect. Tickets ascend over all states of a Core, from 1.
type Ticket uint64

// Change is what Submit takes. The set is closed: Merge, Patch and Transaction.
type Change interface{ change() }

// Merge sets top-level properties; the last writer in the server's order wins, per property.
type Merge struct {
	Updates document.Value // an object
}

// Patch applies operations, all or nothing. Paths are resolved on the state's view; array indexes are carried over
// everything that comes between.
type Patch struct {
	Ops []document.PatchOp
}

// Transaction sets top-level properties computed from the view. It is refused with the code stale if a property that it
// read or wrote was changed by another since Basis.
type Transaction struct {
	Updates document.Value // an object
	Reads   []string       // the top-level properties that the computation read; nil: all of them
	Basis   Basis          // State.Basis, taken together with the view that the computation used
}

func (Merge) change()       {}
func (Patch) change()       {}
func (Transaction) change() {}
