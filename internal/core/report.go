package core

import (
	"slices"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/sorting"
)

// reports is what a state has told of its view, and what it has still to tell at the end of the frame.
type reports struct {
	shown   document.Value      // the view after the last update
	told    uint64              // the version that the last update named
	late    bool                // stands in core.late: the view may have changed since
	touched map[string]struct{} // the properties that may have changed since
	whole   bool                // any property may have
	origin  Origin              // why

	// For transactions: when which property of the view changed.
	tick      uint64            // counts the updates
	changedAt map[string]uint64 // the tick of a property's last change, for those after forgottenAt
	floor     uint64            // earlier changes are not known
}

// mostTicks bounds changedAt. Beyond, a Basis from before counts as stale.
const mostTicks = 4096

// touch records properties that may have changed.
func (s *State) touch(a access) {
	s.whole = s.whole || a.all
	if s.whole {
		return
	}
	if s.touched == nil {
		s.touched = map[string]struct{}{}
	}
	for _, name := range a.names {
		s.touched[name] = struct{}{}
	}
}

// delay puts the update off to the end of the frame. A catch-up explains more than a remote change, and that more than
// a rollback.
func (s *State) delay(origin Origin) {
	if !s.late {
		s.late, s.origin = true, origin
		s.core.late = append(s.core.late, s)
	}
	switch {
	case s.origin == CatchUp, origin == Rollback:
	default:
		s.origin = origin
	}
}

// flushLate corrects and reports every view that was put off.
func (c *Core) flushLate() {
	for _, s := range c.late {
		s.flush()
	}
	c.late = c.late[:0]
}

// flush corrects the view and reports it, if that was put off.
func (s *State) flush() {
	if !s.late {
		return
	}
	s.late = false
	if s.stale {
		s.replay()
	}
	s.wantsOutput()
	touched := access{all: s.whole}
	for name := range s.touched {
		touched.names = append(touched.names, name)
	}
	touched.sort()
	clear(s.touched)
	s.whole = false
	s.report(s.origin, touched, nil)
}

// reportEntry reports a view that an entry has changed.
func (s *State) reportEntry(entry []document.Op) { s.report(Remote, writesOf(entry), entry) }

// report tells what has changed in the touched properties since the last update, if anything has. ops lead from that
// view to the present one, where they are known.
func (s *State) report(origin Origin, touched access, ops []document.Op) {
	before := s.shown
	s.shown = s.view
	if touched.all && before == document.EmptyObject {
		touched.names = nil
		if s.view.Size() == document.EmptyObject.Size() {
			return
		}
		s.tick++
		s.forget()
	} else if touched.names = s.differing(before, touched); len(touched.names) == 0 {
		return
	}
	u := Update{Before: before, View: s.view, Touched: touched.names, Origin: origin, From: s.told, To: s.version, Ops: ops}
	s.told = s.version
	s.core.emit(Changed{State: s, Update: u})
}

// differing returns those of the touched properties that have another value than before, and notes when they changed.
func (s *State) differing(before document.Value, touched access) []string {
	if touched.all {
		touched.names = allNames(before, s.view)
	}
	differing := touched.names[:0]
	for _, name := range touched.names {
		if before.Get(name).Equal(s.view.Get(name)) {
			continue
		}
		if len(differing) == 0 {
			s.tick++
		}
		differing = append(differing, name)
		s.changed(name)
	}
	return differing
}

// changed notes when the property has changed last.
func (s *State) changed(name string) {
	if len(s.changedAt) >= mostTicks {
		s.forget()
	}
	s.changedAt[name] = s.tick
}

// forget makes every Basis from before this tick stale.
func (s *State) forget() {
	clear(s.changedAt)
	s.floor = s.tick
}

// allNames returns the names of the members of both objects, sorted.
func allNames(a, b document.Value) []string {
	names := slices.Concat(accessOfUpdates(a).names, accessOfUpdates(b).names)
	sorting.Func(names, strings.Compare)
	return slices.Compact(names)
}
