package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// resume connects again and takes its state up at a version.
func (f *fixture) resume(name, identifier string, version, answered int) *wire {
	f.Helper()
	w := f.dial(nil)
	w.welcome = f.welcomeOf(sessionNamed(name))
	w.send(fmt.Sprintf(`["hello","%s","%s",{}]`, sessionNamed(name), name),
		fmt.Sprintf(`["join",1,"%s","%s",%d,%d]`, identifier, f.state(identifier).epoch, version, answered))
	return w
}

// expectResumed expects the answers to resume, with the mark, and then the rest.
func (w *wire) expectResumed(f *fixture, identifier string, version, mark int, rest ...string) {
	w.Helper()
	got := w.recv()
	if len(got) == 0 || !strings.HasPrefix(got[0], w.welcome) {
		w.Fatalf("got %q, want a welcome that resumes", got)
	}
	want := append([]string{fmt.Sprintf(`["joined",1,"%s",%d,%d]`, f.state(identifier).epoch, version, mark)}, rest...)
	if !slices.EqualFunc(got[1:], want, matches) {
		w.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got[1:], "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestLostAnswersAreGivenAgainAndNothingIsDoneTwice(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0}})
	a := f.joined("a", "s")
	a.send(`["patch",1,1,0,[["increment",["n"],1]]]`, `["patch",1,2,0,[["remove",["no"]]]]`, `["patch",1,3,0,[["increment",["n"],1]]]`)
	a.peer.disconnect() // the answers are lost
	f.update("s", map[string]any{"x": 1})
	a = f.resume("a", "s", 0, 0)
	a.expectResumed(f, "s", 0, 3,
		`["accepted",1,1,1]`,
		`["refused",1,2,4313,…`,
		`["accepted",1,3,2]`,
		`["entries",1,3,[["add",["x"],1]]]`)
	a.send(`["patch",1,3,0,[["increment",["n"],1]]]`, `["patch",1,4,3,[["increment",["n"],1]]]`)
	a.expect(`["accepted",1,4,4]`)
	if got, want := f.value("s"), `{"n":3,"x":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestResumeSendsOnlyWhatWasMissed(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.expect(`["accepted",1,1,1]`)
	f.update("s", map[string]any{"b": 1})
	a.expect(`["entries",1,2,[["add",["b"],1]]]`)
	a.peer.disconnect()
	f.update("s", map[string]any{"c": 1})
	f.resume("a", "s", 2, 1).expectResumed(f, "s", 2, 1, `["entries",1,3,[["add",["c"],1]]]`)
}

func TestNewerConnectionFencesTheOlder(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	old := f.joined("a", "s")
	old.send(`["merge",1,1,0,{"a":1}]`)
	newer := f.resume("a", "s", 0, 0)
	old.send(`["merge",1,2,0,{"a":2}]`)
	old.expectBye(protocol.CodeSessionTaken, "a newer connection has taken the session over")
	newer.expectResumed(f, "s", 0, 1, `["accepted",1,1,1]`)
	old.peer.disconnect()
	newer.send(`["merge",1,2,1,{"a":3}]`)
	newer.expect(`["accepted",1,2,2]`)
	if got, want := f.value("s"), `{"a":3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLateHelloOfAnOlderConnectionFencesNobody(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	hello := func(connection int) string {
		return fmt.Sprintf(`["hello","%s","a",{"connection":%d}]`, sessionNamed("a"), connection)
	}
	newer, older := f.dial(nil), f.dial(nil)
	newer.send(hello(2), `["join",1,"s"]`)
	newer.recv()
	older.send(hello(1))
	older.expectBye(protocol.CodeSessionTaken, "a newer connection has taken the session over")
	newer.send(`["merge",1,1,0,{"a":1}]`)
	newer.expect(`["accepted",1,1,1]`)
	newer.peer.disconnect()
	older = f.dial(nil)
	older.send(hello(1))
	older.expectBye(protocol.CodeSessionTaken, "a newer connection has taken the session over")
}

// A crash may bring an older incarnation of a session back. Its numbers are not those of the client, who was told of a
// later one: the client gets another, and nothing of the old one is answered.
func TestSessionOfAnotherIncarnationIsForgotten(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	old := f.joined("a", "s")
	old.send(`["merge",1,1,0,{"a":1}]`)
	old.expect(`["accepted",1,1,1]`)
	epoch := f.sessions.byID[sessionNamed("a")].epoch
	newer := f.dial(nil)
	newer.send(fmt.Sprintf(`["hello","%s","a",{"epoch":"another"}]`, sessionNamed("a")),
		fmt.Sprintf(`["join",1,"s","%s",1,1]`, f.state("s").epoch))
	old.expectBye(protocol.CodeSessionTaken, "a newer connection has taken the session over")
	now := f.sessions.byID[sessionNamed("a")].epoch
	if now == epoch || now == "another" {
		t.Errorf("the session's epoch is %s after %s", now, epoch)
	}
	got := newer.recv()
	if want := fmt.Sprintf(`["joined",1,"%s",1,0]`, f.state("s").epoch); len(got) != 2 || got[1] != want {
		t.Errorf("got %q, want the welcome and %s", got, want)
	}
	newer.send(`["merge",1,1,1,{"b":1}]`)
	newer.expect(`["accepted",1,1,2]`)
}

func TestSessionBelongsToItsClient(t *testing.T) {
	f := newFixture(t, Options{})
	hello := `["hello","0123456789abcdef","a",{}]`
	first := f.dial(user("alice"))
	first.send(hello)
	first.peer.disconnect()
	for _, test := range []struct {
		name  string
		who   any
		hello string
		known bool
	}{
		{"the same", user("alice"), hello, true},
		{"another subject", user("bob"), hello, false},
		{"no subject", nil, hello, false},
		{"another identifier", user("alice"), `["hello","0123456789abcdef","b",{}]`, false},
	} {
		w := f.dial(test.who)
		welcome := f.welcomeOf("0123456789abcdef")
		w.send(test.hello)
		got := w.recv()
		if test.known && !strings.HasPrefix(got[0], welcome) {
			t.Errorf("%s: got %q", test.name, got)
		}
		if want := `["bye",4107,"the session belongs to another client",0]`; !test.known && got[0] != want {
			t.Errorf("%s: got %q, want %s", test.name, got, want)
		}
		w.peer.disconnect()
	}
}

// user is clientInformation with a subject.
type user string

func (u user) Subject() string { return string(u) }

func TestSessionExpires(t *testing.T) {
	f := newFixture(t, Options{SessionExpiry: time.Minute})
	f.create(StateOptions{Identifier: "s"})
	for _, test := range []struct {
		away    time.Duration
		resumed bool
	}{
		{time.Minute - time.Millisecond, true},
		{time.Minute, false},
	} {
		a := f.joined("a", "s")
		a.send(`["merge",1,1,0,{"a":1}]`)
		a.peer.disconnect()
		f.clock.advance(test.away)
		a = f.resume("a", "s", 0, 0)
		got := a.recv()
		if resumed := strings.HasPrefix(got[0], a.welcome); resumed != test.resumed {
			t.Errorf("%v: got %q, resumed %v", test.away, got[0], resumed)
		}
		mark := 0
		if test.resumed {
			mark = 1
		}
		if want := fmt.Sprintf(`["joined",1,"%s",0,%d]`, f.state("s").epoch, mark); got[1] != want {
			t.Errorf("%v: got %q, want %s", test.away, got[1], want)
		}
		a.send(`["leave",1]`)
		a.peer.disconnect()
		f.clock.advance(time.Hour)
		f.RemoveState("s")
		f.create(StateOptions{Identifier: "s"})
	}
	if got := f.Stats().Sessions; got != 0 {
		t.Errorf("%d sessions are left", got)
	}
}

func TestOwnChangesOfAnExpiredSessionComeAsEntries(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.peer.disconnect()
	f.clock.advance(time.Hour)
	a = f.resume("a", "s", 0, 7)
	got := a.recv()
	if want := `["entries",1,1,[["add",["a"],1]]]`; len(got) != 3 || got[2] != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{Sessions: 2}})
	f.create(StateOptions{Identifier: "s"})
	a, b := f.joined("a", "s"), f.joined("b", "s")
	c := f.dial(nil)
	c.send(`["hello","cccccccccccccccc","c",{}]`)
	if got := c.recv(); !strings.HasPrefix(got[0], `["bye",4003,"the server holds as many sessions as it may",`) || strings.HasSuffix(got[0], ",0]") {
		t.Errorf("got %q, want a bye with advice", got)
	}
	b.peer.disconnect()
	a.peer.disconnect()
	f.joined("c", "s") // the one that is away longest is forgotten
	back := f.resume("a", "s", 0, 0)
	if got := back.recv(); !strings.HasPrefix(got[0], back.welcome) {
		t.Errorf("got %q", got)
	}
	if got, want := f.Stats().Sessions, 2; got != want {
		t.Errorf("got %d sessions, want %d", got, want)
	}
	if got, want := len(f.state("s").records), 2; got != want {
		t.Errorf("got %d records, want %d", got, want)
	}
}

func TestSessionThatLeftBeginsAnew(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`, `["leave",1]`, `["join",2,"s"]`)
	a.expect(`["joined",2,"` + f.state("s").epoch + `",1,0,[],{"a":1}]`)
	a.send(`["merge",2,1,1,{"a":2}]`)
	a.expect(`["accepted",2,1,2]`)
}

func TestFreshJoinOfAKnownSessionIsToldEverything(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`, `["patch",1,2,0,[["remove",["no"]]]]`)
	a.peer.disconnect()
	a = f.client("a")
	a.send(`["join",1,"s"]`)
	a.expect(`["joined",1,"` + f.state("s").epoch + `",1,2,[[1,1],[2,0,4313,…`)
	a.send(`["merge",1,3,1,{"a":2}]`)
	a.expect(`["accepted",1,3,2]`)
}

