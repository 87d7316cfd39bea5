package disk

import (
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/stores"
)

// op is a frame that waits to be written, or with kind 0 only somebody who waits for those before it.
type op struct {
	frame
	body []byte
	log  *stateLog
	done chan error
}

// queue is what waits. The bodies stand in data, one after the other.
type queue struct {
	ops  []op
	data []byte
}

const (
	groupBytes = 8 << 20               // of bodies that are written and synced at once
	roomBytes  = 1 << 20               // by which a file is longer than its frames: a sync that need not change its length is quicker
	idleMark   = 20 * time.Millisecond // without work until a mark tells that all before it was synced
)

// usable reports why nothing can be written. The caller holds mu.
func (s *Store) usable() error {
	if s.closed {
		return stores.ErrClosed
	}
	return s.failed
}

// enqueue hands a frame to the committer.
func (s *Store) enqueue(o op, body ...[]byte) error {
	o.bodyCRC = checksum(body...)
	length := 0
	for _, part := range body {
		length += len(part)
	}
	o.bodyLen = uint32(length)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	waits := s.bytes + int64(length)
	if waits > s.options.MaxWaiting {
		s.failed = fmt.Errorf("%w: more than %d bytes wait for storage", stores.ErrFailed, s.options.MaxWaiting)
		s.unreported = true
		s.poke()
		return s.failed
	}
	s.bytes = waits
	from := len(s.waiting.data)
	for _, part := range body {
		s.waiting.data = append(s.waiting.data, part...)
	}
	o.body = s.waiting.data[from:]
	s.waiting.ops = append(s.waiting.ops, o)
	s.unkept++
	s.poke()
	return nil
}

// wait hands over a frame and returns when it is kept.
func (s *Store) wait(o op, body ...[]byte) error {
	o.done = make(chan error, 1)
	if err := s.enqueue(o, body...); err != nil {
		return err
	}
	return <-o.done
}

// crowded tells whether so much waits that a checkpoint of that length is better left out.
func (s *Store) crowded(length int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usable() == nil && s.bytes+int64(length) > s.options.MaxWaiting/2
}

// busy tells whether something waits to be written, or is being written.
func (s *Store) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unkept > 0
}

func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run is the committer: the one goroutine that writes.
func (s *Store) run() {
	defer close(s.done)
	var spare queue
	for {
		s.mu.Lock()
		q, closing, failed := s.waiting, s.closed, s.failed
		s.waiting = queue{ops: spare.ops[:0], data: spare.data[:0]}
		s.mu.Unlock()
		if failed != nil {
			s.report(failed)
		}
		s.commitAll(q.ops)
		clear(q.ops)
		if spare = q; cap(spare.data) > 2*groupBytes {
			spare.data = nil
		}
		if s.clean() || len(q.ops) > 0 {
			continue
		}
		if closing {
			s.finish()
			return
		}
		var idle <-chan time.Time
		if s.marked != s.next && s.failure() == nil {
			idle = time.After(idleMark)
		}
		select {
		case <-s.wake:
		case <-idle:
			s.mark()
		}
	}
}

// commitAll writes what waited, in groups.
func (s *Store) commitAll(ops []op) {
	for len(ops) > 0 {
		n, size := 0, 0
		for n < len(ops) && (n == 0 || size+len(ops[n].body) <= groupBytes) {
			size += len(ops[n].body)
			n++
		}
		s.commit(ops[:n], size)
		ops = ops[n:]
	}
}

// commit writes a group, and tells those who wait for it.
func (s *Store) commit(ops []op, size int) {
	err := s.failure()
	if err == nil {
		if err = s.keep(ops, s.options.Durability == stores.Synced); err != nil {
			err = s.fail(err)
		}
	}
	s.mu.Lock()
	s.bytes -= int64(size)
	s.unkept -= len(ops)
	s.mu.Unlock()
	for i := range ops {
		if l := ops[i].log; l != nil && ops[i].kind == kindRecord && err == nil {
			l.reported, l.news = ops[i].version, true
		}
	}
	for i := range ops {
		if l := ops[i].log; l != nil && l.news {
			l.news = false
			if !l.closed.Load() {
				l.committed(l.reported, nil)
			}
		}
		if ops[i].done != nil {
			ops[i].done <- err
		}
	}
	if err != nil {
		s.report(err)
	}
}

// keep writes frames and takes them into the index.
func (s *Store) keep(ops []op, sync bool) error {
	segments, size := len(s.segments), s.segments[len(s.segments)-1].size
	err := s.write(ops)
	if err == nil && sync {
		err = s.syncActive()
	}
	if err != nil {
		if len(s.segments) > segments {
			size = 0
		}
		s.takeBack(size)
		return err
	}
	s.indexLock.Lock()
	defer s.indexLock.Unlock()
	for i := range ops {
		if ops[i].kind != 0 {
			s.index.apply(&ops[i].frame, s.places[i], false)
		}
	}
	return nil
}

