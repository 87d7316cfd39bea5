package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// check holds a verdict to what the server did.
func (k *simTicket) check() {
	v := k.verdict
	if k.session == nil {
		if v.Sent || v.Accepted() {
			panic(fmt.Sprintf("a change that was never sent: %+v", v))
		}
		return
	}
	record := k.ref.records[k.session]
	var answer *refAnswer
	if record != nil && k.number <= uint64(len(record.answers)) {
		answer = &record.answers[k.number-1]
	}
	switch {
	case v.Accepted():
		if answer == nil || answer.Version != v.Version {
			panic(fmt.Sprintf("change %d was accepted as %d, the server says %+v", k.number, v.Version, answer))
		}
		k.checkElement(v.Version)
		k.checkSeen(v.Version)
	case v.Code == protocol.CodeOutcomeUnknown, v.Code == protocol.CodeStateReplaced, v.Code == protocol.CodeClosed, v.Code == protocol.CodeStateRemoved:
	case answer == nil || answer.Version != 0 || answer.Code != v.Code:
		panic(fmt.Sprintf("change %d was refused with %v, the server says %+v", k.number, v.Code, answer))
	}
}

// checkElement sees that a change addressed to an element has landed on it.
func (k *simTicket) checkElement(version uint64) {
	e := k.ref.log[version]
	if k.element == "" || !e.asIs || len(e.ops) == 0 {
		return
	}
	path := e.ops[0].Path
	got := k.ref.values[version].At(path[:len(path)-1].String()).Get("id").Text()
	if got != k.element {
		panic(fmt.Sprintf("the change for %s has landed on %s: %s", k.element, got, path))
	}
}

// onVersion sees that versions come one by one.
func (c *simClient) onVersion(s *State, from, to uint64, jump bool) {
	if !jump && to != from+1 {
		panic(fmt.Sprintf("%s: version %d came after %d", c.name, to, from))
	}
}

// checkSeen sees that an accepted transaction ran as if alone: what it read and wrote was still so.
func (k *simTicket) checkSeen(version uint64) {
	for _, name := range k.reads {
		if got, want := k.ref.values[version-1].Get(name), k.seen.Get(name); !got.Equal(want) {
			panic(fmt.Sprintf("a transaction saw %s as %s, and was accepted when it was %s", name, want, got))
		}
	}
}

func (c *simClient) checkStates() {
	for _, identifier := range slices.Sorted(maps.Keys(c.states)) {
		s := c.states[identifier]
		if s.closed {
			continue
		}
		checkState(s.State)
		if !s.known {
			continue
		}
		ref := c.server.states[identifier]
		if ref.epoch == s.epoch && !ref.values[s.version].Equal(s.confirmed) {
			panic(fmt.Sprintf("%s has version %d as %s\nwant %s", c.name, s.version, s.confirmed, ref.values[s.version]))
		}
		if !s.shadow.Equal(s.View()) {
			panic(fmt.Sprintf("the updates lead to %s\nthe view is %s", s.shadow, s.View()))
		}
	}
}

// update follows an update and holds it to its promises.
func (s *simState) update(u Update) {
	if u.From != s.to || len(u.Removed()) == 0 && u.Updates().Len() == 0 {
		panic(fmt.Sprintf("an update from %d after one to %d: %+v", u.From, s.to, u))
	}
	if u.Ops != nil {
		if next, _, err := document.Apply(s.shadow, u.Ops, document.NoLimits); err != nil || !next.Equal(u.View) {
			panic(fmt.Sprintf("the operations of an update lead to %s (%v)\nthe view is %s", next, err, u.View))
		}
	}
	next := s.shadow
	for name, value := range u.Updates().Members() {
		was := s.shadow.Get(name)
		if was.Equal(value) || !was.Equal(u.Previous().Get(name)) {
			panic(fmt.Sprintf("%s was %s before %s, and %s is told", name, was, value, u.Previous().Get(name)))
		}
		next = next.With(name, value)
	}
	for _, name := range u.Removed() {
		if !s.shadow.Get(name).Exists() || !s.shadow.Get(name).Equal(u.Previous().Get(name)) {
			panic(fmt.Sprintf("%s is told as removed", name))
		}
		next = next.Without(name)
	}
	if s.shadow, s.to = next, u.To; !next.Equal(u.View) {
		panic(fmt.Sprintf("the updates lead to %s\nthe view is %s", next, u.View))
	}
}

// checkState holds a state to the invariants of the package.
func checkState(s *State) {
	root := s.confirmed
	bytes, sent, indexed := 0, 0, 0
	for i, p := range s.pending {
		bytes += p.size
		if p.indexed {
			indexed++
		}
		if p.number != 0 {
			if sent++; sent != i+1 || p.number != s.pending[0].number+uint64(i) {
				panic("the changes that were sent are not the first ones")
			}
		}
		next, _, err := p.run(root)
		if (err != nil) != p.hidden || err != nil && p.number == 0 && s.known {
			panic(fmt.Sprintf("change %d: hidden %v, error %v", i, p.hidden, err))
		}
		if p.root.Exists() && !p.root.Equal(next) {
			panic(fmt.Sprintf("change %d keeps %s\nwant %s", i, p.root, next))
		}
		root = next
	}
	if !root.Equal(s.view) || !s.shown.Equal(s.view) || s.stale || s.late {
		panic(fmt.Sprintf("the view is %s (shown %s)\nwant %s", s.view, s.shown, root))
	}
	if bytes != s.bytes || indexed != s.indexed || s.onWire > sent {
		panic(strings.Join([]string{"the sums are wrong:", fmt.Sprint(bytes, s.bytes, indexed, s.indexed, s.onWire, sent)}, " "))
	}
}