func TestResumesThatEndTheConnection(t *testing.T) {
	for _, test := range []struct {
		name              string
		version, answered int
		reason            string
	}{
		{"a version to come", 4, 2, "the join has version 4, and the state is at 3"},
		{"an answer to come", 3, 4, "the join has the answer to change 4, and 3 are judged"},
		{"an answer that is forgotten", 0, 0, "the join asks for the answer to change 1, which is forgotten"},
		{"an answer without its version", 2, 3, "the join has the answer to change 3 and not version 3, which is in it"},
		{"a version without its answer", 3, 2, "the join has version 3 and not the answer to change 3, which is in it"},
	} {
		f := newFixture(t, Options{Limits: Limits{Window: 2}})
		f.create(StateOptions{Identifier: "s"})
		a := f.joined("a", "s")
		for i := range 3 {
			a.send(fmt.Sprintf(`["merge",1,%d,0,{"a":%d}]`, i+1, i))
			a.recv()
		}
		a.peer.disconnect()
		a = f.resume("a", "s", test.version, test.answered)
		a.expectBye(protocol.CodeBadMessage, test.reason)
	}
}

func TestAnotherEpochIsAFreshStart(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	epoch := f.state("s").epoch
	a.peer.disconnect()
	f.RemoveState("s")
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"b": 1}})
	w := f.client("a")
	w.send(`["join",1,"s","` + epoch + `",1,1]`)
	w.expect(`["joined",1,"` + f.state("s").epoch + `",0,0,[],{"b":1}]`)
}

