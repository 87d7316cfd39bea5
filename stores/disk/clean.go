package disk

import "fmt"

// cleaner is a walk over the oldest segment that appends again what is alive in it.
type cleaner struct {
	data   []byte
	frames []found
}

// cleanBytes is what a step looks at; between steps the committer serves who waits.
const cleanBytes = 1 << 20

// clean does a step of taking disk space back, and tells whether there was one to do. A log of which a part is lost is
// left as it is: what it lacks could not be told any more.
func (s *Store) clean() bool {
	if s.gap > 0 || s.uncanny || s.failure() != nil {
		return false
	}
	if s.cleaner == nil && !s.beginCleaning() {
		return false
	}
	if err := s.cleanStep(); err != nil {
		s.report(s.fail(err))
	}
	return true
}

// beginCleaning reads the oldest segment when more than half of the log is dead.
func (s *Store) beginCleaning() bool {
	if len(s.segments) < 2 || s.total <= 2*s.index.live+2*s.options.SegmentBytes {
		return false
	}
	oldest := s.segments[0]
	data, err := oldest.read()
	var frames []found
	if err == nil {
		frames, err = allFramesOf(data, oldest.first, s.segments[1].first)
	}
	if err != nil {
		s.logger.Error("a file of the log cannot be read, so its disk space is not taken back", "file", segmentName(oldest.first), "error", err)
		s.uncanny = true
		return false
	}
	s.cleaner = &cleaner{data: data, frames: frames}
	return true
}

// allFramesOf lists the frames of a segment that is whole, from its first to the one before the next segment. One that is
// missing may be alive, and without its file nobody could tell.
func allFramesOf(data []byte, first, next uint64) ([]found, error) {
	frames := framesOf(data, first, false)
	for i := range frames {
		if frames[i].seq != first {
			return nil, fmt.Errorf("the frames from %d to %d are not what was written", first, frames[i].seq-1)
		}
		first++
	}
	if first != next {
		return nil, fmt.Errorf("the frames from %d to %d are not what was written", first, next-1)
	}
	return frames, nil
}

func (s *Store) cleanStep() error {
	c, oldest := s.cleaner, s.segments[0]
	var moved []op
	for size := int64(0); len(c.frames) > 0 && size < cleanBytes; c.frames = c.frames[1:] {
		f := &c.frames[0]
		size += f.size()
		if s.index.alive(&f.frame, oldest, int64(f.at+f.headLen())) {
			moved = append(moved, op{frame: f.frame, body: bodyOf(c.data, f.at, &f.frame)})
		}
	}
	if len(moved) > 0 {
		if err := s.keep(moved, false); err != nil {
			return err
		}
	}
	if len(c.frames) > 0 {
		return nil
	}
	s.cleaner = nil
	if err := s.syncActive(); err != nil {
		return err
	}
	return s.removeOldest()
}

// removeOldest removes the oldest segment, of which nothing is alive.
func (s *Store) removeOldest() error {
	oldest := s.segments[0]
	s.files.Lock()
	s.segments = s.segments[1:]
	err := oldest.file.Close()
	s.files.Unlock()
	if err == nil { // before it is gone, the log says where it begins now
		err = s.keep([]op{{frame: frame{kind: kindMark}}}, false)
	}
	if err == nil {
		err = s.syncActive()
	}
	if err == nil {
		err = s.dir.remove(segmentName(oldest.first))
	}
	if err == nil {
		err = s.dir.sync()
	}
	if err != nil {
		return fmt.Errorf("remove a file of the log: %w", err)
	}
	s.total -= oldest.size
	return nil
}
