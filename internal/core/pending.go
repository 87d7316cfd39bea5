package core

import (
	"slices"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/sorting"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// pending is a submitted change that has no verdict yet.
type pending struct {
	ticket Ticket
	change Change // as submitted
	size   int    // counted against MaxPendingBytes

	// How it applies. The places in ops and entry are those of the value that the change is replayed on.
	updates    document.Value // of a merge or a transaction
	unresolved bool           // a patch submitted before the first join, whose paths are resolved there
	ops        []document.Op  // of a resolved patch
	indexed    bool           // ops has an index
	reads      access         // what it reads or writes; for a transaction the function's reads too
	writes     access

	// What came of the last replay, carried since.
	entry  []document.Op  // its effect; nil: none
	root   document.Value // the value after it; absent: not known for the confirmed value of now
	hidden bool           // it could not be replayed
	ended  error          // why it can never be replayed again; nil: it can

	// What was sent. It is sent again exactly so.
	number   uint64 // 0: not sent
	base     uint64
	seen     uint64 // a transaction's answered
	sentOps  []document.Op
	sentAt   Time
	wireSize int
}

// overwrites reports whether the change sets whole properties, whatever they were.
func (p *pending) overwrites() bool { return p.updates.Exists() }

// tied reports whether what the change does to one property depends on another.
func (p *pending) tied() bool { return !p.overwrites() && (p.reads.all || len(p.reads.names) > 1) }

// pendings are the changes of a state that have no verdict yet, in the order of submitting.
type pendings struct {
	pending    []*pending
	bytes      int            // their sizes
	properties map[string]int // how many of them read or write a property
	everything int            // how many read or write the whole value
	indexed    int            // how many resolved patches have an index

	transactions int  // how many are transactions
	stale        bool // the view is not yet replayed on the confirmed value
}

func newPendings() pendings { return pendings{properties: map[string]int{}} }

func (s *State) push(p *pending) {
	s.pending = append(s.pending, p)
	s.bytes += p.size
	s.core.pending++
	s.count(p, 1)
}

// remove takes change i out, without a verdict.
func (s *State) remove(i int) *pending {
	p := s.pending[i]
	if i == 0 {
		s.pending[0] = nil
		s.pending = s.pending[1:]
	} else {
		s.pending = slices.Delete(s.pending, i, i+1)
	}
	s.bytes -= p.size
	s.core.pending--
	s.count(p, -1)
	if i < s.onWire {
		s.onWire--
		s.core.inFlight -= p.wireSize
	}
	return p
}

// count keeps the summary of what the pending changes touch.
func (s *State) count(p *pending, by int) {
	if p.indexed {
		s.indexed += by
	}
	if _, ok := p.change.(Transaction); ok {
		s.transactions += by
	}
	if p.reads.all {
		s.everything += by
	}
	for _, name := range p.reads.names {
		if s.properties[name] += by; s.properties[name] == 0 {
			delete(s.properties, name)
		}
	}
}

// settle gives the change its verdict.
func (s *State) settle(p *pending, verdict Verdict) {
	verdict.Sent = p.number != 0
	s.core.emit(Settled{State: s, Ticket: p.ticket, Verdict: verdict})
}

// answer takes the first pending change out, which the server has answered.
func (s *State) answer(verdict Verdict) {
	p := s.remove(0)
	s.answered = p.number
	s.core.latency = max(s.core.now-p.sentAt, 1)
	s.settle(p, verdict)
	s.wantsOutput()
}

// settleAll settles every pending change with err, and those that were sent with the code sent.
func (s *State) settleAll(err *protocol.Error, sent protocol.Code) {
	for _, p := range s.pending {
		verdict := Verdict{Code: err.Code, Reason: err.Reason}
		if p.number != 0 {
			verdict.Code = sent
		}
		s.touch(p.writes)
		s.settle(p, verdict)
	}
	s.core.pending -= len(s.pending)
	s.recall()
	s.pendings = newPendings()
	s.stale = true
}

// takeBack takes out change i, which did not come to pass or came to pass differently, with its effect on the later
// ones; the view is stale then. It has settled, or settles next.
func (s *State) takeBack(i int) {
	if s.stale && s.indexed > 0 {
		s.replay()
	}
	p := s.pending[i]
	s.carry(i+1, document.Invert(p.entry))
	s.spoil(i + 1)
	s.touch(p.writes)
	if len(p.entry) > 0 {
		s.stale = true
	}
}

// spoil ends the transactions from i on that were not sent: they were computed from what did not come to pass.
func (s *State) spoil(i int) {
	for _, p := range s.pending[min(i, len(s.pending)):] {
		s.spoilOne(p)
	}
}

// errStale ends a transaction that was not sent.
var errStale = &protocol.Error{Code: protocol.CodeStale, Reason: "a property that the transaction read or wrote has changed since"}

func (s *State) spoilOne(p *pending) {
	if _, ok := p.change.(Transaction); ok && p.number == 0 && p.ended == nil {
		p.ended = errStale
		s.stale = true
	}
}

// access is a set of top-level properties.
type access struct {
	names []string // sorted, each once
	all   bool     // every property
}

// add adds the property that the path leads into; names are out of order then.
func (a *access) add(path document.Path) {
	if len(path) == 0 || path[0].IsIndex() {
		a.all = true
		return
	}
	a.names = append(a.names, path[0].Name)
}

func (a *access) addName(name string) {
	if i, found := slices.BinarySearch(a.names, name); !found {
		a.names = slices.Insert(a.names, i, name)
	}
}

func (a *access) join(b access) {
	a.all = a.all || b.all
	for _, name := range b.names {
		a.addName(name)
	}
}

// meets reports whether the two sets have a property in common.
func (a access) meets(b access) bool {
	if a.all || b.all {
		return true
	}
	if len(a.names) > len(b.names) {
		a, b = b, a
	}
	for _, name := range a.names {
		if _, found := slices.BinarySearch(b.names, name); found {
			return true
		}
	}
	return false
}

// accessOf returns what the operations read or write, and of that what they write.
func accessOf(ops []document.Op) (reads, writes access) {
	for i := range ops {
		reads.add(ops[i].Path)
		if ops[i].Kind.HasFrom() {
			reads.add(ops[i].From)
		}
	}
	reads.sort()
	return reads, writesOf(ops)
}

// writesOf returns what the operations write.
func writesOf(ops []document.Op) (writes access) {
	writes.names = make([]string, 0, len(ops))
	for i := range ops {
		switch op := &ops[i]; op.Kind {
		case document.Test:
		case document.Move:
			writes.add(op.From)
			fallthrough
		default:
			writes.add(op.Path)
		}
	}
	writes.sort()
	return writes
}

func (a *access) sort() {
	sorting.Func(a.names, strings.Compare)
	a.names = slices.Compact(a.names)
}

// accessOfUpdates returns the names of the properties that the updates set.
func accessOfUpdates(updates document.Value) access {
	var a access
	for name := range updates.Members() {
		a.names = append(a.names, name)
	}
	sorting.Func(a.names, strings.Compare)
	return a
}
