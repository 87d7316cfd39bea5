package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// missing tests joins of a state that the program makes for alice alone, after a second.
func missing(t *testing.T, test func(t *testing.T, f *fixture, calls *atomic.Int64)) {
	var calls atomic.Int64
	timed(t, Options{OnMissingState: func(_ context.Context, _ string, client any) (StateOptions, error) {
		calls.Add(1)
		time.Sleep(time.Second)
		if client != user("alice") {
			return StateOptions{}, Refuse("not you")
		}
		return StateOptions{}, nil
	}}, func(t *testing.T, f *fixture) { test(t, f, &calls) })
}

func (f *fixture) arrive(name string, client any, joins int) *wire {
	w := f.dial(client)
	w.send(fmt.Sprintf(`["hello","%s","%s",{}]`, sessionNamed(name), name))
	w.recv()
	for n := range joins {
		w.send(fmt.Sprintf(`["join",%d,"s"]`, n+1))
	}
	return w
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestJoinsOfOneConnectionAreAskedForOnce(t *testing.T) {
	missing(t, func(t *testing.T, f *fixture, calls *atomic.Int64) {
		w := f.arrive("w", user("bob"), 500)
		after(time.Second)
		if got := w.recv(); len(got) != 500 || got[499] != `["closed",500,4200,"not you"]` {
			t.Errorf("got %d answers, %s", len(got), got[len(got)-1])
		}
		if n := calls.Load(); n != 1 || len(f.missing) != 0 {
			t.Errorf("the program was asked %d times; %d states are missed", n, len(f.missing))
		}
	})
}

func TestConnectionsThatHaveEndedAreNotAskedFor(t *testing.T) {
	missing(t, func(t *testing.T, f *fixture, calls *atomic.Int64) {
		for i := range 50 {
			f.arrive(fmt.Sprint("w", i), user(fmt.Sprint(i)), 100).peer.disconnect()
		}
		alice := f.arrive("alice", user("alice"), 1)
		after(2 * time.Second)
		alice.expect(`["joined",1,…`)
		if n := calls.Load(); n != 2 {
			t.Errorf("the program was asked %d times", n)
		}
	})
}

func TestOneRefusalIsForAllWhoAreTheSame(t *testing.T) {
	missing(t, func(t *testing.T, f *fixture, calls *atomic.Int64) {
		var all []*wire
		for i := range 50 {
			all = append(all, f.arrive(fmt.Sprint("w", i), user("bob"), 1), f.arrive(fmt.Sprint("v", i), []string{"a slice"}, 1))
		}
		after(6 * time.Second)
		for _, w := range all {
			w.expect(`["closed",1,4200,"not you"]`)
		}
		if n := calls.Load(); n != 51 {
			t.Errorf("the program was asked %d times", n)
		}
	})
}

func TestNobodyWaitsLongBehindOthersWhoAreRefused(t *testing.T) {
	missing(t, func(t *testing.T, f *fixture, _ *atomic.Int64) {
		for i := range 31 {
			f.arrive(fmt.Sprint("w", i), user(fmt.Sprint(i)), 1)
		}
		alice := f.arrive("alice", user("alice"), 1)
		after(3 * time.Second)
		alice.expect(`["joined",1,…`)
	})
}

func TestConnectionsThatWaitForAMissingStateAreBounded(t *testing.T) {
	l := arrivals{by: map[*peer]*arrival{}}
	for range 1000 {
		l.add(&peer{over: true}, nil, 10)
	}
	if l.waiting.len() > 10 || len(l.by) != l.waiting.len() {
		t.Errorf("%d wait, of %d", l.waiting.len(), len(l.by))
	}
}
