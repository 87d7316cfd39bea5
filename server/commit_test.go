package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/server-state-sync/server-state-sync/stores"
)

// slowLog commits when the test says so.
type slowLog struct {
	epoch     string
	committed func(uint64, error)
	records   []string
	fail      error // of Append
	closed    bool
}

func (l *slowLog) Append(version uint64, record []byte) (bool, error) {
	if version != uint64(len(l.records)+1) {
		return false, fmt.Errorf("version %d came after %d", version, len(l.records))
	}
	l.records = append(l.records, string(record))
	return false, l.fail
}

func (l *slowLog) Checkpoint([]byte, uint64, []byte, uint64) error { return nil }

func (l *slowLog) Close() error {
	l.closed = true
	return nil
}

// storeOf is a store in memory whose new states get the logs that create makes.
type storeOf struct {
	stores.Store
	create func(identifier, epoch string, committed stores.Committed) (stores.Log, error)
}

func (s storeOf) Create(identifier string, header []byte, _ uint64, _ []byte, committed stores.Committed) (stores.Log, error) {
	h, err := parseHeader(identifier, header)
	if err != nil {
		return nil, err
	}
	return s.create(identifier, h.Epoch, committed)
}

// withLogs returns options with such a store.
func withLogs(create func(identifier, epoch string, committed stores.Committed) (stores.Log, error)) Options {
	return Options{Store: storeOf{stores.NewMemory(), create}}
}

func slowFixture(t *testing.T) (*fixture, *slowLog) {
	log := &slowLog{}
	f := newFixture(t, withLogs(func(_, epoch string, committed stores.Committed) (stores.Log, error) {
		log.epoch, log.committed = epoch, committed
		return log, nil
	}))
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0}})
	return f, log
}

