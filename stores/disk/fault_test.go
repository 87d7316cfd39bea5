package disk

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"syscall"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

// TestAfterAFailedWriteTheStoreTakesNoMoreAndCanBeRead lets each call on the storage fail in its turn: writes, which
// then take a part, syncs, new files, removals and syncs of the folder.
func TestAfterAFailedWriteTheStoreTakesNoMoreAndCanBeRead(t *testing.T) {
	failures := 0
	for i, cause := range []error{syscall.ENOSPC, syscall.EIO, errDevice} {
		for failAt := 1; failAt <= 160; failAt += 1 + i {
			for _, once := range []bool{false, true} {
				if failsAt(t, uint64(failAt), failAt, cause, once) {
					failures++
				}
			}
		}
	}
	if failures < 400 {
		t.Errorf("the storage failed %d times only", failures)
	}
}

func failsAt(t *testing.T, seed uint64, failAt int, cause error, once bool) (failed bool) {
	t.Helper()
	disk := newSimDisk()
	disk.failAt, disk.cause, disk.once = failAt, cause, once
	s, err := open(disk, Options{SegmentBytes: 8 << 10}, "boot")
	if err != nil {
		if !errors.Is(err, cause) {
			t.Errorf("call %d failed, and opening says %v", failAt, err)
		}
		return true
	}
	d := newDriver(t, rand.New(rand.NewPCG(seed, 3)), s, &model{states: map[string]stores.Kept{}, sessions: map[string]string{}})
	for err == nil && len(d.models) < 2000 {
		if len(d.models)%8 == 0 {
			wait(s)
		}
		err = d.op()
	}
	if !errors.Is(err, stores.ErrFailed) || !errors.Is(err, cause) {
		t.Fatalf("call %d failed with %v, and a write says %v", failAt, cause, err)
	}
	acked := d.ackedOps()
	got, err := everything(s)
	if err != nil {
		t.Errorf("call %d failed, and reading says %v", failAt, err)
	}
	if err := d.survived(got, acked); err != nil {
		t.Errorf("call %d failed, and reading gives something else: %v", failAt, err)
	}
	_, created := s.Create("new", nil, 0, nil, nil)
	for what, err := range map[string]error{
		"Create": created, "Remove": s.Remove("x"), "KeepSession": s.KeepSession("x", nil), "Close": s.Close(),
	} {
		if !errors.Is(err, stores.ErrFailed) || !errors.Is(err, cause) {
			t.Errorf("call %d failed, and afterwards %s says %v", failAt, what, err)
		}
	}
	disk.mu.Lock()
	disk.failAt = 0
	disk.mu.Unlock()
	after, err := open(disk, Options{}, "boot")
	if err != nil {
		t.Fatal(err)
	}
	before := got
	got, err = everything(after)
	if err = errors.Join(err, d.survived(got, acked), after.Close()); err != nil {
		t.Errorf("call %d failed, and after opening anew: %v", failAt, err)
	}
	if once && !reflect.DeepEqual(got.states, before.states) { // a write that was refused must not come back
		t.Errorf("call %d failed, and after opening anew there is something else than was read before", failAt)
	}
	return true
}

func TestFailureIsReportedToEveryOpenLog(t *testing.T) {
	disk := newSimDisk()
	s, err := open(disk, Options{}, "boot")
	if err != nil {
		t.Fatal(err)
	}
	reports := make(chan error, 3)
	create := func(name string) stores.Log {
		l, err := s.Create(name, nil, 0, nil, func(_ uint64, err error) {
			if err != nil {
				reports <- err
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, _, c := create("a"), create("b"), create("c")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	disk.mu.Lock()
	disk.failAt, disk.cause = disk.calls+1, syscall.EIO
	disk.mu.Unlock()
	if _, err := a.Append(1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-reports; !errors.Is(err, stores.ErrFailed) || !errors.Is(err, syscall.EIO) {
			t.Errorf("a log was told %v", err)
		}
	}
	if _, err := a.Append(2, nil); !errors.Is(err, stores.ErrFailed) {
		t.Errorf("appending after a failure: %v, want ErrFailed", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	l, _, err := s.Open("a", nil)
	if err != nil {
		t.Fatalf("a store that has failed cannot be read: %v", err)
	}
	if _, err := l.Append(1, nil); !errors.Is(err, stores.ErrFailed) {
		t.Errorf("appending to a log of a store that has failed: %v, want ErrFailed", err)
	}
	if err := s.Close(); !errors.Is(err, stores.ErrFailed) {
		t.Errorf("closing says %v, want ErrFailed", err)
	}
	if len(reports) > 0 {
		t.Errorf("a log that was closed, or one twice, was told %v", <-reports)
	}
}

func TestWhatWaitsIsBounded(t *testing.T) {
	disk := newSimDisk()
	s, err := open(disk, Options{MaxWaiting: 1 << 10}, "boot")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	l, err := s.Create("a", nil, 0, nil, func(_ uint64, err error) {
		if err != nil {
			told <- err
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Checkpoint(nil, 0, make([]byte, 600), 0); err != nil {
		t.Errorf("a checkpoint that finds no room is an error: %v", err)
	}
	if _, err := l.Append(1, make([]byte, 2<<10)); !errors.Is(err, stores.ErrFailed) {
		t.Errorf("more than may wait was taken: %v", err)
	}
	if err := <-told; !errors.Is(err, stores.ErrFailed) {
		t.Errorf("the log was told %v", err)
	}
	if kept, err := s.Read("a"); err != nil || len(kept.Checkpoint) != 0 {
		t.Errorf("reading gives %d bytes, error %v", len(kept.Checkpoint), err)
	}
	if err := s.Close(); !errors.Is(err, stores.ErrFailed) {
		t.Errorf("closing says %v, want ErrFailed", err)
	}
}

// A log that was closed is opened again with all that was appended, also while that is on its way and has no bytes.
func TestWhatIsOnItsWayIsKeptBeforeTheNextLogOpens(t *testing.T) {
	disk := newSimDisk()
	s, err := open(disk, Options{}, "boot")
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Create("a", nil, 0, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	disk.mu.Lock() // from here on nothing gets to the disk
	if _, err := l.Append(1, nil); err != nil {
		t.Fatal(err)
	}
	for waiting := 1; waiting > 0; runtime.Gosched() {
		s.mu.Lock()
		waiting = len(s.waiting.ops)
		s.mu.Unlock()
	}
	if !s.busy() {
		t.Error("nothing is said to be on its way")
	}
	disk.mu.Unlock()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, kept, err := s.Open("a", nil); err != nil || kept.Last() != 1 {
		t.Errorf("kept up to version %d, error %v", kept.Last(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
