package core

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

func TestNewChecksTheConfig(t *testing.T) {
	random := func() uint64 { return 0 }
	for _, test := range []struct {
		name, want string
		config     Config
	}{
		{"ok", "<nil>", Config{Session: "0123456789abcdef", ClientIdentifier: "me", Random: random}},
		{"no random", "core: Config.Random is nil", Config{Session: "0123456789abcdef", ClientIdentifier: "me"}},
		{"short session", "bad_message: the session is not a string of 16 to 64 of A-Z, a-z, 0-9, - and _", Config{Session: "short", ClientIdentifier: "me", Random: random}},
		{"no client", `identifier_invalid: "" is not a string of 1 to 256 bytes of valid UTF-8 without control characters`, Config{Session: "0123456789abcdef", Random: random}},
		{"negative duration", "core: a duration of Config is negative", Config{Session: "0123456789abcdef", ClientIdentifier: "me", Random: random, BackoffMin: -1}},
		{"negative limit", "core: a limit of Config is negative", Config{Session: "0123456789abcdef", ClientIdentifier: "me", Random: random, MaxPending: -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := New(test.config); fmt.Sprint(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestPendingChangesAreBounded(t *testing.T) {
	merge := func(text string) Change { return Merge{Updates: document.MustOf(map[string]any{"x": text})} }
	t.Run("count", func(t *testing.T) {
		s := joinedState(t, `{}`)
		s.core.config.MaxPending = 2
		mustSubmit(t, s, merge("a"))
		mustSubmit(t, s, merge("b"))
		_, err := s.Submit(1, merge("c"))
		if want := "pending_limit: 2 changes wait for an answer, and no more are allowed"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if got := s.View().String(); got != `{"x":"b"}` {
			t.Errorf("the view is %s", got)
		}
	})
	t.Run("bytes", func(t *testing.T) {
		s := joinedState(t, `{}`)
		s.core.config.MaxPendingBytes = 20
		mustSubmit(t, s, merge(strings.Repeat("a", 30))) // one is always allowed
		_, err := s.Submit(1, merge("c"))
		if want := "pending_limit: changes of 38 bytes wait for an answer, and 20 are allowed"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

func TestFramesAreBoundedAndFair(t *testing.T) {
	a := joinedState(t, `{}`)
	c := a.core
	b := c.Join("other")
	c.Output(1, nil, 1000)
	c.Received(1, []byte(`["joined",2,"e",0,0,[],{}]`))
	for _, s := range []*State{a, b} {
		for i := range 3 {
			mustSubmit(t, s, Merge{Updates: document.MustOf(map[string]any{"x": i})})
		}
	}
	var got []string
	for {
		frame := c.Output(1, []byte("dst:"), 50)
		if string(frame) == "dst:" {
			break
		}
		got = append(got, string(frame[4:]))
	}
	want := []string{
		"[\"merge\",1,1,0,{\"x\":0}]\n[\"merge\",1,2,0,{\"x\":1}]",
		"[\"merge\",2,1,0,{\"x\":0}]\n[\"merge\",2,2,0,{\"x\":1}]",
		"[\"merge\",1,3,0,{\"x\":2}]\n[\"merge\",2,3,0,{\"x\":2}]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestWindowOfBytesHolds(t *testing.T) {
	s := joinedState(t, `{}`)
	s.core.welcome.WindowBytes = 60
	for i := range 4 {
		mustSubmit(t, s, Merge{Updates: document.MustOf(map[string]any{"x": i})})
	}
	frame := s.core.Output(1, nil, 1000)
	if got := strings.Count(string(frame), "merge"); got != 2 {
		t.Errorf("%d changes were sent, want 2: %s", got, frame)
	}
	if more := s.core.Output(1, nil, 1000); len(more) != 0 {
		t.Errorf("more was sent: %s", more)
	}
	s.core.Received(1, []byte(`["accepted",1,1,1]`))
	if got, want := string(s.core.Output(1, nil, 1000)), `["merge",1,3,1,{"x":2}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A change that was submitted before the welcome may turn out to be longer than the server reads.
func TestTooLargeChangeSettlesWhenItWouldBeSent(t *testing.T) {
	runScript(t, Config{}, `
		join abc
		merge {"x":"`+big+`"}
		merge {"y":1}
		start
		connected
		> ["hello","0123456789abcdef","me",{"connection":1}]
		> ["join",1,"abc"]
		< ["welcome","s1",{"heartbeat":15000,"window":9,"windowBytes":100000,"maxMessage":4000}]
		< ["joined",1,"e",0,0,[],{}]
		! ...
		> ["merge",1,1,0,{"y":1}]
		! settled 1 unsent too_large: the change has 5024 bytes, and the server reads 4000
		! changed rollback 0-0 {} was {"x":"`+big+`"} removed x
	`)
}

func TestVersionsAreTold(t *testing.T) {
	var got []string
	runScript(t, Config{OnVersion: func(s *State, from, to uint64, jump bool) {
		got = append(got, fmt.Sprint(s.Identifier(), " ", from, " ", to, " ", jump))
	}}, opening+`
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		< ["entries",1,2,[["add",["a"],1]],[["add",["a"],2]]]
		< ["accepted",1,1,4]
		< ["catchup",1,4,9,{},[],1,[]]
		< ["snapshot",1,9,{},1,[]]
	`)
	want := []string{"abc 0 1 true", "abc 1 2 false", "abc 2 3 false", "abc 3 4 false", "abc 4 9 true"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What was removed while the client was behind is gone from the view, from the confirmed value and for listeners, also
// where a change of its own waits.
func TestCatchupTakesAwayWhatWasRemoved(t *testing.T) {
	runScript(t, Config{}, opening+`
		merge {"x":1}
		> ["merge",1,1,1,{"x":1}]
		! ...
		< ["catchup",1,1,50,{"a":1},["count"],0,[]]
		! changed catch-up 1-50 {"a":1} was {"count":0} removed count
		view {"a":1,"list":["a","b"],"x":1}
		< ["accepted",1,1,51]
		! ...
		< ["entries",1,52,[["add",["count"],7]]]
		! changed remote 50-52 {"count":7} was {}
		view {"a":1,"count":7,"list":["a","b"],"x":1}
	`)
}

func TestStatus(t *testing.T) {
	s := joinedState(t, `{}`)
	mustSubmit(t, s, Merge{Updates: document.MustOf(map[string]any{"x": 1})})
	s.core.Output(10, nil, 1000)
	got := s.core.Status()
	if want := (Status{Phase: Connected, EverConnected: true, Attempt: 1, Pending: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	s.core.Received(42, []byte(`["accepted",1,1,1]`))
	if got := s.core.Status(); got.Latency != 32 || got.Pending != 0 {
		t.Errorf("got %+v, want a latency of 32", got)
	}
	cause := errors.New("no route")
	s.core.Lost(50, Loss{Err: cause, RetryAfter: 700})
	got = s.core.Status()
	if got.Phase != Waiting || got.NextRetry != 751 || got.LastError.Error() != "code 1006: no route" {
		t.Errorf("got %+v", got)
	}
}

// An error that already has a code of the protocol keeps it, and its class decides.
func TestLossWithACodedCauseIsTerminal(t *testing.T) {
	s := joinedState(t, `{}`)
	s.core.Lost(50, Loss{Err: &protocol.Error{Code: protocol.CodeUnauthorized, Reason: "HTTP status 401"}})
	if got := s.core.Status(); got.Phase != Failed || got.LastError.Code != protocol.CodeUnauthorized {
		t.Errorf("got %+v, want a failed client", got)
	}
}

func TestVerdictErr(t *testing.T) {
	if err := (Verdict{Version: 1}).Err(); err != nil {
		t.Errorf("got %v for an accepted change", err)
	}
	err := Verdict{Code: protocol.CodeStale, Reason: "moved"}.Err()
	if !errors.Is(err, &protocol.Error{Code: protocol.CodeStale}) || err.Error() != "stale: moved" {
		t.Errorf("got %v", err)
	}
}

// A Basis is forgotten when more properties have changed since than are remembered; then it counts as stale.
func TestChangedPropertiesAreBounded(t *testing.T) {
	s := joinedState(t, `{}`)
	basis := s.Basis()
	for i := range mostTicks + 1 {
		s.core.Received(1, fmt.Appendf(nil, `["entries",1,%d,[["add",["p%d"],1]]]`, i+1, i))
	}
	if len(s.changedAt) > mostTicks {
		t.Errorf("%d properties are remembered", len(s.changedAt))
	}
	_, err := s.Submit(1, Transaction{Updates: document.EmptyObject, Reads: []string{"other"}, Basis: basis})
	if !errors.Is(err, errStale) {
		t.Errorf("got %v, want stale", err)
	}
	if _, err := s.Submit(1, Transaction{Updates: document.EmptyObject, Basis: s.Basis()}); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		got  fmt.Stringer
		want string
	}{
		{Idle, "idle"}, {Connecting, "connecting"}, {Connected, "connected"}, {Waiting, "waiting"}, {Ended, "closed"},
		{Failed, "failed"}, {Phase(99), "unknown"}, {StateJoining, "joining"}, {StateJoined, "joined"},
		{StateClosed, "closed"}, {StatePhase(99), "unknown"}, {Local, "local"}, {Remote, "remote"},
		{Rollback, "rollback"}, {CatchUp, "catch-up"}, {Origin(0), "unknown"},
	} {
		if got := test.got.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestJoinedNamesTheDurability(t *testing.T) {
	s := joinedState(t, `{}`)
	if got, want := s.Durability(), "memory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	other := s.core.Join("durable")
	if got := other.Durability(); got != "" {
		t.Errorf("before the join: got %q", got)
	}
	s.core.Output(1, nil, 1<<16)
	s.core.Received(1, []byte(`["joined",2,"e",0,0,[],{},"synced"]`))
	if got, want := other.Durability(), "synced"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
