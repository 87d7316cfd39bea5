package stores

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// memory is the simplest Store: what it is told is kept at once, and lost with the process.
type memory struct {
	mu       sync.Mutex // guards everything below
	states   map[string]*memoryLog
	sessions map[string][]byte
	closed   bool
}

// NewMemory returns an empty store in memory. It outlives the StateSyncer that uses it, and so serves tests of what
// happens after a restart.
func NewMemory() Store {
	return &memory{states: make(map[string]*memoryLog), sessions: make(map[string][]byte)}
}

// memoryLog is one state. The store's lock guards it.
type memoryLog struct {
	store *memory
	kept  Kept
	open  bool
}

func (m *memory) Durability() Durability { return Memory }
func (m *memory) Lineage() string        { return "memory" }

func (m *memory) States(visit func(identifier string, header []byte, err error)) error {
	m.mu.Lock()
	identifiers := slices.Sorted(maps.Keys(m.states))
	m.mu.Unlock()
	for _, identifier := range identifiers {
		if kept, err := m.Read(identifier); err == nil {
			visit(identifier, kept.Header, nil)
		}
	}
	return nil
}

func (m *memory) Sessions(visit func(id string, text []byte)) error {
	m.mu.Lock()
	all := maps.Clone(m.sessions)
	m.mu.Unlock()
	for id, text := range all {
		visit(id, text)
	}
	return nil
}

func (m *memory) Create(identifier string, header []byte, version uint64, checkpoint []byte, _ Committed) (Log, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return nil, ErrClosed
	case m.states[identifier] != nil:
		return nil, ErrExists
	}
	l := &memoryLog{store: m, open: true, kept: Kept{
		Header: slices.Clone(header), Version: version, Checkpoint: slices.Clone(checkpoint), First: version + 1,
	}}
	m.states[identifier] = l
	return l, nil
}

func (m *memory) Open(identifier string, _ Committed) (Log, Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, err := m.read(identifier)
	if err != nil {
		return nil, kept, err
	}
	l := m.states[identifier]
	if l.open {
		return nil, kept, fmt.Errorf("open the state %q: its log is open", identifier)
	}
	l.open = true
	return l, kept, nil
}

func (m *memory) Read(identifier string) (Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(identifier)
}

func (m *memory) read(identifier string) (Kept, error) {
	l := m.states[identifier]
	switch {
	case m.closed:
		return Kept{}, ErrClosed
	case l == nil:
		return Kept{}, ErrNotFound
	}
	kept := l.kept
	kept.Records = slices.Clone(kept.Records)
	return kept, nil
}

func (m *memory) Remove(identifiers ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for _, identifier := range identifiers {
		if l := m.states[identifier]; l != nil && l.open {
			return fmt.Errorf("remove the state %q: its log is open", identifier)
		}
	}
	for _, identifier := range identifiers {
		delete(m.states, identifier)
	}
	return nil
}

func (m *memory) KeepSession(id string, text []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	m.sessions[id] = slices.Clone(text)
	return nil
}

func (m *memory) ForgetSessions(ids ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.sessions, id)
	}
	return nil
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// usable reports why nothing can be written. The store's lock is held.
func (l *memoryLog) usable() error {
	if l.store.closed || !l.open {
		return ErrClosed
	}
	return nil
}

func (l *memoryLog) Append(version uint64, record []byte) (bool, error) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if err := l.usable(); err != nil {
		return false, err
	}
	if next := l.kept.Last() + 1; version != next {
		return false, fmt.Errorf("version %d was appended where %d is next", version, next)
	}
	l.kept.Records = append(l.kept.Records, slices.Clone(record))
	return true, nil
}

func (l *memoryLog) Checkpoint(header []byte, version uint64, checkpoint []byte, keep uint64) error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	k := &l.kept
	if version < k.Version || version > k.Last() || keep > version+1 {
		return fmt.Errorf("a checkpoint at version %d that keeps from %d does not fit a log from %d to %d", version, keep, k.First, k.Last())
	}
	k.Header, k.Version, k.Checkpoint = slices.Clone(header), version, slices.Clone(checkpoint)
	if keep > k.First {
		k.Records = slices.Clone(k.Records[keep-k.First:])
		k.First = keep
	}
	return nil
}

func (l *memoryLog) Close() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	l.open = false
	return nil
}
