package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/stores"
)

// modelStore is the model's store: one in memory that knows in which order it was told what, so that a crash can leave
// any beginning of it that has everything that was reported as kept.
type modelStore struct {
	*model
	memory   stores.Store
	lineage  string
	writes   []modelWrite
	kept     int // so many of the writes are kept
	reported int // so many of them were reported
	logs     map[string]*modelLog
	dead     bool // the process has crashed
}

// modelWrite is one thing that a store was told.
type modelWrite struct {
	log     *modelLog // of a record, with its version
	version uint64
	do      func(memory stores.Store, logs map[string]stores.Log) error
}

func (m *model) newStore(writes []modelWrite, lineage string) *modelStore {
	s := &modelStore{model: m, memory: stores.NewMemory(), lineage: lineage, logs: map[string]*modelLog{}}
	open := map[string]stores.Log{}
	for _, w := range writes {
		if err := w.do(s.memory, open); err != nil {
			m.failf("the store that is left after a crash: %v", err)
		}
	}
	for _, log := range open {
		_ = log.Close()
	}
	s.writes, s.kept, s.reported = slices.Clone(writes), len(writes), len(writes)
	return s
}

// told notes a write; at once says that it is kept when the call returns.
func (s *modelStore) told(w modelWrite, atOnce bool) {
	s.writes = append(s.writes, w)
	if atOnce || !s.late {
		s.kept = len(s.writes)
	}
	if !s.late {
		s.reported = s.kept
	}
}

// commit reports up to n of the writes that were not yet.
func (s *modelStore) commit(n int) {
	s.kept = max(s.kept, min(s.reported+n, len(s.writes)))
	versions := map[*modelLog]uint64{}
	for _, w := range s.writes[s.reported:s.kept] {
		if w.log != nil {
			versions[w.log] = w.version
		}
	}
	s.reported = s.kept
	for _, identifier := range modelStates {
		if log := s.logs[identifier]; versions[log] > 0 {
			log.committed(versions[log], nil)
		}
	}
}

func (s *modelStore) waiting() int { return len(s.writes) - s.reported }

func (s *modelStore) Durability() stores.Durability { return stores.Synced }
func (s *modelStore) Lineage() string               { return s.lineage }
func (s *modelStore) Close() error                  { return nil }

func (s *modelStore) States(visit func(string, []byte, error)) error { return s.memory.States(visit) }
func (s *modelStore) Sessions(visit func(string, []byte)) error      { return s.memory.Sessions(visit) }
func (s *modelStore) Read(identifier string) (stores.Kept, error)    { return s.memory.Read(identifier) }

func (s *modelStore) Create(identifier string, header []byte, version uint64, checkpoint []byte, committed stores.Committed) (stores.Log, error) {
	memory, err := s.memory.Create(identifier, header, version, checkpoint, nil)
	if err != nil {
		s.failf("create %s: %v", identifier, err)
	}
	header, checkpoint = slices.Clone(header), slices.Clone(checkpoint)
	s.told(modelWrite{do: func(memory stores.Store, logs map[string]stores.Log) (err error) {
		logs[identifier], err = memory.Create(identifier, header, version, checkpoint, nil)
		return err
	}}, true)
	value, _, err := parseCheckpoint(checkpoint)
	if err != nil {
		s.failf("create %s: %v", identifier, err)
	}
	return s.open(identifier, s.newAudit(identifier, header, version, value), memory, committed), nil
}

func (s *modelStore) open(identifier string, a *audit, memory stores.Log, committed stores.Committed) *modelLog {
	log := &modelLog{store: s, audit: a, memory: memory, committed: committed}
	s.logs[identifier] = log
	return log
}

func (s *modelStore) Open(identifier string, committed stores.Committed) (stores.Log, stores.Kept, error) {
	memory, kept, err := s.memory.Open(identifier, nil)
	if err != nil {
		s.failf("open %s: %v", identifier, err)
	}
	a := s.audits[s.epochOf(kept.Header)]
	if a == nil || a.head() != kept.Last() {
		s.failf("open %s: the store has it up to version %d, and the audit has %+v", identifier, kept.Last(), a)
	}
	s.current[identifier] = a
	s.counts.loads++
	return s.open(identifier, a, memory, committed), kept, nil
}

func (m *model) epochOf(header []byte) string {
	var h struct{ Epoch string }
	if err := json.Unmarshal(header, &h); err != nil {
		m.failf("header %s: %v", header, err)
	}
	return h.Epoch
}

func (s *modelStore) Remove(identifiers ...string) error {
	if s.dead {
		return stores.ErrClosed
	}
	s.told(modelWrite{do: func(memory stores.Store, logs map[string]stores.Log) error {
		for _, identifier := range identifiers {
			if log := logs[identifier]; log != nil {
				_ = log.Close()
			}
			delete(logs, identifier)
		}
		return memory.Remove(identifiers...)
	}}, true)
	return s.memory.Remove(identifiers...)
}

func (s *modelStore) KeepSession(id string, text []byte) error {
	text = slices.Clone(text)
	s.told(modelWrite{do: func(memory stores.Store, _ map[string]stores.Log) error { return memory.KeepSession(id, text) }}, false)
	return s.memory.KeepSession(id, text)
}

