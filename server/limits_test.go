package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// slowRule keeps changes waiting for a minute.
func slowRule(context.Context, *Update) error {
	time.Sleep(time.Minute)
	return nil
}

func TestUnansweredChangesAreBounded(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Hour, Limits: Limits{Window: 3}}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: slowRule})
		w := f.joined("w", "s")
		for number := range 3 {
			w.send(fmt.Sprintf(`["merge",1,%d,0,{}]`, number+1))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.expect(`["accepted",1,1,1]`)
		w.send(`["merge",1,4,1,{}]`) // one was answered, one more may come
		w.expect()
		w.send(`["merge",1,5,1,{}]`)
		w.expectBye(protocol.CodeWindowExceeded, "more than 3 changes to a state are unanswered")
		time.Sleep(time.Hour)
		synctest.Wait()
		if got, want := f.state("s").committed, uint64(4); got != want {
			t.Errorf("got version %d, want %d: what was taken is judged", got, want)
		}
	})
}

func TestAnswersThatAreNotTakenCountAsUnanswered(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{Window: 3}})
	f.create(StateOptions{Identifier: "s"})
	w := f.joined("w", "s")
	for number := range 4 {
		w.send(fmt.Sprintf(`["merge",1,%d,0,{}]`, number+1))
	}
	w.expectBye(protocol.CodeWindowExceeded, "more than 3 changes to a state are unanswered")
}

func TestUnjudgedBytesAreBounded(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Hour, Limits: Limits{WindowBytes: 1000}}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: slowRule})
		f.create(StateOptions{Identifier: "other", InterceptStateUpdate: slowRule})
		w := f.joined("w", "s")
		w.send(`["join",2,"other"]`)
		w.recv()
		w.send(`["merge",1,1,0,{"p":"` + strings.Repeat("x", 2000) + `"}]`) // one is always allowed
		time.Sleep(time.Minute)
		synctest.Wait()
		w.expect(`["accepted",1,1,1]`)
		w.send(`["merge",1,2,0,{"p":"` + strings.Repeat("x", 500) + `"}]`)
		w.expect()
		w.send(`["merge",2,1,0,{"p":"` + strings.Repeat("x", 500) + `"}]`)
		w.expectBye(protocol.CodeWindowExceeded, "more than 1000 bytes of changes are unanswered")
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := w.peer.unjudged.Load(); got != 0 {
			t.Errorf("%d bytes still count", got)
		}
	})
}

func TestAnswersToRefusedJoinsAreBounded(t *testing.T) {
	f := newFixture(t, Options{})
	w := f.client("w")
	for n := range 10_000 {
		w.send(fmt.Sprintf(`["join",%d,"no"]`, n+1))
	}
	w.expectBye(protocol.CodeSlowWrite, "the answers to refused joins are not read")
	if size := cap(w.peer.control); size > 2*maxControl {
		t.Errorf("%d bytes were held", size)
	}
}

func TestRecordsOfASessionAreBounded(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{StatesPerConnection: 1}})
	for i := range recordsPerState + 1 {
		identifier := fmt.Sprint("s", i)
		f.create(StateOptions{Identifier: identifier})
		w := f.client("w")
		w.send(fmt.Sprintf(`["join",1,"%s"]`, identifier))
		if i == recordsPerState {
			w.expect(`["closed",1,4203,"the session has changed too many states; leave those that are not needed"]`)
			break
		}
		w.expect(`["joined",1,…`)
		w.send(`["merge",1,1,0,{}]`)
		w.recv()
		w.peer.disconnect()
	}
}

func TestSessionThatChangedNothingIsNotRememberedByItsStates(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	w, writer := f.joined("w", "s"), f.joined("writer", "s")
	writer.send(`["merge",1,1,0,{}]`)
	w.peer.disconnect()
	writer.peer.disconnect()
	f.clock.advance(time.Minute)
	if got := len(f.state("s").records); got != 1 {
		t.Errorf("%d records", got)
	}
	f.clock.advance(time.Hour)
	if got := len(f.state("s").records); got != 0 {
		t.Errorf("%d records", got)
	}
}
