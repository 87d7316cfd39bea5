package server

import (
	"container/list"
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
)

// maxTombstones bounds what a state remembers of properties that were removed.
const maxTombstones = 1024

// author names who made a change to a state: the number of a session's record, or byServer.
type author uint64

// byServer is the author of the changes that the server's own program makes.
const byServer author = 0

// touch tells who changed something last, and when somebody else did.
type touch struct {
	version uint64 // the last change
	by      author // of that change
	other   uint64 // the last change by anybody but that author
}

// note records a change.
func (t *touch) note(version uint64, by author) {
	if t.by != by {
		t.other, t.by = t.version, by
	}
	t.version = version
}

// since returns the last version that somebody else than the given author changed.
func (t touch) since(by author) uint64 {
	if t.by == by {
		return t.other
	}
	return t.version
}

// property is what is remembered of a top-level property that was ever changed.
type property struct {
	touch
	tombstone *list.Element // set while the property is removed
}

// properties remembers for each top-level property who changed it last. It serves transactions, which ask what
// others changed, and catch-ups, which ask what changed at all. Removed properties are remembered up to a number;
// floor is the highest version of a removal that is forgotten: below it nothing certain can be said.
type properties struct {
	any        touch
	byName     map[string]*property
	tombstones list.List // of names, the removal longest ago first
	floor      uint64
	before     touch // what is assumed of a property until it is changed
}

// nobody is the author of what was changed by whom it is not known.
const nobody = ^author(0)

// forget notes that nothing is known of what was changed up to the version.
func (p *properties) forget(version uint64) {
	p.before = touch{version: version, by: nobody, other: version}
	p.any, p.floor = p.before, version
}

// touchedBy returns the top-level properties that an entry touches on its way from one value to another, sorted. One that
// writes the root, which is shorter at times, touches all that differ.
func touchedBy(entry []document.Op, before, after document.Value) []string {
	names, all := document.Properties(entry)
	if !all {
		return names
	}
	for name, value := range after.Members() {
		if !value.Equal(before.Get(name)) {
			names = append(names, name)
		}
	}
	for name := range before.Members() {
		if !after.Get(name).Exists() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// note records that a change by the author touched the names; now is the state's value after it.
func (p *properties) note(version uint64, by author, names []string, now document.Value) {
	p.any.note(version, by)
	for _, name := range names {
		known := p.byName[name]
		if known == nil {
			if p.byName == nil {
				p.byName = make(map[string]*property)
			}
			known = &property{touch: p.before}
			p.byName[name] = known
		}
		known.note(version, by)
		p.bury(name, known, !now.Get(name).Exists())
	}
}

// bury keeps the list of removed properties, and its bound.
func (p *properties) bury(name string, known *property, removed bool) {
	if known.tombstone != nil {
		p.tombstones.Remove(known.tombstone)
		known.tombstone = nil
	}
	if !removed {
		return
	}
	known.tombstone = p.tombstones.PushBack(name)
	if p.tombstones.Len() > maxTombstones {
		oldest := p.tombstones.Remove(p.tombstones.Front()).(string)
		p.floor = max(p.floor, p.byName[oldest].version)
		delete(p.byName, oldest)
	}
}

// changedByOther reports whether somebody else than the author changed the property after the base version. Where that
// is no longer known it says yes.
func (p *properties) changedByOther(by author, base uint64, name string) bool {
	known := p.byName[name]
	if known == nil {
		return base < p.floor
	}
	return known.since(by) > base
}

// changedSince returns the names of the properties that were changed after the version, sorted, and whether that is
// known for all of them.
func (p *properties) changedSince(version uint64) (names []string, ok bool) {
	if version < p.floor {
		return nil, false
	}
	for name, known := range p.byName {
		if known.version > version {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, true
}
