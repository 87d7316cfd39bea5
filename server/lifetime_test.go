package server

import (
	"fmt"
	"testing"
	"time"
)

func empty(clients int, _ time.Time) bool { return clients == 0 }

func (f *fixture) exists(identifier string) bool {
	_, ok := f.GetValueOfState(identifier)
	return ok
}

func TestStateWithoutItsFirstClientSurvivesARuleAboutClients(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", SelfDestruct: empty})
	f.askAll()
	if !f.exists("s") {
		t.Error("the state ended before its first client")
	}
}

func TestStateWithoutItsFirstClientEndsByARuleAboutTime(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", SelfDestruct: func(_ int, createdAt time.Time) bool {
		return f.clock.Now().Sub(createdAt) >= time.Hour
	}})
	f.clock.advance(time.Hour - 1)
	f.askAll()
	if !f.exists("s") {
		t.Error("the state ended too soon")
	}
	f.clock.advance(1)
	f.askAll()
	if f.exists("s") {
		t.Error("the state has not ended")
	}
}

func TestStateEndsWhenTheLastClientHasLeft(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", SelfDestruct: empty})
	a, b := f.joined("a", "s"), f.joined("b", "s")
	a.send(`["leave",1]`)
	if !f.exists("s") {
		t.Fatal("the state ended with a client left")
	}
	b.send(`["leave",1]`)
	if f.exists("s") {
		t.Error("the state has not ended")
	}
	b.expect()
}

func TestLostConnectionCountsUntilItsGraceIsOver(t *testing.T) {
	f := newFixture(t, Options{ReconnectGrace: time.Minute})
	f.create(StateOptions{Identifier: "s", SelfDestruct: empty})
	a := f.joined("a", "s")
	for range 3 { // comes back in time, again and again
		a.peer.disconnect()
		f.clock.advance(time.Minute - 1)
		a = f.joined("a", "s")
		f.clock.advance(time.Second)
	}
	a.peer.disconnect()
	f.clock.advance(time.Minute - 1)
	if !f.exists("s") {
		t.Fatal("the state ended within the grace")
	}
	f.clock.advance(1)
	if f.exists("s") {
		t.Error("the state has not ended after the grace")
	}
}

func TestSessionThatComesBackWithoutTheStateLosesItAfterTheGrace(t *testing.T) {
	for _, fenced := range []bool{false, true} {
		f := newFixture(t, Options{ReconnectGrace: time.Minute})
		f.create(StateOptions{Identifier: "s", SelfDestruct: empty})
		a := f.joined("a", "s")
		if !fenced {
			a.peer.disconnect()
			f.clock.advance(time.Second)
		}
		f.client("a")
		f.clock.advance(time.Minute - 1 - time.Second)
		if !f.exists("s") {
			t.Fatalf("fenced %v: the state ended within the grace", fenced)
		}
		f.clock.advance(time.Minute)
		if f.exists("s") {
			t.Errorf("fenced %v: the state has not ended after the grace", fenced)
		}
	}
}

func TestClientThatMayNotJoinAgainIsNoClientAnyMore(t *testing.T) {
	f := newFixture(t, Options{})
	allowed := true
	f.create(StateOptions{Identifier: "s", SelfDestruct: empty, AllowConnectingClient: allowIf(&allowed)})
	a := f.joined("a", "s")
	a.peer.disconnect()
	allowed = false
	got := f.resume("a", "s", 0, 0).recv()
	if want := `["closed",1,4201,"The client may not connect to this state; the server's rule decides."]`; got[len(got)-1] != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if f.exists("s") {
		t.Error("the state has not ended")
	}
}

func TestRuleIsToldWhoIsLeftAndWhenItBegan(t *testing.T) {
	f := newFixture(t, Options{})
	var asked []string
	f.create(StateOptions{Identifier: "s", SelfDestruct: func(clients int, createdAt time.Time) bool {
		asked = append(asked, fmt.Sprint(clients, " ", f.clock.Now().Sub(createdAt)))
		return false
	}})
	a, _ := f.joined("a", "s"), f.joined("b", "s")
	f.clock.advance(time.Second)
	f.askAll()
	a.send(`["leave",1]`)
	if got, want := fmt.Sprint(asked), "[2 1s 1 1s]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRuleThatPanicsSaysNo(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", SelfDestruct: func(int, time.Time) bool { panic("oh") }})
	f.askAll()
	if !f.exists("s") {
		t.Error("the state has ended")
	}
}

func TestTimeToLiveCountsFromCreation(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", TTL: time.Hour})
	f.clock.advance(time.Hour / 2)
	w := f.joined("w", "s")
	w.send(`["merge",1,1,0,{"a":1}]`)
	w.recv()
	f.clock.advance(time.Hour/2 - 1)
	w.expect()
	f.clock.advance(1)
	w.expect(`["closed",1,4202,"its time to live is over"]`)
	if f.exists("s") {
		t.Error("the state has not ended")
	}
	f.create(StateOptions{Identifier: "s", TTL: time.Hour})
	f.RemoveState("s")
	if n := len(f.clock.timers); n != 0 {
		t.Errorf("%d timers are left", n)
	}
}

func TestIdleStateIsAskedFromTimeToTime(t *testing.T) {
	timed(t, Options{SelfDestructInterval: time.Minute}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", SelfDestruct: func(_ int, createdAt time.Time) bool {
			return time.Since(createdAt) > 150*time.Second
		}})
		time.Sleep(179 * time.Second)
		if !f.exists("s") {
			t.Error("the state ended too soon")
		}
		time.Sleep(2 * time.Second)
		if f.exists("s") {
			t.Error("the state has not ended")
		}
	})
}
