package disk

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

var (
	crashSeed  = flag.Uint64("disk.seed", 0, "replay this seed of the crash tests")
	crashSeeds = flag.Uint64("disk.seeds", 100, "how many stores lose their power, each twice, in TestALossOfPowerLosesNothingThatWasAcknowledged")
)

// model is what a store must have after the first n ops of a life.
type model struct {
	states   map[string]stores.Kept
	sessions map[string]string
}

func (m *model) clone() *model {
	return &model{states: maps.Clone(m.states), sessions: maps.Clone(m.sessions)}
}

// driver does random ops, one after the other, on a store, and on models. After each op it keeps the op's number as the
// session "op"; so what is found after a crash tells how many ops it must be the outcome of.
type driver struct {
	t      *testing.T
	random *rand.Rand
	store  *Store
	logs   map[string]stores.Log
	models []*model // models[n] is after n ops
	acked  atomic.Int64
	marks  map[string]*marks
}

// marks are the ops that made the versions of one life of a state.
type marks struct {
	first    uint64
	ops      []int64 // of version first, first+1, ...
	reported atomic.Uint64
}

func newDriver(t *testing.T, random *rand.Rand, s *Store, m *model) *driver {
	d := &driver{t: t, random: random, store: s, logs: map[string]stores.Log{}, models: []*model{m}, marks: map[string]*marks{}}
	for name, kept := range m.states {
		marks := &marks{first: kept.Last() + 1}
		marks.reported.Store(kept.Last())
		l, _, err := s.Open(name, d.committed(marks))
		if err != nil {
			t.Fatal(err)
		}
		d.logs[name], d.marks[name] = l, marks
	}
	return d
}

func (d *driver) committed(m *marks) stores.Committed {
	return func(version uint64, err error) {
		if err == nil {
			m.reported.Store(version)
		}
	}
}

// ackedOps returns the highest op that has been reported as kept.
func (d *driver) ackedOps() int64 {
	highest := d.acked.Load()
	for _, m := range d.marks {
		if v := m.reported.Load(); v >= m.first && v-m.first < uint64(len(m.ops)) {
			highest = max(highest, m.ops[v-m.first])
		}
	}
	return highest
}

func (d *driver) text(n int64) []byte {
	return append(strconv.AppendInt(nil, n, 10), bytes.Repeat([]byte{'.'}, d.random.IntN(1<<d.random.IntN(12)))...)
}

// op does one op, and returns an error when the store refuses it.
func (d *driver) op() error {
	n := int64(len(d.models))
	m := d.models[n-1].clone()
	name := "state " + strconv.Itoa(d.random.IntN(6))
	kept, exists := m.states[name]
	var err error
	switch dice := d.random.IntN(100); {
	case !exists:
		kept = stores.Kept{Header: d.text(n), Version: uint64(n), Checkpoint: d.text(n), First: uint64(n) + 1}
		mk := &marks{first: uint64(n) + 1}
		d.logs[name], err = d.store.Create(name, kept.Header, kept.Version, kept.Checkpoint, d.committed(mk))
		d.marks[name] = mk
		m.states[name] = kept
		if err == nil {
			d.acked.Store(n)
		}
	case dice < 3:
		err = d.logs[name].Close()
		if err == nil {
			err = d.store.Remove(name)
		}
		delete(m.states, name)
		if err == nil {
			d.acked.Store(n)
		}
	case dice < 15 && d.marks[name].reported.Load() > kept.Version:
		version := d.marks[name].reported.Load()
		keep := max(kept.First, version+1-min(version, d.random.Uint64N(4)))
		kept.Records = kept.Records[keep-kept.First:]
		kept.Header, kept.Version, kept.Checkpoint, kept.First = d.text(n), version, d.text(n), keep
		err = d.logs[name].Checkpoint(kept.Header, version, kept.Checkpoint, keep)
		m.states[name] = kept
	default:
		text := d.text(n)
		mk := d.marks[name]
		mk.ops = append(mk.ops, n)
		_, err = d.logs[name].Append(kept.Last()+1, text)
		kept.Records = append(slices.Clip(kept.Records), text)
		m.states[name] = kept
	}
	m.sessions["op"] = strconv.FormatInt(n, 10)
	d.models = append(d.models, m)
	if err == nil {
		err = d.store.KeepSession("op", []byte(m.sessions["op"]))
	}
	return err
}

// everything reads all that a store has. Damage is an error.
func everything(s *Store) (*model, error) {
	m := &model{states: map[string]stores.Kept{}, sessions: map[string]string{}}
	var damage []error
	err := s.States(func(name string, header []byte, err error) {
		kept, readErr := s.Read(name)
		damage = append(damage, err, readErr)
		m.states[name] = kept
	})
	damage = append(damage, err, s.Sessions(func(id string, text []byte) { m.sessions[id] = string(text) }))
	return m, errors.Join(damage...)
}

func (m *model) equal(other *model) bool {
	return maps.Equal(m.sessions, other.sessions) && maps.EqualFunc(m.states, other.states, sameKept)
}

func sameKept(a, b stores.Kept) bool {
	return bytes.Equal(a.Header, b.Header) && a.Version == b.Version && bytes.Equal(a.Checkpoint, b.Checkpoint) &&
		a.First == b.First && slices.EqualFunc(a.Records, b.Records, bytes.Equal)
}

