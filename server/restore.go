package server

import (
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/stores"
)

// restore brings a state back into memory.
func (s *StateSyncer) restore(r *resting) (*state, error) {
	st := newState(s, r.options, document.EmptyObject)
	st.epoch, st.createdAt = r.header.Epoch, r.header.CreatedAt
	log, kept, err := s.options.Store.Open(st.identifier, st.logged)
	if err != nil {
		return nil, err
	}
	st.log = log
	if err := st.restore(&kept); err != nil {
		st.closeLog()
		return nil, err
	}
	return st, nil
}

// restore fills a state that nobody can see yet with what is kept of it.
func (s *state) restore(kept *stores.Kept) error {
	h, err := parseHeader(s.identifier, kept.Header)
	if err != nil {
		return err
	}
	value, records, err := parseCheckpoint(kept.Checkpoint)
	if err != nil {
		return damaged(s.identifier, err)
	}
	s.epoch, s.createdAt, s.visited = h.Epoch, h.CreatedAt, h.Visited
	s.lineage = s.server.options.Store.Lineage()
	s.restored = true
	s.window = max(s.window, h.Window)
	found := restoring{state: s, records: make(map[string]*restoredRecord)}
	found.take(records)
	if s.properties.forget(kept.Version); kept.First <= kept.Version+1 {
		s.history.next = kept.First
	}
	if value, err = replay(kept, value, found.note); err != nil {
		return damaged(s.identifier, err)
	}
	s.history.evict(kept.Last())
	s.applied, s.value, s.committed = value, value, kept.Last()
	s.keeping = keeping{size: len(kept.Checkpoint), grown: found.grown, due: s.window > h.Window}
	if h.Lineage != s.lineage {
		return s.beginEpoch()
	}
	found.attach()
	return nil
}

// beginEpoch begins another life of the state with the value that was found: the store may have lost what clients were
// told, so nobody may go on from there.
func (s *state) beginEpoch() error {
	limits := &s.server.options.Limits
	s.epoch = s.server.token()
	s.history = newHistory(s.committed+1, limits.HistoryEntries, limits.HistoryBytes)
	s.properties = properties{}
	s.properties.forget(s.committed)
	now := s.image()
	text := checkpointText(now.value, nil)
	s.keeping = keeping{size: len(text)}
	if err := s.log.Checkpoint(now.header.text(), now.version, text, now.version+1); err != nil {
		return fmt.Errorf("begin another epoch: %w", err)
	}
	return nil
}

// restoring collects what is known of sessions while a state is read.
type restoring struct {
	state   *state
	records map[string]*restoredRecord
	grown   int // bytes of operations since the checkpoint
}

// restoredRecord is what was kept of one session.
type restoredRecord struct {
	epoch    string
	author   author
	verdicts verdicts
	logged   uint64
}

func (f *restoring) record(session, epoch string) *restoredRecord {
	f.state.authors++
	r := &restoredRecord{epoch: epoch, author: f.state.authors, verdicts: verdicts{window: f.state.window}}
	f.records[session] = r
	return r
}

// take takes the records of a checkpoint.
func (f *restoring) take(kept []keptRecord) {
	for _, k := range kept {
		r := f.record(k.Session, k.Epoch)
		v := &r.verdicts
		v.skip(k.Decided - min(k.Decided, uint64(len(k.Verdicts))))
		refusals := make(map[uint64]keptRefusal, len(k.Refusals))
		for _, refused := range k.Refusals {
			refusals[refused.Number] = refused
		}
		for _, version := range k.Verdicts {
			if version > 0 {
				v.push(verdict(version & versionMask))
			} else {
				v.pushKept(refusals[v.decided+1])
			}
		}
		r.logged = v.decided
	}
}

// pushKept records a refusal that was kept; one without a code was turned away.
func (v *verdicts) pushKept(k keptRefusal) {
	if k.Code == 0 {
		k.Code, k.Reason = protocol.CodeStateBusy, busyReason
	}
	v.pushRefusal(refusal{position: k.Position, code: k.Code, reason: k.Reason})
}

// note takes a record: the entry for the history, and, above the checkpoint, the rest.
func (f *restoring) note(version uint64, k *keptChange, before, after document.Value) {
	s := f.state
	s.history.append(k.text, aboutOf(k.ops))
	if !after.Exists() {
		s.history.evict(version)
		return
	}
	f.grown += len(k.text)
	by := byServer
	if k.session != "" {
		by = f.noteSession(version, k)
	}
	s.properties.note(version, by, touchedBy(k.ops, before, after), after)
}

// noteSession takes the verdicts that a record tells of, and returns who made the change.
func (f *restoring) noteSession(version uint64, k *keptChange) author {
	if k.previous >= k.number {
		f.state.authors++ // of a session that had left
		return f.state.authors
	}
	r := f.records[k.session]
	if r == nil || k.previous == 0 {
		r = f.record(k.session, k.epoch)
		r.verdicts.skip(k.previous)
	}
	v := &r.verdicts
	refusals := make(map[uint64]keptRefusal, len(k.refusals))
	for _, refused := range k.refusals {
		refusals[refused.Number] = refused
	}
	if first := k.number - min(k.number, uint64(v.window)); v.decided < first {
		v.skip(first) // what is further back was answered
	}
	for v.decided+1 < k.number {
		refused, known := refusals[v.decided+1]
		if !known {
			refused.Position = version - 1
		}
		v.pushKept(refused)
	}
	v.push(verdict(version))
	r.logged = k.number
	return r.author
}

// attach gives their records to the sessions that are still known. All that they cannot know of themselves is
// assumed: answers to what was received carry operations, and transactions are judged as if everything had been changed.
func (f *restoring) attach() {
	s := f.state
	for id, found := range f.records {
		session := s.server.sessions.restore(id, found.epoch, s)
		if session == nil {
			continue
		}
		mark := found.verdicts.decided
		r := &record{
			author: found.author, session: session, lane: s.inbox.lane(session), verdicts: found.verdicts,
			mark: mark, disturbed: mark, forgot: mark, restored: true, logged: found.logged,
		}
		r.jump(s.committed)
		s.records[session] = r
	}
}

// reconcile compares a record that a store had with what its client knows. The client has seen the answers up to a
// number, also such as were told before a crash and not kept, which are refusals. It has begun anew if it has seen less
// and the version of a later answer: it had left the state, and what it changed since then was not kept.
func (r *record) reconcile(m *protocol.Join) {
	anew := m.Answered < r.verdicts.decided && r.passedOver(m)
	if m.Answered <= r.verdicts.decided && !anew {
		return
	}
	r.skip(m.Answered)
	if r.anew = anew; anew {
		r.logged = 0
	}
}

// skip takes all numbers up to the given one as answered.
func (r *record) skip(number uint64) {
	r.verdicts.skip(number)
	r.mark, r.skipped, r.disturbed, r.forgot, r.jumpMark = number, number, number, number, number
}

// passedOver reports whether the client has the version of an answer that it has not seen.
func (r *record) passedOver(m *protocol.Join) bool {
	v := &r.verdicts
	for number := m.Answered + 1; number <= v.decided; number++ {
		if !v.keeps(number) {
			return true
		}
		if version := v.of(number).version(); version > 0 {
			return version <= m.Version
		}
	}
	return false
}
