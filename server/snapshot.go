package server

import (
	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

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
	if s.snapshot.text == nil || !s.completes(s.snapshot) {
		s.snapshot = snapshot{text: s.value.AppendJSON(make([]byte, 0, s.value.Size())), version: s.committed}
	}
	return s.snapshot
}

// completes reports whether the entries since a text are little beside it, so that it need not be made anew.
func (s *state) completes(n snapshot) bool {
	length := len(n.text)
	return n.version == s.committed || length > smallSnapshot && s.history.size(n.version+1) < length/2
}

// catchup is the text of what was changed between two versions, shared by those who were away since the same one. The
// text is nil where that is unknown or no smaller than the whole value.
type catchup struct {
	snapshot
	from uint64
	made bool
}

// catchupNow returns what was changed from the version to one from which the history goes on.
func (s *state) catchupNow(from uint64) catchup {
	known := &s.catchup
	if known.made && known.from == from && s.completes(known.snapshot) {
		return *known
	}
	*known = catchup{snapshot{version: s.committed}, from, true}
	if set, removed, ok := s.changedSince(from); ok {
		known.text = protocol.AppendCatchupContent(nil, protocol.Catchup{Set: set, Removed: removed})
	}
	return *known
}

// dropBefore gives up a snapshot that the history, which begins with version first, cannot complete.
func (n *snapshot) dropBefore(first uint64) {
	if n.version+1 < first {
		*n = snapshot{}
	}
}

// changedSince returns the current values of what was changed after the version, and the names of what was removed; not
// when that is unknown or no smaller than the whole value.
func (s *state) changedSince(version uint64) (set document.Value, removed []string, ok bool) {
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
