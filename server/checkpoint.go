package server

import (
	"errors"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/stores"
)

// checkpointBytes is how many bytes of records there are at least between two checkpoints of a state. More than the last
// checkpoint has there are too, so what checkpoints write is at most as much as the records.
const checkpointBytes = 64 << 10

// keeping is how far the store's checkpoint of a state is behind. The state's lock guards it.
type keeping struct {
	answered bool // something was refused, or a session left, since the state came into memory: a state that rests takes it along
	size     int  // bytes of the last checkpoint
	grown    int  // bytes of records since
	due      bool // one has to be made
	running  bool // one is being made
	closed   bool // the log has ended
}

// grow counts a record.
func (k *keeping) grow(bytes, least int) {
	k.grown += bytes
	k.due = k.due || k.grown > max(least, k.size)
}

// begin reports whether a checkpoint is to be made now.
func (k *keeping) begin() bool {
	if !k.due || k.running {
		return false
	}
	k.due, k.running = false, true
	return true
}

// image is a state as of its committed version: what a checkpoint is made of. It is taken under the state's lock without
// encoding anything.
type image struct {
	header  header
	version uint64
	value   document.Value
	records []keptRecord
	grown   int
}

func (s *state) header() header {
	return header{
		Identifier: s.identifier, Epoch: s.epoch, Lineage: s.lineage, CreatedAt: s.createdAt, Visited: s.visited, Window: s.window,
	}
}

func (s *state) image() *image {
	i := &image{header: s.header(), version: s.committed, value: s.value, grown: s.keeping.grown}
	for _, r := range s.records {
		if v := &r.verdicts; v.decided > 0 {
			i.records = append(i.records, v.kept(r.session))
		}
	}
	return i
}

// kept returns the verdicts as a checkpoint has them.
func (v *verdicts) kept(session *session) keptRecord {
	k := keptRecord{Session: session.id, Epoch: session.epoch, Decided: v.decided, Verdicts: make([]uint64, 0, v.held)}
	for number := v.decided - uint64(v.held) + 1; number <= v.decided; number++ {
		k.Verdicts = append(k.Verdicts, v.of(number).version())
	}
	for _, r := range v.refusals {
		if v.keeps(r.number) {
			k.Refusals = append(k.Refusals, keptRefusal{r.number, r.position, r.code, r.reason})
		}
	}
	return k
}

// checkpoint makes a checkpoint of the state. Changes go on meanwhile: what takes time is done without the lock.
func (s *state) checkpoint() {
	s.mu.Lock()
	usable := !s.failed && !s.removed && !s.rested
	var now *image
	if usable {
		now = s.image()
	}
	s.mu.Unlock()
	var text []byte
	if usable {
		text = checkpointText(now.value, now.records)
	}
	s.mu.Lock()
	defer s.unlock()
	s.keeping.running = false
	if usable && !s.failed && !s.removed && !s.rested {
		s.handOver(now, text)
	}
}

// handOver gives a checkpoint to the log. Records that the history still has are kept with it, for clients that resume.
func (s *state) handOver(i *image, text []byte) {
	err := s.log.Checkpoint(i.header.text(), i.version, text, min(s.history.first(), i.version+1))
	switch {
	case err == nil:
		s.keeping.size = len(text)
		s.keeping.grown -= i.grown
	case !errors.Is(err, stores.ErrClosed):
		s.fail(err)
	}
}