// takeBack cuts off what was not kept, as far as the storage still lets it: the next start would find it, and those
// who were refused would have it twice.
func (s *Store) takeBack(size int64) {
	active := s.segments[len(s.segments)-1]
	err := active.file.Truncate(size)
	if err == nil {
		err = active.file.Sync()
	}
	if err != nil {
		s.logger.Error("what could not be kept may be there after the next start", "file", segmentName(active.first), "error", err)
	}
}

// write appends frames to the log and notes their places.
func (s *Store) write(ops []op) error {
	active := s.segments[len(s.segments)-1]
	if active.size >= s.options.SegmentBytes {
		if err := s.roll(s.next); err != nil {
			return err
		}
		active = s.segments[len(s.segments)-1]
	}
	s.out, s.places = s.out[:0], s.places[:0]
	next := s.next
	for i := range ops {
		f := &ops[i].frame
		if f.kind == 0 {
			s.places = append(s.places, place{})
			continue
		}
		f.seq, f.settled = next, s.settled
		if f.order == 0 {
			f.order = next
		}
		if f.kind == kindOpened || f.kind == kindMark || f.kind == kindClosed {
			f.first = s.segments[0].first
		}
		next++
		s.places = append(s.places, placeOf(active, active.size+int64(len(s.out)), f))
		s.out = appendFrame(s.out, f, ops[i].body)
	}
	if len(s.out) == 0 {
		return nil
	}
	written := int64(len(s.out))
	if active.size+written > active.room && s.options.Durability == stores.Synced {
		s.out = append(s.out, make([]byte, min(roomBytes, s.options.SegmentBytes/4))...)
	}
	if _, err := active.file.WriteAt(s.out, active.size); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	active.room = max(active.room, active.size+int64(len(s.out)))
	active.size += written
	s.total += written
	s.next = next
	if cap(s.out) > 2*groupBytes {
		s.out = nil
	}
	return nil
}

// syncActive waits until the storage device has everything.
func (s *Store) syncActive() error {
	if s.settled == s.next-1 {
		return nil
	}
	if err := s.segments[len(s.segments)-1].file.Sync(); err != nil {
		return fmt.Errorf("sync the log: %w", err)
	}
	s.settled = s.next - 1
	return nil
}

// roll begins the next file of the log, after the former is whole on disk.
func (s *Store) roll(first uint64) error {
	if len(s.segments) > 0 && s.next > 0 {
		if err := s.trimActive(); err != nil {
			return err
		}
		if err := s.syncActive(); err != nil {
			return err
		}
	}
	f, err := s.dir.open(segmentName(first))
	if err != nil {
		return fmt.Errorf("begin a file of the log: %w", err)
	}
	s.segments = append(s.segments, &segment{first: first, file: f})
	if err := s.dir.sync(); err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	return nil
}

// trimActive takes the room behind the last frame from the file.
func (s *Store) trimActive() error {
	active := s.segments[len(s.segments)-1]
	if active.room <= active.size {
		return nil
	}
	active.room = active.size
	if err := active.file.Truncate(active.size); err != nil {
		return fmt.Errorf("trim the log: %w", err)
	}
	return nil
}

// mark tells those who read the log after an unclean end how far it had been synced.
func (s *Store) mark() {
	if s.failure() != nil {
		return
	}
	if err := s.keep([]op{{frame: frame{kind: kindMark}}}, false); err != nil {
		s.report(s.fail(err))
	}
	s.marked = s.next
}

// finish ends the log cleanly.
func (s *Store) finish() {
	if s.failure() != nil {
		return
	}
	err := s.keep([]op{{frame: frame{kind: kindClosed}}}, false)
	if err == nil {
		err = s.trimActive()
	}
	if err == nil {
		err = s.syncActive()
	}
	if err != nil {
		s.report(s.fail(err))
	}
}

func (s *Store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// fail ends all writing: after a failed write or sync nobody knows what the device has.
func (s *Store) fail(cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = fmt.Errorf("%w: %w", stores.ErrFailed, cause)
		s.unreported = true
	}
	return s.failed
}

// report tells every open log of the failure, once.
func (s *Store) report(failed error) {
	s.mu.Lock()
	var logs []*stateLog
	if s.unreported {
		s.unreported = false
		for _, l := range s.logs {
			logs = append(logs, l)
		}
	}
	s.mu.Unlock()
	if logs != nil {
		s.logger.Error("the store takes no more writes", "error", failed)
	}
	for _, l := range logs {
		if !l.closed.Load() {
			l.committed(l.reported, failed)
		}
	}
}
