package disk

import (
	"fmt"
	"strings"

	"github.com/server-state-sync/server-state-sync/stores"
)

// segment is one file of the log. Its name is the seq of its first frame.
type segment struct {
	first uint64
	file  file
	size  int64
	room  int64 // length of the file: what is behind size is zeros, into which the next frames go
}

const segmentPrefix = "log-"

func segmentName(first uint64) string { return fmt.Sprintf("%s%016x", segmentPrefix, first) }

// place is where a body stands, and what it must be. Without a segment it is missing.
type place struct {
	segment *segment
	at      int64
	length  uint32
	crc     uint32
	frame   int64 // length of the whole frame
}

// state is what the store knows of a state.
type state struct {
	name    string
	number  uint64
	base    place
	version uint64 // of the base
	first   uint64 // of records
	records []place
	ordinal uint64 // of the base, as in frame.base
	newest  uint64 // the highest order of its frames
	suspect string // why it cannot be trusted to be whole, or ""

	found map[uint64]place // records by version, while the log is read
	named uint64           // the highest ordinal of a base that a frame names
	said  uint64           // the highest version that a frame says was appended
}

func (s *state) last() uint64 { return s.first + uint64(len(s.records)) - 1 }

type session struct {
	place place
	order uint64
}

// index is what of the log is alive, and where.
type index struct {
	byNumber map[uint64]*state
	byName   map[string]*state
	sessions map[string]session
	opened   place
	lineage  string
	numbers  uint64 // the highest number that was given
	live     int64  // bytes of the frames that are alive
}

func newIndex() index {
	return index{byNumber: make(map[uint64]*state), byName: make(map[string]*state), sessions: make(map[string]session)}
}

// state returns the state of a frame; its first frame makes it.
func (x *index) state(f *frame) *state {
	s := x.byNumber[f.number]
	if s == nil {
		s = &state{name: f.name, number: f.number, first: 1, found: make(map[uint64]place)}
		x.byNumber[f.number], x.byName[f.name] = s, s
		x.numbers = max(x.numbers, f.number)
	}
	s.newest, s.named, s.said = max(s.newest, f.order), max(s.named, f.base), max(s.said, f.last)
	return s
}

// swap counts what is alive when p takes the place of the old one.
func (x *index) swap(old *place, p place) {
	x.live += p.frame - old.frame
	*old = p
}

// apply takes a frame into the index. While the log is read records go to found; see settle.
func (x *index) apply(f *frame, p place, reading bool) {
	switch f.kind {
	case kindBase:
		s := x.state(f)
		x.swap(&s.base, p)
		s.version, s.ordinal = f.version, f.base
		if reading {
			s.first = f.first
		} else {
			x.trim(s, f.first)
		}
	case kindRecord:
		s := x.state(f)
		switch {
		case reading:
			s.found[f.version] = p
		case f.order == f.seq:
			x.live += p.frame
			s.records = append(s.records, p)
		case f.version >= s.first && f.version <= s.last():
			x.swap(&s.records[f.version-s.first], p)
		}
	case kindRemove:
		x.numbers = max(x.numbers, f.number)
		if s := x.byNumber[f.number]; s != nil {
			x.drop(s)
		}
	case kindSession:
		old := x.sessions[f.name]
		x.swap(&old.place, p)
		x.sessions[f.name] = session{place: old.place, order: f.order}
	case kindForget:
		old := x.sessions[f.name]
		x.swap(&old.place, place{})
		delete(x.sessions, f.name)
	case kindOpened:
		x.swap(&x.opened, p)
	case kindMark, kindClosed:
	}
}

// trim forgets the records below first. A state that is new begins there.
func (x *index) trim(s *state, first uint64) {
	for s.first < first && len(s.records) > 0 {
		x.live -= s.records[0].frame
		s.records = s.records[1:]
		s.first++
	}
	if len(s.records) == 0 {
		s.first = first
	}
}

func (x *index) drop(s *state) {
	x.live -= s.base.frame
	for _, p := range s.records {
		x.live -= p.frame
	}
	delete(x.byNumber, s.number)
	if x.byName[s.name] == s {
		delete(x.byName, s.name)
	}
}

// settle lines up the records that reading found. gap is the highest seq of frames that could not be read at all, or 0:
// what has no newer frame may lack some.
func (x *index) settle(gap uint64) {
	for _, s := range x.byNumber {
		s.settle()
		for _, p := range s.records {
			x.live += p.frame
		}
		if s.newest <= gap && s.suspect == "" {
			s.suspect = "a part of the log that may belong to it cannot be read"
		}
	}
}

func (s *state) settle() {
	last := max(s.version, s.said)
	for version := range s.found {
		last = max(last, version)
	}
	if s.base.segment == nil || s.ordinal < s.named {
		s.suspect = "its checkpoint is missing"
	} else {
		for version := s.first; version <= last; version++ {
			p := s.found[version]
			if p.segment == nil {
				s.suspect = fmt.Sprintf("the record of version %d is missing", version)
				break
			}
			s.records = append(s.records, p)
		}
	}
	s.found = nil
}

// alive tells whether the frame whose body stands at that place is what the index points to.
func (x *index) alive(f *frame, seg *segment, at int64) bool {
	var p place
	switch f.kind {
	case kindBase:
		if s := x.byNumber[f.number]; s != nil {
			p = s.base
		}
	case kindRecord:
		if s := x.byNumber[f.number]; s != nil && f.version >= s.first && f.version <= s.last() {
			p = s.records[f.version-s.first]
		}
	case kindSession:
		p = x.sessions[f.name].place
	case kindOpened:
		p = x.opened
	case kindRemove, kindForget, kindMark, kindClosed:
	}
	return p.segment == seg && p.at == at
}

// corrupt is the error of a state whose damage is described.
func corrupt(name, why string) error {
	return fmt.Errorf("the state %q: %w: %s", name, stores.ErrCorrupt, why)
}

// openedName and parseOpened write and read what a frame of kind kindOpened says: in its name, which stands twice.
func openedName(lineage, boot string, d stores.Durability) string {
	return strings.Join([]string{lineage, string(d), boot}, " ")
}

func parseOpened(name string) (lineage, boot string, d stores.Durability) {
	parts := append(strings.SplitN(name, " ", 3), "", "", "")
	return parts[0], parts[2], stores.Durability(parts[1])
}
