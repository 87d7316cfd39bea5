package server

import (
	"sort"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/mutant"
)

const (
	historyParts   = 8         // a full history is about this many segments, so eviction drops at most an eighth
	segmentEntries = 512       // most entries in a segment
	segmentBytes   = 32 * 1024 // most bytes in a segment, unless a single entry is larger
)

// history is the recent log of one state: the encoded operations of consecutive versions, each encoded once and
// shared by every subscription. It is bounded in entries and in bytes and forgets from the front, a segment at a
// time. Its owner's lock guards it.
type history struct {
	maxEntries, maxBytes int
	segments             []*segment // oldest first, without a gap between them
	entries, bytes       int
	next                 uint64   // the version of the entry that comes next
	spare                *segment // an evicted segment, to be filled again
}

// segment holds the entries of consecutive versions back to back, each as a comma and its operations, so that a run
// of versions is one piece of memory that fits into an entries message as it is.
type segment struct {
	first uint64
	text  []byte
	ends  []int // ends[i] is where the entry of version first+i ends in text

	about     []about         // what is known of each entry without decoding it
	positions [][]document.Op // of the entries that changes were carried over, decoded once; shorter or nil where none were
}

// newHistory returns an empty history whose first entry will be that of version next.
func newHistory(next uint64, maxEntries, maxBytes int) history {
	return history{maxEntries: maxEntries, maxBytes: maxBytes, next: next}
}

// append adds the encoded operations as the entry of the next version and returns that version.
func (h *history) append(ops []byte, known about) uint64 {
	s := h.room(len(ops) + 1)
	s.text = append(s.text, ',')
	s.text = append(s.text, ops...)
	s.ends = append(s.ends, len(s.text))
	s.about = append(s.about, known)
	h.entries++
	h.bytes += len(ops) + 1
	h.next++
	return h.next - 1
}

// room returns the segment that takes an entry of the given size.
func (h *history) room(size int) *segment {
	if len(h.segments) > 0 {
		last := h.segments[len(h.segments)-1]
		full := len(last.ends) >= h.share(h.maxEntries, segmentEntries) || len(last.text)+size > h.share(h.maxBytes, segmentBytes)
		if !full || len(last.ends) == 0 {
			return last
		}
	}
	s := h.spare
	h.spare = nil
	if s == nil {
		s = new(segment)
	}
	s.first, s.text, s.ends, s.about = h.next, s.text[:0], s.ends[:0], s.about[:0]
	h.segments = append(h.segments, s)
	return s
}

// share returns a segment's part of the whole, at most limit.
func (h *history) share(whole, limit int) int { return max(1, min(whole/historyParts, limit)) }

// first returns the oldest version that the history still holds; the next version when it holds none.
func (h *history) first() uint64 {
	if len(h.segments) == 0 {
		return h.next
	}
	return h.segments[0].first
}

// evict drops whole segments from the front until the limits hold, but none with a version above committed.
func (h *history) evict(committed uint64) {
	if mutant.UnboundedBuffer {
		return
	}
	for len(h.segments) > 0 && (h.entries > h.maxEntries || h.bytes > h.maxBytes) {
		s := h.segments[0]
		if s.last() > committed {
			return
		}
		h.entries -= len(s.ends)
		h.bytes -= len(s.text)
		h.segments = append(h.segments[:0], h.segments[1:]...)
		s.positions = nil
		if cap(s.text) <= 2*segmentBytes {
			h.spare = s
		}
	}
}

// truncate forgets the versions above the given one.
func (h *history) truncate(version uint64) {
	for len(h.segments) > 0 {
		s := h.segments[len(h.segments)-1]
		keep := 0
		if version >= s.first {
			keep = int(min(version-s.first+1, uint64(len(s.ends))))
		}
		end := s.start(keep)
		h.entries -= len(s.ends) - keep
		h.bytes -= len(s.text) - end
		s.ends, s.text, s.about = s.ends[:keep], s.text[:end], s.about[:keep]
		s.positions = s.positions[:min(keep, len(s.positions))]
		if keep > 0 {
			break
		}
		h.segments = h.segments[:len(h.segments)-1]
	}
	h.next = min(h.next, version+1)
}

// run returns the text of the entries from version from on, each with a comma before it, and the last version in it:
// at least one entry, at most up to version to, further only while the text stays within budget bytes, and never over
// the end of a segment. The text is valid until the history changes.
func (h *history) run(from, to uint64, budget int) (text []byte, last uint64) {
	s := h.segment(from)
	i := int(from - s.first)
	start := s.start(i)
	end := int(min(to, s.last()) - s.first)
	fits := sort.Search(end-i, func(k int) bool { return s.ends[i+1+k]-start > budget })
	end = i + fits
	return s.text[start:s.ends[end]], s.first + uint64(end)
}

// ops returns the encoded operations of one version, valid until the history changes.
func (h *history) ops(version uint64) []byte {
	text, _ := h.run(version, version, 0)
	return text[1:]
}

// size returns how many bytes the entries from version from on take, in whole segments.
func (h *history) size(from uint64) int {
	sum := 0
	for i := len(h.segments) - 1; i >= 0 && h.segments[i].last() >= from; i-- {
		sum += len(h.segments[i].text)
	}
	return sum
}

// segment returns the one that holds the version, which must be in the history.
func (h *history) segment(version uint64) *segment {
	i := len(h.segments) - 1
	if h.segments[i].first > version {
		i = sort.Search(i, func(i int) bool { return h.segments[i].first > version }) - 1
	}
	return h.segments[i]
}

// last returns the segment's last version.
func (s *segment) last() uint64 { return s.first + uint64(len(s.ends)) - 1 }

// start returns where the i-th entry starts in the text; for the number of entries, where the text ends.
func (s *segment) start(i int) int {
	if i == 0 {
		return 0
	}
	return s.ends[i-1]
}