func TestSessionsWithNothingToRememberAreForgottenFirst(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{Sessions: 4}})
	f.create(StateOptions{Identifier: "s"})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.peer.disconnect()
	for i := range 20 { // strangers
		f.clock.advance(time.Second)
		f.client(fmt.Sprint("stranger", i)).peer.disconnect()
	}
	f.resume("a", "s", 0, 0).expectResumed(f, "s", 0, 1, `["accepted",1,1,1]`)
}

func TestReasonsAreKeptShort(t *testing.T) {
	f := newFixture(t, Options{})
	long := strings.Repeat("é", 10_000)
	f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(context.Context, *Update) error { return Refuse(long) }})
	a := f.joined("a", "s")
	a.send(`["merge",1,1,0,{"a":1}]`)
	a.expect(`["refused",1,1,4300,"` + strings.Repeat("é", 98) + `…"]`)
	if _, err := f.UpdateStateValue(t.Context(), "s", map[string]any{}); refused(err).Reason != long {
		t.Error("the program gets the whole reason")
	}
}

func TestRefusalsAreForgottenWithTheirVerdicts(t *testing.T) {
	v := verdicts{window: 4}
	for range 4 {
		v.pushRefusal(refusal{code: protocol.CodeRefused, reason: "no"})
	}
	for version := range 4 {
		v.push(verdict(version + 1))
	}
	if len(v.refusals) != 0 {
		t.Errorf("%d are kept", len(v.refusals))
	}
}