// survived checks what is found after a crash against the ops that were told, of which acked were reported as kept.
func (d *driver) survived(got *model, acked int64) error {
	n, _ := strconv.ParseInt(got.sessions["op"], 10, 64)
	if n >= int64(len(d.models)) {
		return fmt.Errorf("%d ops were found where %d had been told", n, len(d.models)-1)
	}
	same := got.equal(d.models[n])
	if !same && n+1 < int64(len(d.models)) {
		next := d.models[n+1].clone()
		next.sessions = d.models[n].sessions
		if same = got.equal(next); same {
			n++
		}
	}
	if !same {
		return fmt.Errorf("what was found is not the outcome of the first %d ops, nor of one more", n)
	}
	if n < acked {
		return fmt.Errorf("op %d was reported as kept, and %d were found", acked, n)
	}
	return nil
}

// lives runs two lives of a store, each ended by a loss of power, and returns what went wrong.
func lives(t *testing.T, seed uint64, options Options, noSync bool) error {
	random := rand.New(rand.NewPCG(seed, 1))
	disk := newSimDisk()
	m := &model{states: map[string]stores.Kept{}, sessions: map[string]string{}}
	for life := range 2 {
		disk.noSync = noSync
		s, err := open(disk, options, fmt.Sprint("boot ", life))
		if err != nil {
			return err
		}
		d := newDriver(t, random, s, &model{states: m.states, sessions: map[string]string{}})
		for range 1 + random.IntN(300) {
			if err := d.op(); err != nil {
				t.Fatal(err)
			}
			for random.IntN(20) == 0 && s.busy() {
				wait(s)
			}
		}
		acked := d.ackedOps()
		if options.Durability == stores.Written {
			acked = 0
		}
		lineage := s.Lineage()
		crashed := disk.powerFails(random)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		disk = crashed
		after, err := open(disk, options, fmt.Sprint("boot ", life+1))
		if err != nil {
			return err
		}
		got, err := everything(after)
		if same := after.Lineage() == lineage; !noSync && same != (options.Durability != stores.Written) {
			t.Errorf("seed %d: is the lineage the same after a loss of power: %v", seed, same)
		}
		if err == nil {
			err = d.survived(got, acked)
		}
		if err := errors.Join(err, after.Close()); err != nil {
			return err
		}
		disk, m = disk.kill(), got
		if err := forgetOp(disk, options, fmt.Sprint("boot ", life+1)); err != nil {
			return err
		}
	}
	return nil
}

// forgetOp begins the count of ops anew.
func forgetOp(disk *simDisk, options Options, boot string) error {
	s, err := open(disk, options, boot)
	if err != nil {
		return err
	}
	return errors.Join(s.ForgetSessions("op"), s.Close())
}

func wait(s *Store) { _ = s.wait(op{}) }

var crashOptions = []Options{{SegmentBytes: 256 << 10}, {SegmentBytes: 4 << 10}}

func TestALossOfPowerLosesNothingThatWasAcknowledged(t *testing.T) {
	for i := range *crashSeeds {
		seed := i + 1
		if *crashSeed != 0 {
			seed = *crashSeed
		}
		if err := lives(t, seed, crashOptions[seed%2], false); err != nil {
			t.Fatalf("seed %d: %v\nreplay: go test -run TestALossOfPower ./stores/disk -disk.seed=%d", seed, err, seed)
		}
	}
}

// With stores.Written acknowledged writes may be lost with the power, but what is found is a prefix, and the lineage tells.
func TestWrittenKeepsAPrefixWhenThePowerFails(t *testing.T) {
	for seed := range uint64(40) {
		options := crashOptions[seed%2]
		options.Durability = stores.Written
		if err := lives(t, seed+1000, options, false); err != nil {
			t.Fatalf("seed %d: %v", seed+1000, err)
		}
	}
}

func TestTheEndOfTheProcessLosesNothingThatWasWritten(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 2))
		options := crashOptions[seed%2]
		options.Durability = stores.Written
		disk := newSimDisk()
		s, err := open(disk, options, "boot")
		if err != nil {
			t.Fatal(err)
		}
		d := newDriver(t, random, s, &model{states: map[string]stores.Kept{}, sessions: map[string]string{}})
		for range 200 {
			if err := d.op(); err != nil {
				t.Fatal(err)
			}
		}
		acked, lineage := d.ackedOps(), s.Lineage()
		killed := disk.kill()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		after, err := open(killed, options, "boot")
		if err != nil {
			t.Fatal(err)
		}
		got, err := everything(after)
		if err = errors.Join(err, d.survived(got, acked), after.Close()); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		if after.Lineage() != lineage {
			t.Errorf("seed %d: the lineage changed though the machine did not stop", seed)
		}
	}
}

func TestWithoutSyncALossOfPowerLosesSomething(t *testing.T) {
	lost := 0
	for seed := range uint64(20) {
		if err := lives(t, seed+1, crashOptions[seed%2], true); err != nil {
			lost++
		}
	}
	if lost < 5 {
		t.Errorf("without sync something was lost in %d of 20 runs only: the test of power loss proves little", lost)
	}
	t.Logf("without sync %d of 20 runs lost something that was acknowledged", lost)
}
