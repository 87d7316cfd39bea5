package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/server-state-sync/server-state-sync/stores"
)

var (
	// ErrLocked: another process uses the folder.
	ErrLocked = errors.New("the folder is in use")
	// ErrFormat: the folder is not one of states, or a newer program wrote it.
	ErrFormat = errors.New("the folder cannot be used")
)

// Options of a store. The zero value is usable.
type Options struct {
	// Durability is stores.Synced by default: a write is reported as kept when the storage device has confirmed it. With
	// stores.Written it is reported when the operating system has it: faster, and the last writes are lost with the power.
	Durability stores.Durability

	// SegmentBytes is the size at which a file of the log is followed by the next; 16 MiB by default. Of the disk space, two
	// files and as much as the living states and sessions take may be dead.
	SegmentBytes int64

	// MaxWaiting bounds the bytes that wait for storage; 1 GiB by default. Beyond half of it checkpoints are left out, which
	// costs disk space only. At the bound the store fails as if it could not write: the server bounds what waits of one
	// state, so storage that is merely slow does not get there.
	MaxWaiting int64

	// Logger hears of damage, of a torn end that is cut, and of failure. Nil is silence.
	Logger *slog.Logger
}

func (o *Options) complete() error {
	if o.Durability == "" {
		o.Durability = stores.Synced
	}
	if o.Durability != stores.Synced && o.Durability != stores.Written {
		return fmt.Errorf("a store on disk is %q or %q, not %q", stores.Synced, stores.Written, o.Durability)
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = 16 << 20
	}
	if o.MaxWaiting <= 0 {
		o.MaxWaiting = 1 << 30
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Store keeps states in a folder. It implements stores.Store.
type Store struct {
	options Options
	dir     storage
	boot    string
	release func() error
	logger  *slog.Logger

	mu         sync.Mutex // guards what waits for the committer
	waiting    queue
	bytes      int64 // of the bodies that wait or are being written
	unkept     int   // how many frames these are, and who waits for them
	numbers    uint64
	logs       map[string]*stateLog // that are open
	reserved   map[string]bool      // states that are being created, opened or removed
	closed     bool
	failed     error
	unreported bool // the logs have not been told of failed

	wake chan struct{}
	done chan struct{}

	files     sync.RWMutex // held for reading while files are read; guards ended, and the closing of files
	ended     bool
	indexLock sync.Mutex // guards index, which the committer alone changes
	index     index
	gap       uint64 // the highest seq that could not be read at all; 0 is none. Does not change

	// The committer's own.
	segments []*segment // the oldest first; the last is written to
	total    int64      // bytes of all segments
	next     uint64     // seq of the next frame
	settled  uint64     // the frames up to this seq are synced
	marked   uint64     // next, when nothing has been written since the last mark
	out      []byte
	places   []place
	cleaner  *cleaner
	uncanny  bool // the oldest segment could not be read again, so it is not cleaned
}

var _ stores.Store = (*Store)(nil)

// Open opens the store in a folder, which is made, for its owner alone, when there is none. One process at a time may
// have it open: ErrLocked. ErrFormat tells that the folder is not one of states or comes from a newer program.
func Open(path string, options Options) (*Store, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	if err := makeFolder(path); err != nil {
		return nil, err
	}
	release, err := lock(path)
	if err != nil {
		return nil, err
	}
	s, err := open(folder(path), options, thisBoot())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep states in %s: %w", path, err), release())
	}
	s.release = release
	return s, nil
}

// open opens the store in whatever behaves as a folder, during a boot of the machine.
func open(dir storage, options Options, boot string) (*Store, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	s := &Store{
		options: options, dir: dir, boot: boot, logger: options.Logger, index: newIndex(), logs: make(map[string]*stateLog), reserved: make(map[string]bool),
		wake: make(chan struct{}, 1), done: make(chan struct{}), release: func() error { return nil },
	}
	err := checkFormat(dir)
	if err == nil {
		err = s.load()
	}
	if err != nil {
		return nil, errors.Join(err, s.closeFiles())
	}
	s.numbers = s.index.numbers
	go s.run()
	return s, nil
}

// Durability implements stores.Store.
func (s *Store) Durability() stores.Durability { return s.options.Durability }

// Lineage implements stores.Store. With stores.Written it changes when the store was not closed and the machine may have
// been started anew since.
func (s *Store) Lineage() string { return s.index.lineage }

// States implements stores.Store. Where a part of the log cannot be read at all, so that there may be states without a
// name, it visits the others and then returns an error that wraps stores.ErrCorrupt.
func (s *Store) States(visit func(identifier string, header []byte, err error)) error {
	s.indexLock.Lock()
	names := slices.Sorted(maps.Keys(s.index.byName))
	s.indexLock.Unlock()
	for _, name := range names {
		header, err := s.header(name)
		switch {
		case errors.Is(err, stores.ErrNotFound):
		case err == nil || errors.Is(err, stores.ErrCorrupt):
			visit(name, header, err)
		default:
			return err
		}
	}
	return s.nameless()
}

// nameless is the error of a log of which a part is lost.
func (s *Store) nameless() error {
	if s.gap == 0 {
		return nil
	}
	return fmt.Errorf("%w: a part of the log cannot be read, and states or sessions that were in it alone are not known", stores.ErrCorrupt)
}

// header reads a state's header.
func (s *Store) header(name string) (header []byte, err error) {
	err = s.reading(name, func(st *state) error {
		p := st.base
		p.length = min(p.length, 1024)
		body, _, err := p.read()
		if err == nil && len(body) >= baseFixed {
			if length := uint64(binary.BigEndian.Uint32(body)) + baseFixed; length > uint64(len(body)) && length <= uint64(st.base.length) {
				p.length = uint32(length)
				body, _, err = p.read()
			}
		}
		if err != nil {
			return fmt.Errorf("read the state %q: %w", name, err)
		}
		var whole bool
		if header, _, whole = splitBase(body); !whole {
			return corrupt(name, "its header is not what was written")
		}
		return nil
	})
	return header, err
}

// joinBase and splitBase write and read the beginning of a base's body. whole tells that the header is what was written.
func joinBase(header []byte) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 0, baseFixed), uint32(len(header)))
	return binary.BigEndian.AppendUint32(out, checksum(header))
}

