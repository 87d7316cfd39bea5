package core

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Ticket names a submitted change in its Settled effect. Tickets ascend over all states of a Core, from 1.
type Ticket uint64

// Change is what Submit takes. The set is closed: Merge, Patch and Transaction.
type Change interface {
	prepare(s *State) (*pending, error)
}

// Merge sets top-level properties; the last writer in the server's order wins, per property.
type Merge struct {
	Updates document.Value // an object
}

// Patch applies operations, all or none. Paths are resolved on the state's view; array indexes are carried over
// everything that comes between. A patch submitted before the first join is resolved on the value of then, and refused
// then if it does not apply.
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

// deepest bounds the nesting of a submitted value: the server drops a connection that nests deeper than
// protocol.MaxNesting, and refuses a change alone that is beyond its own limit.
const deepest = protocol.MaxNesting - 100

// Submit applies the change to the view, reports that with origin Local, and queues it to be sent when the state is
// joined. An error, always a *protocol.Error, says at once that the change cannot be made; it gets no verdict then.
func (s *State) Submit(now Time, change Change) (Ticket, error) {
	s.core.now = now
	if err := s.cannotSubmit(); err != nil {
		return 0, err
	}
	s.expand()
	p, err := change.prepare(s)
	if err != nil {
		code, reason := codeOf(err)
		return 0, &protocol.Error{Code: code, Reason: reason}
	}
	if err := s.admit(p); err != nil {
		return 0, err
	}
	s.core.lastTicket++
	p.ticket = s.core.lastTicket
	s.push(p)
	s.view = p.root
	s.wantsOutput()
	s.report(Local, access{names: slices.Clone(p.writes.names), all: p.writes.all}, p.entry)
	return p.ticket, nil
}

func (s *State) cannotSubmit() error {
	switch {
	case s.phase != StateClosed:
		return nil
	case s.core.fatal != nil:
		return s.core.fatal
	case s.core.closed:
		return &protocol.Error{Code: protocol.CodeClosed, Reason: "the client was closed"}
	}
	return &protocol.Error{Code: protocol.CodeNotConnectedToState, Reason: "the state was left, or ended by the server"}
}

// admit holds the limits.
func (s *State) admit(p *pending) error {
	config := &s.core.config
	switch {
	case len(s.pending) >= config.MaxPending:
		return &protocol.Error{
			Code:   protocol.CodePendingLimit,
			Reason: decimal(uint64(len(s.pending))) + " changes wait for an answer, and no more are allowed",
		}
	case len(s.pending) > 0 && s.bytes+p.size > config.MaxPendingBytes:
		return &protocol.Error{
			Code:   protocol.CodePendingLimit,
			Reason: "changes of " + decimal(uint64(s.bytes)) + " bytes wait for an answer, and " + decimal(uint64(config.MaxPendingBytes)) + " are allowed",
		}
	case p.size > int(s.core.welcome.MaxMessage):
		return errTooLarge(p.size, s.core.welcome.MaxMessage)
	}
	return nil
}

func errTooLarge(size int, limit uint32) *protocol.Error {
	return &protocol.Error{
		Code:   protocol.CodeTooLarge,
		Reason: "the change has " + decimal(uint64(size)) + " bytes, and the server reads " + decimal(uint64(limit)),
	}
}

func (m Merge) prepare(s *State) (*pending, error) { return prepareUpdates(s, m, m.Updates) }

func (t Transaction) prepare(s *State) (*pending, error) {
	t.Reads = slices.Clone(t.Reads)
	p, err := prepareUpdates(s, t, t.Updates)
	if err != nil {
		return nil, err
	}
	p.reads = access{all: t.Reads == nil, names: slices.Clone(p.writes.names)}
	for _, name := range t.Reads {
		p.reads.addName(name)
		p.size += len(name)
	}
	if !s.holds(t.Basis, p.reads) {
		return nil, errStale
	}
	return p, nil
}

func prepareUpdates(s *State, change Change, updates document.Value) (*pending, error) {
	if updates.Kind() != document.Object {
		return nil, &protocol.Error{Code: protocol.CodeInvalidPatch, Reason: "updates must be an object"}
	}
	if err := tooDeep(updates); err != nil {
		return nil, err
	}
	p := &pending{change: change, updates: updates, size: updates.Size()}
	p.writes = accessOfUpdates(updates)
	p.reads = p.writes
	var err error
	p.root, p.entry, err = p.run(s.view)
	return p, err
}

func (m Patch) prepare(s *State) (*pending, error) {
	m.Ops = slices.Clone(m.Ops)
	p := &pending{change: m, unresolved: !s.known}
	for i := range m.Ops {
		op := &m.Ops[i]
		p.size += len(op.From) + len(op.Path) + op.Value.Size() + len(`["increment",,],`)
		if err := tooDeep(op.Value); err != nil {
			return nil, err
		}
	}
	if p.unresolved {
		return p, p.foresee(s.view)
	}
	ops, err := document.Resolve(s.view, m.Ops)
	if err != nil {
		return nil, err
	}
	p.ops, p.indexed = ops, document.HasIndex(ops)
	p.reads, p.writes = accessOf(ops)
	p.root, p.entry, err = p.run(s.view)
	return p, err
}

// foresee applies a patch to the view of a state that was not joined yet. Where it does not apply it waits, hidden, for
// the value that it is meant for; what is wrong with any value is an error.
func (p *pending) foresee(view document.Value) (err error) {
	for _, op := range p.change.(Patch).Ops {
		p.reads.addPointer(op.Path)
		p.writes.addPointer(op.Path)
		if op.Kind.HasFrom() {
			p.reads.addPointer(op.From)
			p.writes.addPointer(op.From)
		}
	}
	p.root, p.entry, err = p.run(view)
	switch code, _ := codeOf(err); code {
	case 0:
	case protocol.CodePathNotFound, protocol.CodePatchFailed, protocol.CodeTestFailed:
		p.hidden = true
	default:
		return err
	}
	return nil
}

// addPointer adds the property that a JSON Pointer leads into.
func (a *access) addPointer(pointer string) {
	tokens, err := document.ParsePointer(pointer)
	if err != nil || len(tokens) == 0 {
		a.all = true
		return
	}
	a.addName(tokens[0])
}

func tooDeep(v document.Value) error {
	if v.Depth() <= deepest {
		return nil
	}
	return &protocol.Error{Code: protocol.CodeTooDeep, Reason: "a value has " + decimal(uint64(v.Depth())) + " levels"}
}

// Basis is an opaque mark of a state's view.
type Basis struct {
	state *State
	tick  uint64
}

// Basis returns a mark of the view at this moment, for a Transaction computed from it.
func (s *State) Basis() Basis { return Basis{state: s, tick: s.tick} }

// holds reports whether the view still has, in the given properties, what it had at the basis.
func (s *State) holds(b Basis, reads access) bool {
	switch {
	case b.state != s || b.tick < s.floor:
		return false
	case reads.all:
		return b.tick == s.tick
	}
	return !slices.ContainsFunc(reads.names, func(name string) bool { return s.changedAt[name] > b.tick })
}
