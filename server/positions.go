package server

import (
	"fmt"
	"iter"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// about is what is known of an entry without decoding it.
type about struct {
	moves propertySet // the top-level properties in which it may move positions
	ops   int         // how many operations it has
}

// aboutOf returns what is to be known of an entry.
func aboutOf(entry []document.Op) about {
	known := about{ops: len(entry)}
	for i := range entry {
		switch op := &entry[i]; op.Kind {
		case document.Test, document.Increment:
		case document.Move:
			known.moves |= propertyOf(op.From) | propertyOf(op.Path)
		default:
			known.moves |= propertyOf(op.Path)
		}
	}
	return known
}

// propertySet is a set of top-level properties, a bit for each; several properties may share one. Where two sets have
// nothing in common, neither side has a path at, above or below one of the other.
type propertySet uint64

const allProperties = ^propertySet(0)

// propertyOf returns the set of the property that a path goes through: of all for the root.
func propertyOf(path document.Path) propertySet {
	if len(path) == 0 || path[0].IsIndex() {
		return allProperties
	}
	const offset, prime, mix = 14695981039346656037, 1099511628211, 0x9e3779b97f4a7c15 // FNV-1a, and Fibonacci's
	hash := uint64(offset)
	for _, c := range []byte(path[0].Name) {
		hash = (hash ^ uint64(c)) * prime
	}
	return 1 << (hash * mix >> 58)
}

// propertiesOf returns the set of the properties that a change names in any way.
func propertiesOf(ops []document.Op) (set propertySet) {
	for i := range ops {
		set |= propertyOf(ops[i].Path)
		if ops[i].Kind.HasFrom() {
			set |= propertyOf(ops[i].From)
		}
	}
	return set
}

// carry moves the positions of a change over the entries since its base. Entries that are about other properties are
// passed over, and whether it would be too much work is known before any is decoded.
func (s *state) carry(c *change) ([]document.Op, *Error) {
	if c.base+1 < s.history.first() {
		return nil, failure(protocol.CodeBaseTooOld, "version %d is too old to carry positions forward", c.base)
	}
	named, work := propertiesOf(c.ops), 0
	for _, known := range s.history.moves(c.base+1, named) {
		if work += len(c.ops) * known.ops; work > s.server.options.Limits.CarryWork {
			return nil, failure(protocol.CodeBaseTooOld, "too much was changed since version %d to carry positions forward", c.base)
		}
	}
	ops := c.ops
	for version := range s.history.moves(c.base+1, named) {
		entry, err := s.history.positionsOf(version)
		if err != nil {
			return nil, refused(err)
		}
		if ops, _, err = document.Carry(ops, entry); err != nil {
			return nil, refused(err)
		}
	}
	return ops, nil
}

// moves yields the entries from version from on that may move positions in one of the properties.
func (h *history) moves(from uint64, in propertySet) iter.Seq2[uint64, about] {
	return func(yield func(uint64, about) bool) {
		for from < h.next {
			s := h.segment(from)
			for i := int(from - s.first); i < len(s.about); i++ {
				if s.about[i].moves&in != 0 && !yield(s.first+uint64(i), s.about[i]) {
					return
				}
			}
			from = s.last() + 1
		}
	}
}

// positionsOf returns the operations of an entry that move positions, without their values. Each entry is decoded once,
// however often changes are carried over it; what is kept goes with the entry, and is a few times its text at most.
func (h *history) positionsOf(version uint64) ([]document.Op, error) {
	s := h.segment(version)
	i := int(version - s.first)
	if i < len(s.positions) && s.positions[i] != nil {
		return s.positions[i], nil
	}
	all, err := protocol.DecodeOps(h.ops(version), ownLimits)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", version, err)
	}
	ops := make([]document.Op, 0, len(all))
	for _, op := range all {
		if op.Kind != document.Test && op.Kind != document.Increment {
			ops = append(ops, document.Op{Kind: op.Kind, From: op.From, Path: op.Path})
		}
	}
	if missing := len(s.ends) - len(s.positions); missing > 0 {
		s.positions = append(s.positions, make([][]document.Op, missing)...)
	}
	s.positions[i] = ops
	return ops, nil
}

// ownLimits lets everything through that this package has encoded itself.
var ownLimits = protocol.Limits{
	Bytes: document.MaxBytes, Operations: document.MaxBytes, Depth: document.MaxDepth, KeyBytes: document.MaxBytes,
}
