package driver

import (
	"slices"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/internal/sorting"
)

// A listener hears of one state's updates. All of it is guarded by Client.mu but what call does.
type listener struct {
	identifier string
	call       func(Update)
	properties []string       // empty: all
	added      uint64         // how many updates the state had queued when the listener came
	seen       document.Value // the view at that time, until an update after it was delivered
	version    uint64         // the confirmed version that the listener was told last
	gone       bool
}

// take returns the update as this listener hears it, and false when it hears nothing.
func (l *listener) take(q queued) (Update, bool) {
	if l.gone || q.last <= l.added {
		return Update{}, false
	}
	u := q.update
	ok := u.Touched == nil || len(u.Touched) > 0
	if q.first <= l.added {
		u, ok = q.after(l.seen)
	}
	l.seen = document.Value{}
	if ok {
		u, ok = only(u, l.properties)
	}
	if !ok {
		return Update{}, false
	}
	u.From, l.version = l.version, u.To
	u.Ops = ownOps(u.Ops)
	return u, true
}

// ownOps returns a copy for one listener: others get the same operations, and the core may still need them.
func ownOps(ops []document.Op) []document.Op {
	if ops == nil {
		return nil
	}
	ops = slices.Clone(ops)
	tokens := 0
	for i := range ops {
		tokens += len(ops[i].From) + len(ops[i].Path)
	}
	room := make(document.Path, 0, tokens)
	own := func(path document.Path) document.Path {
		start := len(room)
		room = append(room, path...)
		return room[start:len(room):len(room)]
	}
	for i := range ops {
		if ops[i].Kind.HasFrom() {
			ops[i].From = own(ops[i].From)
		}
		ops[i].Path = own(ops[i].Path)
	}
	return ops
}

// queued is an update that waits for the callback goroutine; it stands for those numbered first to last.
type queued struct {
	update      Update
	first, last uint64
	touched     []string // of several: what any of them touched, though it may be in the end what it was before; sorted
}

// after returns the update as seen by somebody who has already seen the given view, which lies between the beginning of
// the update and its end. It is nothing when that is what the view is again.
func (q queued) after(seen document.Value) (_ Update, ok bool) {
	return between(seen, q.update.View, q.touched, q.update)
}

// coalesce makes one jump of consecutive updates: from what was before the first to what was after the last.
func coalesce(queue []queued) queued {
	var touched []string
	for _, q := range queue {
		touched = append(touched, q.touched...)
		touched = append(touched, q.update.Names()...)
	}
	sorting.Func(touched, strings.Compare)
	last := queue[len(queue)-1]
	jump := queued{update: last.update, first: queue[0].first, last: last.last, touched: slices.Compact(touched)}
	jump.update.Origin = core.CatchUp
	jump.update, _ = jump.after(queue[0].update.Before)
	return jump
}

// A hearing is what a state's listeners have and have still to hear. It is guarded by Client.mu.
type hearing struct {
	listeners []*listener
	queue     []queued
	count     uint64 // updates queued so far
	limit     int    // of the queue
	scheduled bool   // the state stands in Client.callbacks.ready
}

// put queues the update; at the limit all that wait become one jump, so a slow listener costs a bounded memory.
// It reports whether there is anybody to hear it.
func (h *hearing) put(u Update) bool {
	if len(h.listeners) == 0 {
		return false
	}
	h.count++
	h.queue = append(h.queue, queued{update: u, first: h.count, last: h.count})
	if len(h.queue) > h.limit {
		jump := coalesce(h.queue)
		clear(h.queue)
		h.queue = append(h.queue[:0], jump)
	}
	return true
}

// next takes the oldest update from the queue.
func (h *hearing) next() (queued, bool) {
	if len(h.queue) == 0 {
		return queued{}, false
	}
	q := h.queue[0]
	h.queue[0] = queued{}
	h.queue = h.queue[1:]
	return q, true
}

// add puts the listener, which has seen the present view, in the place of the one with the same identifier, or last.
func (h *hearing) add(l *listener) {
	l.added = h.count
	i := slices.IndexFunc(h.listeners, func(other *listener) bool { return other.identifier == l.identifier })
	if i < 0 {
		h.listeners = append(slices.Clip(h.listeners), l)
		return
	}
	h.listeners[i].gone = true
	h.listeners = slices.Clone(h.listeners) // the callback goroutine may walk the old slice
	h.listeners[i] = l
}

// remove takes the listener away and reports whether it was there.
func (h *hearing) remove(identifier string) bool {
	i := slices.IndexFunc(h.listeners, func(l *listener) bool { return l.identifier == identifier })
	if i < 0 {
		return false
	}
	h.listeners[i].gone = true
	h.listeners = slices.Concat(h.listeners[:i], h.listeners[i+1:])
	if len(h.listeners) == 0 {
		h.queue = nil
	}
	return true
}

// end forgets everything: the state is left or closed.
func (h *hearing) end() {
	for _, l := range h.listeners {
		l.gone = true
	}
	h.listeners, h.queue = nil, nil
}
