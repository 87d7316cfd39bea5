package disk

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

// written returns a disk with a store's life on it, closed or killed, and what the store had.
func written(t *testing.T, seed uint64, closed bool, options Options) (*simDisk, *model) {
	t.Helper()
	disk := newSimDisk()
	s, err := open(disk, options, "boot")
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, rand.New(rand.NewPCG(seed, 4)), s, &model{states: map[string]stores.Kept{}, sessions: map[string]string{}})
	for range 150 {
		if err := d.op(); err != nil {
			t.Fatal(err)
		}
	}
	wait(s)
	for !disk.marked() { // what was written last counts as whole when a mark says so, which comes when nothing waits
		runtime.Gosched()
	}
	killed := disk.kill()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if closed {
		killed = disk.kill()
	}
	return killed, d.models[len(d.models)-1]
}

// marked tells whether the log ends with a mark.
func (d *simDisk) marked() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := slices.Max(slices.Collect(maps.Keys(d.names)))
	for name := range d.names {
		if strings.HasPrefix(name, segmentPrefix) && (name > last || !strings.HasPrefix(last, segmentPrefix)) {
			last = name
		}
	}
	data := bytes.TrimRight(d.names[last].data, "\x00")
	f, ok := tailBefore(data, len(data))
	return ok && f.kind == kindMark
}

// checkDamaged opens a disk that was damaged: each state is as it was, or is told by its name to be damaged.
func checkDamaged(t *testing.T, disk *simDisk, boot string, want *model, names bool) (damaged int) {
	t.Helper()
	s, err := open(disk, Options{}, boot)
	if err != nil {
		t.Errorf("the store does not open: %v", err)
		return 0
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	told := map[string]error{}
	lost := s.States(func(name string, _ []byte, err error) {
		_, readErr := s.Read(name)
		told[name] = errors.Join(err, readErr)
	})
	for name, kept := range want.states {
		err, visited := told[name]
		got, readErr := s.Read(name)
		switch {
		case !visited && !errors.Is(lost, stores.ErrCorrupt):
			t.Errorf("%q is gone, and nothing tells", name)
		case !visited && names:
			t.Errorf("%q is not told by its name", name)
		case !visited: // its only frame is in a part that is told to be lost
		case errors.Is(err, stores.ErrCorrupt):
			damaged++
		case err != nil || readErr != nil:
			t.Errorf("%q: %v, %v", name, err, readErr)
		case !sameKept(got, kept):
			t.Errorf("%q is not what was written, and nothing tells: %d to %d, want %d to %d", name, got.First, got.Last(), kept.First, kept.Last())
		}
	}
	for name, err := range told {
		if _, ok := want.states[name]; !ok && !errors.Is(err, stores.ErrCorrupt) {
			t.Errorf("%q was removed, and is there again", name)
		}
	}
	err = s.Sessions(func(id string, text []byte) {
		if string(text) != want.sessions[id] {
			t.Errorf("the session %q is %q, want %q", id, text, want.sessions[id])
		}
	})
	if err != nil && !errors.Is(err, stores.ErrCorrupt) {
		t.Error(err)
	}
	return damaged
}

// framesEnd is where the frames end, and the room behind them begins.
func (f *simFile) framesEnd() int { return len(bytes.TrimRight(f.data, "\x00")) }

// place returns a random byte of a disk's files.
func (d *simDisk) place(random *rand.Rand) (*simFile, int) {
	var names []string
	total := 0
	for name, f := range d.names {
		names = append(names, name)
		total += f.framesEnd()
	}
	slices.Sort(names)
	at := random.IntN(total)
	for _, name := range names {
		if f := d.names[name]; at < f.framesEnd() {
			return f, at
		}
		at -= d.names[name].framesEnd()
	}
	panic("unreachable")
}

func TestAFlippedBitIsToldByTheStatesNameAndNeverServed(t *testing.T) {
	damaged, flips := 0, 0
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 5))
		closed, boot := seed%2 == 0, []string{"boot", "another boot"}[seed/2%2]
		disk, want := written(t, seed, closed, crashOptions[seed%2])
		for range 60 {
			copied := disk.kill()
			f, at := copied.place(random)
			f.data[at] ^= 1 << random.IntN(8)
			n := checkDamaged(t, copied, boot, want, true)
			if n > 1 {
				t.Errorf("seed %d: one flipped bit keeps %d states from loading", seed, n)
			}
			damaged += n
			flips++
		}
	}
	t.Logf("%d flipped bits, %d damaged states", flips, damaged)
	if damaged < flips/20 {
		t.Errorf("%d flipped bits damaged %d states only", flips, damaged)
	}
}

