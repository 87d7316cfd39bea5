package wasmclient

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
)

// Origin says why a state's view changed.
type Origin uint8

// The origins of an update.
const (
	Local    Origin = iota + 1 // a change of this client, shown before its verdict
	Remote                     // a change of another client or of the server, or what the server made of a change of ours
	Rollback                   // a change of this client was refused and its effect taken back
	CatchUp                    // several changes in one atomic jump: after a reconnect, or because a reader was slow
)

var originNames = [...]string{Local: "local", Remote: "remote", Rollback: "rollback", CatchUp: "catch-up"}

// String returns the origin's name: local, remote, rollback or catch-up.
func (o Origin) String() string {
	if int(o) < len(originNames) && o != 0 {
		return originNames[o]
	}
	return "unknown"
}

// Update tells a listener how the view changed. Its values are immutable and may be kept.
type Update struct {
	Updates  document.Value // an object: the touched top-level properties with their new values
	Previous document.Value // an object: their values before; a property that is new is absent
	Removed  []string       // those of the touched properties that are gone, sorted
	View     document.Value // the whole state after the update, as GetState returned it then
	Origin   Origin
	From, To uint64        // the state's confirmed version at this listener's call before, and at this one
	Ops      []document.Op // normalized operations that lead from the view before to View, the listener's own; nil: not known, compare
}

// only returns the update as seen by a listener of the given properties; no properties mean all.
func (u Update) only(properties []string) Update {
	if len(properties) == 0 {
		return u
	}
	updates, previous := document.EmptyObject, document.EmptyObject
	var removed []string
	for _, name := range properties {
		if v := u.Updates.Get(name); v.Exists() {
			updates = updates.With(name, v)
		} else if slices.Contains(u.Removed, name) {
			removed = append(removed, name)
		} else {
			continue
		}
		if v := u.Previous.Get(name); v.Exists() {
			previous = previous.With(name, v)
		}
	}
	slices.Sort(removed)
	u.Updates, u.Previous, u.Removed, u.Ops = updates, previous, slices.Compact(removed), nil
	return u
}

func (u Update) touched() []string {
	names := slices.Clone(u.Removed)
	for name := range u.Updates.Members() {
		names = append(names, name)
	}
	return names
}

func (u Update) empty() bool { return u.Updates.Len() == 0 && len(u.Removed) == 0 }

// between sets in u what differs between two views in the named properties, which are sorted and each there once.
func between(before, after document.Value, names []string, u Update) Update {
	updates, previous := document.EmptyObject, document.EmptyObject
	var removed []string
	for _, name := range names {
		was, is := before.Get(name), after.Get(name)
		if was.Equal(is) {
			continue
		}
		previous, updates = with(previous, name, was), with(updates, name, is)
		if !is.Exists() {
			removed = append(removed, name)
		}
	}
	u.Updates, u.Previous, u.Removed, u.Ops = updates, previous, removed, nil
	return u
}

// with sets the member to v, or takes it away when v is absent.
func with(object document.Value, name string, v document.Value) document.Value {
	if v.Exists() {
		return object.With(name, v)
	}
	return object.Without(name)
}
