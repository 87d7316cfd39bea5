package disk

import (
	"fmt"
	"sync/atomic"

	"github.com/server-state-sync/server-state-sync/stores"
)

// stateLog is the open log of a state.
type stateLog struct {
	store     *Store
	name      string
	number    uint64
	committed stores.Committed
	closed    atomic.Bool

	// Of the goroutine that calls the methods.
	version, first, last uint64 // of the checkpoint, the first and the last record that were handed over
	base                 uint64 // how many checkpoints were, as in frame.base

	// The committer's own.
	reported uint64
	news     bool
}

// Create implements stores.Store.
func (s *Store) Create(identifier string, header []byte, version uint64, checkpoint []byte, committed stores.Committed) (stores.Log, error) {
	if len(identifier) > maxName {
		return nil, fmt.Errorf("an identifier of %d bytes cannot be kept: at most %d", len(identifier), maxName)
	}
	if size := int64(len(header) + len(checkpoint)); size > s.options.MaxWaiting {
		return nil, fmt.Errorf("a state of %d bytes is more than the store lets wait, which is %d", size, s.options.MaxWaiting)
	}
	s.mu.Lock()
	s.numbers++
	number, usable := s.numbers, s.usable()
	s.mu.Unlock()
	if usable != nil {
		return nil, usable
	}
	switch err := s.reserve(identifier); {
	case err == stores.ErrClosed:
		return nil, err
	case err != nil: // who has it made it, or makes it
		return nil, stores.ErrExists
	}
	l := &stateLog{
		store: s, name: identifier, number: number, committed: listener(committed),
		version: version, first: version + 1, last: version, reported: version, base: 1,
	}
	if err := l.create(header, checkpoint); err != nil {
		s.register(identifier, nil)
		return nil, err
	}
	s.register(identifier, l)
	return l, nil
}

// create writes the first frame of a state whose identifier is reserved.
func (l *stateLog) create(header, checkpoint []byte) error {
	s := l.store
	s.indexLock.Lock()
	exists := s.index.byName[l.name] != nil
	s.indexLock.Unlock()
	if exists {
		return stores.ErrExists
	}
	f := frame{kind: kindBase, name: l.name, number: l.number, version: l.version, first: l.first, base: l.base, last: l.last}
	return s.wait(op{frame: f}, joinBase(header), header, checkpoint)
}

// listener returns a Committed that can be called.
func listener(committed stores.Committed) stores.Committed {
	if committed == nil {
		return func(uint64, error) {}
	}
	return committed
}

// reserve keeps states from being created, opened or removed by others until register is called.
func (s *Store) reserve(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return stores.ErrClosed
	}
	for _, name := range names {
		switch {
		case s.logs[name] != nil:
			return fmt.Errorf("the log of the state %q is open", name)
		case s.reserved[name]:
			return fmt.Errorf("the state %q is being created, opened or removed", name)
		}
	}
	for _, name := range names {
		s.reserved[name] = true
	}
	return nil
}

// register ends a reservation. From now on a failure is reported to the log, if there is one.
func (s *Store) register(name string, l *stateLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reserved, name)
	if l != nil {
		s.logs[name] = l
	}
}

// Open implements stores.Store.
func (s *Store) Open(identifier string, committed stores.Committed) (stores.Log, stores.Kept, error) {
	if err := s.reserve(identifier); err != nil {
		return nil, stores.Kept{}, fmt.Errorf("open: %w", err)
	}
	if s.busy() {
		_ = s.wait(op{}) // what an earlier log appended, or a removal; when it failed, what is kept can be read
	}
	kept, err := s.Read(identifier)
	if err != nil {
		s.register(identifier, nil)
		return nil, kept, err
	}
	s.indexLock.Lock()
	known := s.index.byName[identifier]
	number, base := known.number, known.ordinal
	s.indexLock.Unlock()
	l := &stateLog{
		store: s, name: identifier, number: number, committed: listener(committed),
		version: kept.Version, first: kept.First, last: kept.Last(), reported: kept.Last(), base: base,
	}
	s.register(identifier, l)
	return l, kept, nil
}

// Remove implements stores.Store.
func (s *Store) Remove(identifiers ...string) error {
	s.mu.Lock()
	usable := s.usable()
	s.mu.Unlock()
	if usable != nil {
		return usable
	}
	if err := s.reserve(identifiers...); err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	defer func() {
		for _, identifier := range identifiers {
			s.register(identifier, nil)
		}
	}()
	for _, identifier := range identifiers {
		s.indexLock.Lock()
		st := s.index.byName[identifier]
		s.indexLock.Unlock()
		if st == nil {
			continue
		}
		if err := s.enqueue(op{frame: frame{kind: kindRemove, name: identifier, number: st.number}}); err != nil {
			return err
		}
	}
	return s.wait(op{})
}

// KeepSession implements stores.Store.
func (s *Store) KeepSession(id string, text []byte) error {
	if len(id) > maxName {
		return fmt.Errorf("a session's id of %d bytes cannot be kept: at most %d", len(id), maxName)
	}
	return s.enqueue(op{frame: frame{kind: kindSession, name: id}}, text)
}

// ForgetSessions implements stores.Store.
func (s *Store) ForgetSessions(ids ...string) error {
	for _, id := range ids {
		if len(id) > maxName {
			continue
		}
		if err := s.enqueue(op{frame: frame{kind: kindForget, name: id}}); err != nil {
			return err
		}
	}
	return nil
}

// Append implements stores.Log. It never tells that the record is kept already.
func (l *stateLog) Append(version uint64, record []byte) (bool, error) {
	if l.closed.Load() {
		return false, stores.ErrClosed
	}
	if version != l.last+1 {
		return false, fmt.Errorf("version %d was appended where %d is next", version, l.last+1)
	}
	f := frame{kind: kindRecord, name: l.name, number: l.number, version: version, base: l.base, last: version}
	if err := l.store.enqueue(op{frame: f, log: l}, record); err != nil {
		return false, err
	}
	l.last = version
	return false, nil
}

// Checkpoint implements stores.Log.
func (l *stateLog) Checkpoint(header []byte, version uint64, checkpoint []byte, keep uint64) error {
	if l.closed.Load() {
		return stores.ErrClosed
	}
	if version < l.version || version > l.last || keep > version+1 {
		return fmt.Errorf("a checkpoint at version %d that keeps from %d does not fit a log from %d to %d", version, keep, l.first, l.last)
	}
	if l.store.crowded(len(header) + len(checkpoint)) {
		return nil // the former checkpoint and the records since are as good
	}
	first := max(l.first, keep)
	f := frame{kind: kindBase, name: l.name, number: l.number, version: version, first: first, base: l.base + 1, last: l.last}
	if err := l.store.enqueue(op{frame: f, log: l}, joinBase(header), header, checkpoint); err != nil {
		return err
	}
	l.version, l.first, l.base = version, first, l.base+1
	return nil
}

// Close implements stores.Log. A call of Committed that has begun may still be running.
func (l *stateLog) Close() error {
	l.closed.Store(true)
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if l.store.logs[l.name] == l {
		delete(l.store.logs, l.name)
	}
	return nil
}