func TestALostBlockIsNeverServed(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 6))
		disk, want := written(t, seed, seed%2 == 0, crashOptions[seed%2])
		for range 40 {
			copied := disk.kill()
			f, at := copied.place(random)
			if at&^511+512 > f.framesEnd()-200 {
				continue // with the last frame, which says that the ones before were synced, the end looks torn
			}
			for i := at &^ 511; i < min(len(f.data), at&^511+512); i++ {
				f.data[i] = 0
			}
			checkDamaged(t, copied, "another boot", want, false)
		}
	}
}

// A file of the log that is gone is missed, also the oldest: nothing older than what was acknowledged is served.
func TestALostFileIsTold(t *testing.T) {
	for seed := range uint64(20) {
		disk, want := written(t, seed, true, crashOptions[1])
		var names []string
		for name := range disk.names {
			if strings.HasPrefix(name, segmentPrefix) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names[:len(names)-1] { // without the newest the log ends earlier, as if it had never been longer
			copied := disk.kill()
			delete(copied.names, name)
			checkDamaged(t, copied, "another boot", want, false)
		}
	}
}

// Damage that comes while the store is open is not cleaned away with the file that it is in: what it hit is told at the next
// start too.
func TestALostBlockOfAFileIsNotCleanedAway(t *testing.T) {
	for name, damage := range map[string]func(f *simFile, from, to int64){
		"in the middle": func(f *simFile, from, to int64) { clear(f.data[from:to]) },
		"at the end":    func(f *simFile, from, _ int64) { clear(f.data[from:]) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := newSimDisk()
			s, err := open(disk, Options{SegmentBytes: 4 << 10}, "boot")
			if err != nil {
				t.Fatal(err)
			}
			busy, err := s.Create("busy", nil, 0, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			quiet, err := s.Create("quiet", nil, 0, []byte("precious"), nil)
			if err != nil {
				t.Fatal(err)
			}
			st := s.index.byName["quiet"]
			file, at := st.base.segment.file.(*simFile), st.base.at-int64(headFixed+len("quiet"))
			disk.mu.Lock()
			damage(file, at, at+st.base.frame)
			disk.mu.Unlock()
			for version := uint64(1); version <= 100; version++ {
				if _, err := busy.Append(version, make([]byte, 1<<10)); err != nil {
					t.Fatal(err)
				}
				wait(s)
				if err := busy.Checkpoint(nil, version, nil, version+1); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(busy.Close(), quiet.Close(), s.Close()); err != nil {
				t.Fatal(err)
			}
			want := &model{states: map[string]stores.Kept{"busy": {Version: 100, First: 101}, "quiet": {Checkpoint: []byte("precious"), First: 1}}}
			checkDamaged(t, disk.kill(), "another boot", want, false)
		})
	}
}

func TestATornTailIsCut(t *testing.T) {
	disk, want := written(t, 1, true, Options{})
	for _, tail := range []string{"\x00\x00\x00\x00", headMagic, "garbage that is not a frame" + headMagic} {
		copied := disk.kill()
		for name, f := range copied.names {
			if len(name) > 4 && name[:4] == segmentPrefix {
				f.data = append(f.data, tail...)
			}
		}
		if n := checkDamaged(t, copied, "boot", want, true); n > 0 {
			t.Errorf("a torn tail damaged %d states", n)
		}
		if n := checkDamaged(t, copied, "boot", want, true); n > 0 {
			t.Errorf("after a torn tail was cut %d states are damaged", n)
		}
	}
}

func TestADamagedStateCanBeRemovedAndMadeAnew(t *testing.T) {
	disk := newSimDisk()
	s, err := open(disk, Options{}, "boot")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if _, err := s.Create(name, []byte("header"), 0, []byte("checkpoint of "+name), nil); err != nil {
			t.Fatal(err)
		}
	}
	st := s.index.byName["a"]
	st.base.segment.file.(*simFile).data[st.base.at+int64(st.base.length)-1] ^= 4
	check := func(s *Store) {
		if _, err := s.Read("a"); !errors.Is(err, stores.ErrCorrupt) {
			t.Errorf("reading a damaged state: %v, want ErrCorrupt", err)
		}
		if _, err := s.Read("b"); err != nil {
			t.Errorf("reading its neighbor: %v", err)
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = open(disk, Options{}, "boot")
	if err != nil {
		t.Fatal(err)
	}
	check(s)
	if err := s.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create("a", nil, 0, []byte("new"), nil); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.Read("a"); err != nil || string(kept.Checkpoint) != "new" {
		t.Errorf("the state that was made anew is %q, error %v", kept.Checkpoint, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
