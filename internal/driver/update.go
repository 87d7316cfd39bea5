package driver

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
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

// only returns the update as seen by a listener of the given properties, where no properties mean all. It is nothing to
// such a listener when it touches none of them.
func only(u Update, properties []string) (_ Update, ok bool) {
	if len(properties) == 0 {
		return u, true
	}
	touched := []string{}
	for _, name := range u.Names() {
		if slices.Contains(properties, name) {
			touched = append(touched, name)
		}
	}
	u.Touched, u.Ops = touched, nil
	return u, len(touched) > 0
}

// between returns u as the way from one view to another of which at most the named properties differ; the names are
// sorted. It is nothing when they are all the same.
func between(before, after document.Value, names []string, u Update) (_ Update, ok bool) {
	touched := []string{}
	for _, name := range names {
		if !before.Get(name).Equal(after.Get(name)) {
			touched = append(touched, name)
		}
	}
	u.Before, u.View, u.Touched, u.Ops = before, after, touched, nil
	return u, len(touched) > 0
}
