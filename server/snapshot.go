package server

import "github.com/server-state-sync/server-state-sync/document"

// smallSnapshot is the size up to which a snapshot is made anew rather than completed with entries.
const smallSnapshot = 4096

// snapshot is the text of a state's value at some version, made once and shared by those who join. Whoever joins later
// may get an older text and the entries since.
type snapshot struct {
	text    []byte
	version uint64
}

// snapshotNow returns the text of the state's value at a version from which the history goes on.
func (s *state) snapshotNow() snapshot {
	known := s.snapshot.text != nil
	if known && s.snapshot.version < s.committed {
		length := len(s.snapshot.text)
		known = length > smallSnapshot && s.history.size(s.snapshot.version+1) < length/2
	}
	if !known {
		s.snapshot = snapshot{text: s.value.AppendJSON(make([]byte, 0, s.value.Size())), version: s.committed}
	}
	return s.snapshot
}

// dropBefore gives up a snapshot that the history, which begins with version first, cannot complete.
func (n *snapshot) dropBefore(first uint64) {
	if n.version+1 < first {
		*n = snapshot{}
	}
}

// catchup returns the current values of what was changed after the version, and the names of what was removed; not
// when that is unknown or no smaller than the whole value.
func (s *state) catchup(version uint64) (set document.Value, removed []string, ok bool) {
	names, known := s.properties.changedSince(version)
	if !known {
		return set, nil, false
	}
	size := 1
	for _, name := range names {
		size += len(name) + len(`"":,`) + s.value.Get(name).Size()
	}
	if size >= s.value.Size() {
		return set, nil, false
	}
	set = document.EmptyObject
	for _, name := range names {
		if value := s.value.Get(name); value.Exists() {
			set = set.With(name, value)
		} else {
			removed = append(removed, name)
		}
	}
	return set, removed, true
}
