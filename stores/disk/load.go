package disk

import (
	"bytes"
	"crypto/rand"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/stores"
)

// found is a frame of the log, at its place.
type found struct {
	frame
	at    int
	whole bool // its body is what was written
}

// reading is what is known of a log while it is read.
type reading struct {
	next    uint64 // the seq that is expected
	gap     uint64 // the highest seq of the frames that cannot be read at all
	settled uint64
	boot    string
	mode    stores.Durability
	closed  bool   // the last frame says that the store was closed
	oldest  uint64 // where the log begins, as it says itself
}

// load reads the log: it cuts a torn tail, finds what is alive, and opens the log for appending.
func (s *Store) load() error {
	if err := s.openSegments(); err != nil {
		return err
	}
	r := reading{next: 1}
	if len(s.segments) > 0 {
		r.next = s.segments[0].first
	}
	for i, seg := range s.segments {
		if seg.first != r.next {
			s.lose(&r, seg.first-1, seg)
		}
		if err := s.loadSegment(&r, seg, i == len(s.segments)-1); err != nil {
			return err
		}
	}
	if len(s.segments) > 0 && s.segments[0].first > r.oldest && r.oldest > 0 {
		s.logger.Error("the log has lost its beginning", "from", r.oldest, "to", s.segments[0].first-1)
		r.gap = max(r.gap, s.segments[0].first-1)
	}
	s.settle(&r.gap)
	s.next = r.next
	return s.begin(&r)
}

func (s *Store) settle(gap *uint64) {
	s.index.settle(*gap)
	s.gap = *gap
	for _, st := range s.index.byNumber {
		if st.suspect != "" {
			s.logger.Error("a state is damaged", "state", st.name, "why", st.suspect)
		}
	}
}

// openSegments opens the files of the log, the oldest first.
func (s *Store) openSegments() error {
	names, err := s.dir.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		text, ours := strings.CutPrefix(name, segmentPrefix)
		first, err := strconv.ParseUint(text, 16, 64)
		if !ours || err != nil {
			continue
		}
		f, err := s.dir.open(name)
		if err != nil {
			return err
		}
		seg := &segment{first: first, file: f}
		s.segments = append(s.segments, seg)
		if seg.size, err = f.size(); err != nil {
			return err
		}
		seg.room = seg.size
		s.total += seg.size
	}
	slices.SortFunc(s.segments, func(a, b *segment) int {
		if a.first < b.first {
			return -1
		}
		return 1
	})
	return nil
}

func (seg *segment) read() ([]byte, error) {
	data := make([]byte, seg.size)
	if n, err := seg.file.ReadAt(data, 0); err != nil && (err != io.EOF || n != len(data)) {
		return nil, err
	}
	return data, nil
}

// lose notes that frames up to a seq cannot be read.
func (s *Store) lose(r *reading, to uint64, seg *segment) {
	s.logger.Error("a part of the log cannot be read", "file", segmentName(seg.first), "from", r.next, "to", to)
	r.gap, r.next = max(r.gap, to), to+1
}

func (s *Store) loadSegment(r *reading, seg *segment, last bool) error {
	data, err := seg.read()
	if err != nil {
		return err
	}
	frames := framesOf(data, r.next, last)
	for _, f := range frames {
		r.settled = max(r.settled, f.settled)
		if f.kind == kindOpened {
			_, r.boot, r.mode = parseOpened(f.name)
		}
	}
	if last && len(frames) > 0 && r.boot != "" && r.boot == s.boot {
		r.settled = max(r.settled, frames[len(frames)-1].seq-1) // the operating system did not stop: it has all that it was given
	}
	end := 0
	for _, f := range frames {
		if last && f.seq > r.settled && (f.seq != r.next || !f.whole) {
			break // the last writes before a loss of power may be there in parts
		}
		if f.seq != r.next {
			s.lose(r, f.seq-1, seg)
		}
		s.take(r, seg, &f)
		end = f.at + int(f.size())
	}
	switch {
	case !last:
		return nil
	case r.next <= r.settled:
		s.lose(r, r.settled, seg)
		return s.roll(r.next)
	case end < len(data):
		if torn := len(bytes.Trim(data[end:], "\x00")); torn > 0 {
			s.logger.Warn("the unfinished end of the log is cut", "file", segmentName(seg.first), "length", torn)
		}
		s.total -= seg.size - int64(end)
		seg.size, seg.room = int64(end), int64(end)
		return seg.file.Truncate(seg.size)
	}
	return nil
}

// framesOf lists the frames of a segment. Where something cannot be read it goes on with the next frame that can.
func framesOf(data []byte, next uint64, check bool) (frames []found) {
	for at := 0; at < len(data); {
		f, ok := frameAt(data, at, next)
		if !ok {
			if at, f = search(data, at, next); at < 0 {
				break
			}
		}
		whole := !check || checksum(bodyOf(data, at, &f)) == f.bodyCRC
		frames = append(frames, found{frame: f, at: at, whole: whole})
		next = f.seq + 1
		at += int(f.size())
	}
	return frames
}

func (s *Store) take(r *reading, seg *segment, f *found) {
	if f.kind == kindOpened {
		s.index.lineage, _, _ = parseOpened(f.name)
	}
	s.index.apply(&f.frame, placeOf(seg, int64(f.at), &f.frame), true)
	r.next, r.closed = f.seq+1, f.kind == kindClosed
	if f.kind == kindOpened || f.kind == kindMark || f.kind == kindClosed {
		r.oldest = f.first
	}
}

func placeOf(seg *segment, at int64, f *frame) place {
	return place{segment: seg, at: at + int64(f.headLen()), length: f.bodyLen, crc: f.bodyCRC, frame: f.size()}
}

// begin goes on with the log: with its lineage, or with a new one when what was reported as kept may have been lost.
func (s *Store) begin(r *reading) error {
	if len(s.segments) == 0 {
		if err := s.roll(r.next); err != nil {
			return err
		}
	}
	sameBoot := r.boot != "" && r.boot == s.boot
	if s.index.lineage == "" || r.mode != stores.Synced && !r.closed && !sameBoot {
		s.index.lineage = rand.Text()
	}
	opened := op{frame: frame{kind: kindOpened, name: openedName(s.index.lineage, s.boot, s.options.Durability)}}
	s.settled = 0 // what was found may not have been synced yet
	return s.keep([]op{opened}, true)
}

// read reads what stands at a place, and tells whether it is what was written.
func (p *place) read() (body []byte, whole bool, err error) {
	if p.segment == nil {
		return nil, false, nil
	}
	body = make([]byte, p.length)
	n, err := p.segment.file.ReadAt(body, p.at)
	if n == len(body) {
		return body, checksum(body) == p.crc, nil
	}
	if err == io.EOF {
		return nil, false, nil
	}
	return nil, false, err
}