func TestNothingIsToldBeforeTheLogHasIt(t *testing.T) {
	f, log := slowFixture(t)
	a, b := f.joined("a", "s"), f.joined("b", "s")
	a.send(`["merge",1,1,0,{"n":1}]`, `["patch",1,2,0,[["test",["n"],0]]]`, `["patch",1,3,0,[["increment",["n"],1]]]`)
	own, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{"own": 1}})
	if err != nil {
		t.Fatal(err)
	}
	a.expect()
	b.expect()
	if got, want := f.value("s"), `{"n":0}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	late := f.client("late")
	late.send(`["join",1,"s"]`)
	late.expect(`["joined",1,"` + log.epoch + `",0,0,[],{"n":0}]`)
	log.committed(1, nil)
	a.expect(`["accepted",1,1,1]`, `["refused",1,2,4315,…`)
	late.expect(`["entries",1,1,[["add",["n"],1]]]`)
	log.committed(3, nil) // one call for two versions
	a.expect(`["accepted",1,3,2]`, `["entries",1,3,[["add",["own"],1]]]`)
	b.expect(`["entries",1,1,[["add",["n"],1]],[["increment",["n"],1]],[["add",["own"],1]]]`)
	if version, err := own.Wait(t.Context()); version != 3 || err != nil {
		t.Errorf("got %d, %v", version, err)
	}
	session, reason := sessionNamed("a"), f.state("s").records[f.sessions.byID[sessionNamed("a")]].verdicts.refusal(2).reason
	want := []string{
		`["` + session + `",1,[["add",["n"],1]],0,[],"` + f.sessions.byID[session].epoch + `"]`,
		`["` + session + `",3,[["increment",["n"],1]],1,[{"number":2,"position":1,"code":4315,"reason":"` + reason + `"}]]`,
		`["",0,[["add",["own"],1]]]`,
	}
	if !slices.Equal(log.records, want) {
		t.Errorf("the log has %q, want %q", log.records, want)
	}
	f.RemoveState("s")
	if !log.closed {
		t.Error("the log was not closed")
	}
}

func TestLogThatFailsLeavesAStateToRead(t *testing.T) {
	failures := map[string]func(log *slowLog){
		"later":   func(log *slowLog) { log.committed(0, errors.New("disk is full")) },
		"at once": func(*slowLog) {},
	}
	for name, failLater := range failures {
		t.Run(name, func(t *testing.T) {
			f, log := slowFixture(t)
			a, b := f.joined("a", "s"), f.joined("b", "s")
			a.send(`["merge",1,1,0,{"n":1}]`)
			log.committed(1, nil)
			a.recv()
			b.recv()
			a.send(`["merge",1,2,1,{"n":2}]`, `["patch",1,3,1,[["test",["n"],1]]]`)
			if name == "at once" {
				log.fail = errors.New("disk is full")
			}
			a.send(`["merge",1,4,1,{"n":3}]`)
			failLater(log)
			failed := `4317,"the state's log has failed"]`
			a.expect(`["refused",1,2,`+failed, `["refused",1,3,`+failed, `["refused",1,4,`+failed)
			b.expect()
			a.send(`["merge",1,5,1,{"n":4}]`)
			a.expect(`["refused",1,5,4317,"the state can only be read since its log has failed"]`)
			if got, want := f.value("s"), `{"n":1}`; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			w := f.client("w")
			w.send(`["join",1,"s"]`)
			w.expect(`["joined",1,"` + log.epoch + `",1,0,[],{"n":1}]`)
			log.committed(9, nil) // after its failure it has nothing to say
			b.expect()
			_, err := f.UpdateStateValue(t.Context(), "s", map[string]any{"n": 5})
			if got, want := fmt.Sprint(err), "storage_failed: the state can only be read since its log has failed"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestPositionsAreCarriedOverWhatTheLogHasNotCommitted(t *testing.T) {
	f, log := slowFixture(t)
	f.create(StateOptions{Identifier: "list", InitialValue: map[string]any{"l": []any{"a", "b"}}})
	a, b := f.joined("a", "list"), f.joined("b", "list")
	a.send(`["patch",1,1,0,[["add",["l",0],"first"]]]`)
	b.send(`["patch",1,1,0,[["replace",["l",1],"B"]]]`)
	log.committed(2, nil)
	if got, want := f.value("list"), `{"l":["first","a","B"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStateWhoseLogDoesNotOpenIsNotMade(t *testing.T) {
	f := newFixture(t, withLogs(func(string, string, stores.Committed) (stores.Log, error) { return nil, errors.New("no disk") }))
	_, err := f.CreateState(StateOptions{Identifier: "s"})
	if got, want := fmt.Sprint(err), `create state "s": no disk`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if f.exists("s") {
		t.Error("the state exists")
	}
}

// The author of a change jumps over entries that it would need to compute the result, while the change is in the log.
func TestAnswerToAChangeThatWasUnderWayAtAJumpCarriesOperations(t *testing.T) {
	log := &slowLog{}
	options := withLogs(func(_, _ string, committed stores.Committed) (stores.Log, error) {
		log.committed = committed
		return log, nil
	})
	options.Limits.HistoryEntries = 4
	f := newFixture(t, options)
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"l": []any{"a", "b"}}})
	a := f.joined("a", "s")
	for i := range 8 {
		if _, err := f.Submit(t.Context(), "s", Change{Patch: patchOf(t, fmt.Sprintf(`[{"op":"add","path":"/l/0","value":%d}]`, i))}); err != nil {
			t.Fatal(err)
		}
	}
	a.send(`["patch",1,1,0,[["remove",["l",1]]]]`, `["merge",1,2,0,{"n":1}]`)
	log.committed(8, nil)
	a.expect(`["snapshot",1,8,{"l":[7,6,5,4,3,2,1,0,"a","b"]},2,[]]`)
	log.committed(10, nil)
	a.expect(`["accepted",1,1,9,[["remove",["l",9]]]]`, `["accepted",1,2,10]`)
}

// panicLog is broken.
type panicLog struct{}

func (panicLog) Append(uint64, []byte) (bool, error) { panic("the disk burns") }

func (panicLog) Checkpoint([]byte, uint64, []byte, uint64) error { return nil }

func (panicLog) Close() error { return nil }

// A log that panics is reported as that, also below an interceptor, and not as a lock that nobody holds.
func TestPanicOfALogIsWhatTheProgramEndsWith(t *testing.T) {
	for name, intercept := range map[string]func(context.Context, *Update) error{
		"alone": nil, "below an interceptor": func(context.Context, *Update) error { return nil },
	} {
		f := newFixture(t, withLogs(func(string, string, stores.Committed) (stores.Log, error) { return panicLog{}, nil }))
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: intercept})
		func() {
			defer func() {
				if got := recover(); got != "the disk burns" {
					t.Errorf("%s: got %v", name, got)
				}
			}()
			_, _ = f.Submit(t.Context(), "s", Change{Updates: map[string]any{"n": 1}})
		}()
	}
}
