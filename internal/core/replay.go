package core

import (
	"errors"
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// errNoObject refuses what would make a state anything else than an object.
var errNoObject = &protocol.Error{Code: protocol.CodePatchFailed, Reason: "a state's value must be an object"}

// apply is document.Apply for the value of a state.
func apply(v document.Value, ops []document.Op) (document.Value, []document.Op, error) {
	next, entry, err := document.Apply(v, ops, document.NoLimits)
	if err == nil && next.Kind() != document.Object {
		return v, nil, errNoObject
	}
	return next, entry, err
}

// applyEntry is document.Replay for the value of a state.
func applyEntry(v document.Value, entry []document.Op) (document.Value, error) {
	next, err := document.Replay(v, entry)
	if err == nil && next.Kind() != document.Object {
		return v, errNoObject
	}
	return next, err
}

// run replays the change on a value.
func (p *pending) run(root document.Value) (next document.Value, entry []document.Op, err error) {
	switch {
	case p.ended != nil:
		return root, nil, p.ended
	case p.overwrites():
		return apply(root, document.Merge(root, p.updates))
	case p.unresolved:
		ops, err := document.Resolve(root, p.change.(Patch).Ops)
		if err != nil {
			return root, nil, err
		}
		return apply(root, ops)
	default:
		return apply(root, p.ops)
	}
}

// enter applies an accepted entry to the confirmed value: one of others, or what the server made of an own change that
// is not pending any more.
func (s *State) enter(version uint64, entry []document.Op) error {
	next, err := applyEntry(s.confirmed, entry)
	if err != nil {
		return fault("version ", decimal(version), " of ", s.identifier, " cannot be applied: ", err.Error())
	}
	s.confirmed = next
	s.step(version, false)
	if len(s.pending) == 0 && !s.late {
		s.view = next
		s.reportEntry(entry)
		return nil
	}
	s.delay(Remote)
	s.rebase(entry)
	return nil
}

// rebase moves the pending changes and the view over an entry that the confirmed value has already.
func (s *State) rebase(entry []document.Op) {
	reads, writes := accessOf(entry)
	s.touch(writes)
	if !s.stale && !s.concerns(reads) {
		if view, err := applyEntry(s.view, entry); err == nil {
			s.view = view
			s.dropRoots()
			return
		}
	}
	if s.transactions > 0 {
		s.spoilReaders(writes)
	}
	s.carry(0, entry)
	s.stale = true
}

// concerns reports whether a pending change reads or writes one of the properties.
func (s *State) concerns(a access) bool {
	if s.everything > 0 || a.all {
		return len(s.pending) > 0
	}
	return slices.ContainsFunc(a.names, func(name string) bool { return s.properties[name] > 0 })
}

// dropRoots forgets the kept values, which an entry beside the pending changes has passed by. The effects still hold.
func (s *State) dropRoots() {
	for _, p := range s.pending {
		p.root = document.Value{}
	}
}

// spoilReaders ends the unsent transactions that read or wrote one of the properties, or one that a change before them
// makes depend on it.
func (s *State) spoilReaders(changed access) {
	changed.names = slices.Clone(changed.names)
	for _, p := range s.pending {
		if !p.reads.meets(changed) {
			continue
		}
		if p.tied() {
			changed.join(p.reads)
		}
		s.spoilOne(p)
	}
}

// carry moves the changes from i on over an entry that comes before change i.
func (s *State) carry(i int, entry []document.Op) {
	left := s.indexed
	for _, p := range s.pending[:min(i, len(s.pending))] {
		if p.indexed {
			left--
		}
	}
	for ; left > 0 && i < len(s.pending) && len(entry) > 0; i++ {
		p := s.pending[i]
		if p.indexed {
			left--
			p.carryOps(entry)
		}
		if left > 0 {
			entry = s.passBy(i, entry)
		}
	}
}

// carryOps moves the places that the change names over the entry. Where one of them is gone the change has ended.
func (p *pending) carryOps(entry []document.Op) {
	if p.ended != nil {
		return
	}
	ops, _, err := document.Carry(p.ops, entry)
	if err != nil {
		p.ended = err
		return
	}
	p.ops = ops
}

// passBy moves the effect of change i over the entry and returns the entry as the next change meets it.
func (s *State) passBy(i int, entry []document.Op) []document.Op {
	p := s.pending[i]
	if p.overwrites() {
		return outside(entry, p.writes.names)
	}
	if len(p.entry) == 0 {
		return entry
	}
	effect, after, err := document.Carry(p.entry, entry)
	if err != nil {
		undone := document.Invert(p.entry)
		p.entry = nil
		s.carry(i+1, undone)
		return entry
	}
	p.entry = effect
	return after
}

// outside returns an entry as it looks after a merge of the properties: what it does in them is overwritten, and the
// places in them are as they were.
func outside(entry []document.Op, properties []string) []document.Op {
	within := func(path document.Path) bool {
		if len(path) == 0 {
			return false
		}
		_, found := slices.BinarySearch(properties, path[0].Name)
		return found
	}
	if !slices.ContainsFunc(entry, func(op document.Op) bool { return within(op.Path) || within(op.From) }) {
		return entry
	}
	var left []document.Op
	for _, op := range entry {
		from, to := op.Kind == document.Move && !within(op.From), !within(op.Path)
		switch {
		case to && (op.Kind == document.Move) && !from:
			left = append(left, document.Op{Kind: document.Add, Path: op.Path})
		case to && op.Kind == document.Copy && within(op.From):
			left = append(left, document.Op{Kind: document.Add, Path: op.Path})
		case to:
			left = append(left, op)
		case from:
			left = append(left, document.Op{Kind: document.Remove, Path: op.From})
		}
	}
	return left
}

// replay makes the view anew: the confirmed value with every pending change on it. A change that cannot be replayed is
// hidden if the server is to decide on it, and settles otherwise.
func (s *State) replay() {
	root := s.confirmed
	for _, p := range s.pending {
		s.touch(p.writes)
	}
	for i := 0; i < len(s.pending); {
		if root = s.replayOne(i, root); s.undecided(i) {
			i++
			continue
		}
		p := s.remove(i)
		code, reason := codeOf(p.ended)
		s.settle(p, Verdict{Code: code, Reason: reason})
	}
	s.view, s.stale = root, false
}

// undecided reports whether change i stays pending after a replay: it applies, or the server decides.
func (s *State) undecided(i int) bool {
	p := s.pending[i]
	return p.ended == nil || p.number != 0
}

// replayOne replays change i on root and returns the value after it. Where its effect is not the one that the later
// changes know, they are carried over the difference.
func (s *State) replayOne(i int, root document.Value) document.Value {
	p := s.pending[i]
	next, entry, err := p.run(root)
	if p.hidden = err != nil; p.hidden && p.number == 0 && !(p.unresolved && !s.known) {
		p.ended = err
		s.spoil(i + 1)
	}
	if p.hidden && p.overwrites() && s.indexed > 0 { // its effect was not carried: see outside
		_, p.entry, _ = apply(root, document.Merge(root, p.updates))
	}
	if p.hidden || !p.overwrites() && !samePlaces(p.entry, entry) {
		s.carry(i+1, document.Invert(p.entry))
		s.carry(i+1, entry)
	}
	p.entry, p.root = entry, next
	return next
}

// resolve gives the patches that were submitted before the first join their paths in the value of then.
func (s *State) resolve() {
	root := s.confirmed
	for _, p := range s.pending {
		if p.unresolved {
			ops, err := document.Resolve(root, p.change.(Patch).Ops)
			if err != nil {
				p.ended = err
				continue
			}
			s.count(p, -1)
			p.ops, p.unresolved, p.indexed = ops, false, document.HasIndex(ops)
			p.reads, p.writes = accessOf(ops)
			s.count(p, 1)
		}
		root, p.entry, _ = p.run(root)
	}
}

// samePlaces reports whether two effects touch the same places in the same way; values do not count.
func samePlaces(a, b []document.Op) bool {
	return slices.EqualFunc(a, b, func(x, y document.Op) bool {
		return x.Kind == y.Kind && slices.Equal(x.Path, y.Path) && slices.Equal(x.From, y.From)
	})
}

// codeOf returns the code and the reason of an error of packages document, protocol or this one; 0 for none.
func codeOf(err error) (protocol.Code, string) {
	if err == nil {
		return 0, ""
	}
	if wire, ok := errors.AsType[*protocol.Error](err); ok {
		return wire.Code, wire.Reason
	}
	doc, ok := errors.AsType[*document.Error](err)
	if !ok {
		return protocol.CodeInvalidPatch, err.Error()
	}
	reason := doc.Reason
	if doc.Path != "" {
		reason += " (at " + doc.Path + ")"
	}
	return protocol.CodeOf(doc.Code), reason
}