func (s *modelStore) ForgetSessions(ids ...string) error {
	s.told(modelWrite{do: func(memory stores.Store, _ map[string]stores.Log) error { return memory.ForgetSessions(ids...) }}, false)
	return s.memory.ForgetSessions(ids...)
}

// modelLog is the log of one state.
type modelLog struct {
	store     *modelStore
	audit     *audit
	memory    stores.Log
	committed stores.Committed
}

func (l *modelLog) Append(version uint64, record []byte) (bool, error) {
	if l.store.dead {
		return false, stores.ErrClosed
	}
	if _, err := l.memory.Append(version, record); err != nil {
		l.store.failf("append: %v", err)
	}
	l.audit.note(version, record)
	record, identifier := slices.Clone(record), l.audit.identifier
	l.store.told(modelWrite{log: l, version: version, do: func(_ stores.Store, logs map[string]stores.Log) error {
		_, err := logs[identifier].Append(version, record)
		return err
	}}, false)
	return !l.store.late, nil
}

// Checkpoint holds the value in a checkpoint to what the records make.
func (l *modelLog) Checkpoint(header []byte, version uint64, checkpoint []byte, keep uint64) error {
	s, identifier := l.store, l.audit.identifier
	if s.dead {
		return stores.ErrClosed
	}
	value, _, err := parseCheckpoint(checkpoint)
	if err != nil || !value.Equal(l.audit.values[version]) {
		s.failf("a checkpoint of %s at version %d has %s, and the records make %s: %v", identifier, version, value, l.audit.values[version], err)
	}
	if err := l.memory.Checkpoint(header, version, checkpoint, keep); err != nil {
		s.failf("checkpoint: %v", err)
	}
	s.counts.checkpoints++
	if epoch := s.epochOf(header); epoch != l.audit.epoch {
		s.counts.lineages++
		l.audit = s.newAudit(identifier, header, version, value)
	}
	header, checkpoint = slices.Clone(header), slices.Clone(checkpoint)
	s.told(modelWrite{do: func(_ stores.Store, logs map[string]stores.Log) error {
		return logs[identifier].Checkpoint(header, version, checkpoint, keep)
	}}, false)
	return nil
}

func (l *modelLog) Close() error {
	if identifier := l.audit.identifier; l.store.logs[identifier] == l {
		delete(l.store.logs, identifier)
	}
	return l.memory.Close()
}

// startServer makes a server on the store.
func (m *model) startServer() {
	server, err := New(Options{
		Limits:           m.limits,
		InterceptTimeout: -1,
		Store:            m.store,
		Logger:           slog.New(slog.NewTextHandler(io.Discard, nil)),
		RestAfter:        modelRest,
		checkpointBytes:  m.checkpointBytes,
		clock:            m.clock,
		random:           m.serverRandom,
	})
	if err != nil {
		m.failf("new server: %v", err)
	}
	m.server = server
}

// crash ends the server as a power failure does. What the store had reported as kept is there afterwards, and perhaps
// more; what the server had said may still arrive.
func (m *model) crash() {
	old := m.store
	left := old.kept + m.random.IntN(len(old.writes)-old.kept+1)
	m.logf("crash: the store keeps %d of %d writes, and has said so of %d", left, len(old.writes), old.reported)
	m.counts.crashes++
	old.dead = true
	for _, w := range slices.Backward(old.writes[left:]) {
		if w.log != nil {
			m.counts.lost++
			w.log.auditOf(w.version).truncate(w.version - 1)
		}
	}
	lineage := old.lineage
	if m.random.IntN(16) == 0 {
		lineage = m.tag("lineage")
	}
	for _, c := range m.clients {
		c.lose()
	}
	m.clock.timers = nil
	m.store = m.newStore(old.writes[:left], lineage)
	for _, identifier := range modelStates {
		if kept, err := m.store.memory.Read(identifier); err == nil {
			m.current[identifier] = m.audits[m.epochOf(kept.Header)]
		}
	}
	m.startServer()
	for _, identifier := range modelStates {
		m.create(identifier)
	}
}

// auditOf returns the audit that a record went to: that of the log, which may have begun another epoch since.
func (l *modelLog) auditOf(version uint64) *audit {
	for _, a := range l.store.audits {
		if a.identifier == l.audit.identifier && a.log[version] == l {
			return a
		}
	}
	l.store.failf("no audit has version %d", version)
	return nil
}

// lose ends the connection with the server's end; whole frames up to a random byte arrive.
func (c *modelClient) lose() {
	for _, frame := range c.zombies {
		frame.up = nil
	}
	c.zombies = nil
	line := c.line
	if line == nil {
		return
	}
	offline := c.offline
	c.offline = true
	line.up, line.down = nil, c.cutFrames(line.down)
	for len(line.down) > 0 && c.line == line {
		c.deliverDown()
	}
	if c.line == line {
		c.line = nil
		c.core.Lost(c.now(), core.Loss{Reason: "the server is gone"})
		c.effects()
	}
	c.zombies, c.offline = nil, offline
}

func (a *audit) String() string { return fmt.Sprint(a.identifier, " ", a.epoch, " up to ", a.head()) }
