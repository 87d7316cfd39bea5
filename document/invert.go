package document

// Invert returns the positions of the operations that undo an entry, last one first: a removal for an insertion and the
// other way around, the same write for a write, and a Move back for a Move. The operations have no values and must not be
// applied: they are there to carry, with Carry, a later change over the undoing of an earlier one that was refused or
// came out different. A Copy is undone by a removal or a write; Increment and Test move no position and leave nothing.
// Entry may be a change that was carried, too.
func Invert(entry []Op) []Op {
	undo := make([]Op, 0, len(entry))
	for i := len(entry) - 1; i >= 0; i-- {
		undo = appendUndo(undo, entry[i])
	}
	return undo
}

// appendUndo appends what undoes op. The paths of a Move swap as they are: its target is counted without what it moved,
// which is how its source is to be counted when that goes back. A write ends the same elements as a removal or a move
// away, so nothing more is needed for what was written over.
func appendUndo(undo []Op, op Op) []Op {
	kind := targetEffect(op)
	switch {
	case kind == look:
		return undo
	case kind == write && op.Kind != Replace && op.Path.toEnd(): // an index that is not known here
		undo = append(undo, overwritten(op.Path))
		if op.Kind == Move {
			undo = append(undo, Op{Kind: Add, Path: op.From})
		}
		return undo
	case op.Kind == Move:
		return append(undo, Op{Kind: Move, From: op.Path, Path: op.From})
	case kind == insert:
		return append(undo, Op{Kind: Remove, Path: op.Path})
	case kind == replace:
		return append(undo, Op{Kind: Replace, Path: op.Path})
	}
	return append(undo, Op{Kind: Add, Path: op.Path})
}
