package disk

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// simDisk is storage that loses, when the power fails, a part of what was not synced: whole sectors of writes, in any
// order, and the names of files.
type simDisk struct {
	mu      sync.Mutex
	names   map[string]*simFile
	durable map[string]*simFile // names as of the last sync of the folder
	noSync  bool                // Sync of a file says yes and does nothing

	calls  int   // that change something
	failAt int   // the call that fails first, and all after it; 0 is none
	once   bool  // none after it
	cause  error // what it says
}

type simFile struct {
	disk    *simDisk
	data    []byte // as the operating system has it
	synced  []byte // as the device has it for sure
	pending []simWrite
}

// simWrite is a write that was not synced; without data it is a truncation to at.
type simWrite struct {
	at   int64
	data []byte
}

const sector = 512

func newSimDisk() *simDisk {
	return &simDisk{names: make(map[string]*simFile), durable: make(map[string]*simFile)}
}

// fault counts a call that changes something, and says whether it fails. The lock is held.
func (d *simDisk) fault() error {
	d.calls++
	if d.failAt > 0 && (d.calls == d.failAt || d.calls > d.failAt && !d.once) {
		return d.cause
	}
	return nil
}

func (d *simDisk) open(name string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.names[name]; f != nil {
		return f, nil
	}
	if err := d.fault(); err != nil {
		return nil, err
	}
	f := &simFile{disk: d}
	d.names[name] = f
	return f, nil
}

func (d *simDisk) list() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.names)), nil
}

func (d *simDisk) remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fault(); err != nil {
		return err
	}
	if d.names[name] == nil {
		return fs.ErrNotExist
	}
	delete(d.names, name)
	return nil
}

func (d *simDisk) sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fault(); err != nil {
		return err
	}
	d.durable = maps.Clone(d.names)
	return nil
}

func (f *simFile) ReadAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if at >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) WriteAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	fails := f.disk.fault()
	n := len(p)
	if fails != nil {
		n /= 2 // a disk that gets full takes a part
	}
	w := simWrite{at: at, data: slices.Clone(p[:n])}
	f.data = w.apply(f.data)
	f.pending = append(f.pending, w)
	return n, fails
}

func (w *simWrite) apply(data []byte) []byte {
	if w.data == nil {
		return data[:min(int64(len(data)), w.at)]
	}
	if end := w.at + int64(len(w.data)); int64(len(data)) < end {
		data = append(data, make([]byte, end-int64(len(data)))...)
	}
	copy(data[w.at:], w.data)
	return data
}

func (f *simFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fault(); err != nil {
		return err
	}
	w := simWrite{at: size}
	f.data = w.apply(f.data)
	f.pending = append(f.pending, w)
	return nil
}

func (f *simFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fault(); err != nil {
		return err
	}
	if !f.disk.noSync {
		f.synced, f.pending = slices.Clone(f.data), nil
	}
	return nil
}

func (f *simFile) size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.data)), nil
}

func (f *simFile) Close() error { return nil }

// kill returns what a process finds after another was killed: everything that the operating system was given.
func (d *simDisk) kill() *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newSimDisk()
	for name, f := range d.names {
		after.names[name] = &simFile{disk: after, data: slices.Clone(f.data), synced: slices.Clone(f.data)}
	}
	after.durable = maps.Clone(after.names)
	return after
}

// powerFails returns what the device has after a loss of power.
func (d *simDisk) powerFails(random *rand.Rand) *simDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newSimDisk()
	keep := random.IntN(101) // percent of the unsynced that got to the device
	all := maps.Clone(d.durable)
	maps.Copy(all, d.names)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		_, was := d.durable[name]
		_, is := d.names[name]
		if was != is && random.IntN(2) == 0 == is {
			continue // its making got lost, or its removal did not
		}
		data := all[name].torn(random, keep)
		after.names[name] = &simFile{disk: after, data: data, synced: slices.Clone(data)}
	}
	after.durable = maps.Clone(after.names)
	return after
}

// torn returns the file with some sectors of what was written since its last sync.
func (f *simFile) torn(random *rand.Rand, keep int) []byte {
	data := slices.Clone(f.synced)
	for _, w := range f.pending {
		if w.data == nil {
			if random.IntN(100) < keep {
				data = w.apply(data)
			}
			continue
		}
		for from := 0; from < len(w.data); {
			to := min(len(w.data), from+sector-int(w.at+int64(from))%sector)
			if random.IntN(100) < keep {
				part := simWrite{at: w.at + int64(from), data: w.data[from:to]}
				data = part.apply(data)
			}
			from = to
		}
	}
	return data
}

var errDevice = errors.New("the device says no")
