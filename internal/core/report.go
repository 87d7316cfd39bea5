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
func (s *State) reportEntry(entry []document.Op) {
	_, writes := accessOf(entry)
	s.report(Remote, writes, entry)
}

// report tells what has changed in the touched properties since the last update, if anything has. ops lead from that
// view to the present one, where they are known.
func (s *State) report(origin Origin, touched access, ops []document.Op) {
	if touched.all {
		touched.names = allNames(s.shown, s.view)
	}
	u := Update{Updates: document.EmptyObject, Previous: document.EmptyObject, Origin: origin, View: s.view, Ops: ops}
	changed := false
	for _, name := range touched.names {
		was, is := s.shown.Get(name), s.view.Get(name)
		if was.Equal(is) {
			continue
		}
		u.Previous = u.Previous.With(name, was)
		if u.Updates = u.Updates.With(name, is); !is.Exists() {
			u.Removed = append(u.Removed, name)
		}
		if !changed {
			s.tick++
		}
		changed = true
		s.changed(name)
	}
	s.shown = s.view
	if !changed {
		return
	}
	u.From, u.To = s.told, s.version
	s.told = s.version
	s.core.emit(Changed{State: s, Update: u})
}

// changed notes when the property has changed last.
func (s *State) changed(name string) {
	if len(s.changedAt) >= mostTicks {
		clear(s.changedAt)
		s.floor = s.tick
	}
	s.changedAt[name] = s.tick
}

// allNames returns the names of the members of both objects, sorted.
func allNames(a, b document.Value) []string {
	names := slices.Concat(accessOfUpdates(a).names, accessOfUpdates(b).names)
	sorting.Func(names, strings.Compare)
	return slices.Compact(names)
}
