package driver

import (
	"slices"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/internal/sorting"
)

// Update tells a listener how the view changed.
type Update = core.Update

// Origin says why a view changed.
type Origin = core.Origin

// The origins that are told apart outside of the core.
const (
	Local   = core.Local
	CatchUp = core.CatchUp
)

// only returns the update as seen by a listener of the given properties; no properties mean all.
func only(u Update, properties []string) Update {
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
	sorting.Func(removed, strings.Compare)
	u.Updates, u.Previous, u.Removed, u.Ops = updates, previous, slices.Compact(removed), nil
	return u
}

func touchedBy(u Update) []string {
	names := slices.Clone(u.Removed)
	for name := range u.Updates.Members() {
		names = append(names, name)
	}
	return names
}

func empty(u Update) bool { return u.Updates.Len() == 0 && len(u.Removed) == 0 }

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
