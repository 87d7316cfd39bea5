package server

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slowly judges one change per minute.
func slowly(t *testing.T, limits Limits, test func(t *testing.T, f *fixture)) {
	timed(t, Options{InterceptTimeout: time.Hour, Limits: limits}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: slowRule})
		test(t, f)
		minutes(200) // the rule has decided on everything
	})
}

func (f *fixture) undecided() int {
	s := f.state("s")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inbox.changes
}

func minutes(n int) {
	time.Sleep(time.Duration(n) * time.Minute)
	synctest.Wait()
}

func TestUndecidedChangesAreBoundedOverConnections(t *testing.T) {
	for name, limits := range map[string]Limits{"in number": {Inbox: 20}, "in bytes": {InboxBytes: 20_000}} {
		slowly(t, limits, func(t *testing.T, f *fixture) {
			value := strings.Repeat("x", 1000)
			for i := range 100 {
				w := f.joined(fmt.Sprint("w", i), "s")
				for number := range 4 {
					w.send(fmt.Sprintf(`["merge",1,%d,0,{"p":"%s"}]`, number+1, value))
				}
				w.peer.disconnect()
			}
			if n := f.undecided(); n < 10 || n > 20 {
				t.Errorf("%s: %d changes wait", name, n)
			}
			minutes(20)
			if n := f.undecided(); n != 0 {
				t.Errorf("%s: %d changes wait after all were judged", name, n)
			}
			if b := &f.state("s").inbox; b.bytes != 0 || len(b.left) != 0 {
				t.Errorf("%s: %d bytes are counted, %d lanes are kept", name, b.bytes, len(b.left))
			}
		})
	}
}

func TestLeavingAndJoiningAgainMakesNoRoom(t *testing.T) {
	slowly(t, Limits{Inbox: 20}, func(t *testing.T, f *fixture) {
		w := f.client("w")
		for n := 1; n <= 50; n++ {
			w.send(fmt.Sprintf(`["join",%d,"s"]`, n))
			w.recv()
			w.send(fmt.Sprintf(`["merge",%d,1,0,{}]`, n), fmt.Sprintf(`["leave",%d]`, n))
		}
		if n := f.undecided(); n != 10 {
			t.Errorf("%d changes of one session wait", n)
		}
		minutes(20)
		if b := &f.state("s").inbox; b.changes != 0 || len(b.left) != 0 {
			t.Errorf("%d changes are counted, %d lanes are kept", b.changes, len(b.left))
		}
	})
}

func TestChangesBeyondTheInboxAreRefusedInTheirOrder(t *testing.T) {
	slowly(t, Limits{Inbox: 2}, func(t *testing.T, f *fixture) {
		a, b := f.joined("a", "s"), f.joined("b", "s")
		a.send(`["merge",1,1,0,{"a":1}]`, `["merge",1,2,0,{"a":2}]`, `["merge",1,3,0,{"a":3}]`)
		b.send(`["merge",1,1,0,{"b":1}]`) // who has less has room
		a.expect()
		c := f.joined("c", "s")
		c.send(`["merge",1,1,0,{"c":1}]`)
		c.expect(`["refused",1,1,4319,"too many changes to the state wait to be decided"]`)
		minutes(1)
		a.expect(`["accepted",1,1,1]`,
			`["refused",1,2,4319,"too many changes to the state wait to be decided"]`,
			`["refused",1,3,4319,"too many changes to the state wait to be decided"]`)
		minutes(1)
		a.send(`["merge",1,4,1,{"a":4}]`)
		minutes(1)
		a.expect(`["entries",1,2,[["add",["b"],1]]]`, `["accepted",1,4,3]`)
	})
}

func TestTransactionAfterAChangeThatWasTurnedAwayIsStale(t *testing.T) {
	slowly(t, Limits{Inbox: 4, InboxBytes: 200}, func(t *testing.T, f *fixture) {
		w := f.joined("w", "s")
		w.send(`["merge",1,1,0,{"a":1}]`, `["merge",1,2,0,{"b":"`+strings.Repeat("x", 200)+`"}]`)
		w.send(`["transaction",1,3,0,{"c":1},["c"],0]`, `["merge",1,4,0,{"b":"`+strings.Repeat("x", 200)+`"}]`)
		minutes(2)
		w.expect(`["accepted",1,1,1]`, `["refused",1,2,4319,…`,
			`["refused",1,3,4401,"own change 2 had another result than the transaction expected"]`, `["refused",1,4,4319,…`)
	})
}

func TestSessionsAreJudgedInTurn(t *testing.T) {
	slowly(t, Limits{}, func(t *testing.T, f *fixture) {
		a, b := f.joined("a", "s"), f.joined("b", "s")
		for number := range 100 {
			a.send(fmt.Sprintf(`["merge",1,%d,0,{"a":%d}]`, number+1, number))
		}
		b.send(`["merge",1,1,0,{"b":1}]`, `["merge",1,2,0,{"b":2}]`)
		minutes(5)
		if got := b.recv(); !strings.Contains(strings.Join(got, "\n"), `["accepted",1,2,`) {
			t.Errorf("two changes waited behind those of another: %q", got)
		}
	})
}