func splitBase(body []byte) (header, checkpoint []byte, whole bool) {
	if len(body) < baseFixed {
		return nil, nil, false
	}
	length := uint64(binary.BigEndian.Uint32(body))
	if length > uint64(len(body)-baseFixed) {
		return nil, nil, false
	}
	header, checkpoint = body[baseFixed:baseFixed+length], body[baseFixed+length:]
	return header, checkpoint, checksum(header) == binary.BigEndian.Uint32(body[4:])
}

// reading calls read with a copy of what is known of the state. The files that it names stay open meanwhile.
func (s *Store) reading(name string, read func(*state) error) error {
	s.files.RLock()
	defer s.files.RUnlock()
	if s.ended {
		return stores.ErrClosed
	}
	s.indexLock.Lock()
	known := s.index.byName[name]
	if known == nil {
		s.indexLock.Unlock()
		return stores.ErrNotFound
	}
	st := *known
	st.records = slices.Clone(st.records)
	s.indexLock.Unlock()
	if st.suspect != "" {
		return corrupt(name, st.suspect)
	}
	return read(&st)
}

// Read implements stores.Store.
func (s *Store) Read(identifier string) (stores.Kept, error) {
	var kept stores.Kept
	err := s.reading(identifier, func(st *state) error {
		body, whole, err := st.base.read()
		if err != nil {
			return fmt.Errorf("read the state %q: %w", identifier, err)
		}
		header, checkpoint, ok := splitBase(body)
		if !whole || !ok {
			return corrupt(identifier, "its checkpoint is not what was written")
		}
		records := make([][]byte, len(st.records))
		for i := range st.records {
			if records[i], whole, err = st.records[i].read(); err != nil {
				return fmt.Errorf("read the state %q: %w", identifier, err)
			}
			if !whole {
				return corrupt(identifier, fmt.Sprintf("the record of version %d is not what was written", st.first+uint64(i)))
			}
		}
		kept = stores.Kept{Header: header, Version: st.version, Checkpoint: checkpoint, First: st.first, Records: records}
		return nil
	})
	return kept, err
}

// Sessions implements stores.Store. It visits those that can be read, and then returns an error that wraps
// stores.ErrCorrupt when there are others.
func (s *Store) Sessions(visit func(id string, text []byte)) error {
	s.files.RLock()
	defer s.files.RUnlock()
	if s.ended {
		return stores.ErrClosed
	}
	s.indexLock.Lock()
	sessions := maps.Clone(s.index.sessions)
	s.indexLock.Unlock()
	damaged := 0
	for id, session := range sessions {
		text, whole, err := session.place.read()
		switch {
		case err != nil:
			return fmt.Errorf("read the session: %w", err)
		case whole && session.order > s.gap:
			visit(id, text)
		default:
			damaged++
			s.logger.LogAttrs(context.Background(), slog.LevelError, "a session is damaged, and left out")
		}
	}
	if damaged > 0 {
		return fmt.Errorf("%w: %d of %d sessions", stores.ErrCorrupt, damaged, len(sessions))
	}
	return s.nameless()
}

// Close implements stores.Store. After a failure it returns that.
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	s.poke()
	<-s.done
	if !first {
		return nil
	}
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	return errors.Join(failed, s.closeFiles(), s.release())
}

func (s *Store) closeFiles() (err error) {
	s.files.Lock()
	defer s.files.Unlock()
	s.ended = true
	for _, seg := range s.segments {
		err = errors.Join(err, seg.file.Close())
	}
	return err
}
