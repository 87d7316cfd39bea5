package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// connectionAttacks are floods on one connection.
var connectionAttacks = []attack{
	{"Fragments", "a frame that never ends, of empty fragments", Options{}, thrownOut(protocol.CodeTooManyFragments, fragment(0x01, ""), []byte(strings.Repeat(string(fragment(0x00, "")), 100_000)))},
	{"Fragments", "a frame that never ends, of one byte each", Options{Limits: Limits{Fragments: 8}}, thrownOut(protocol.CodeTooManyFragments, fragment(0x01, "["), []byte(strings.Repeat(string(fragment(0x00, " ")), 100)))},
	{"Fragments", "a frame before hello", Options{Limits: Limits{Fragments: 8}}, thrownOutAtOnce(protocol.CodeTooManyFragments, fragment(0x01, ""), []byte(strings.Repeat(string(fragment(0x00, "")), 100)))},
	{"Pings", "a flood", Options{}, thrownOut(protocol.CodeTooManyPings, []byte(strings.Repeat(string(fragment(0x89, "")), 100_000)))},
	{"Pings", "a flood of pongs", Options{}, thrownOut(protocol.CodeTooManyPings, []byte(strings.Repeat(string(fragment(0x8A, "x")), 100_000)))},
	{"Pings", "a flood between the fragments of a frame", Options{Limits: Limits{Pings: 5}}, thrownOut(protocol.CodeTooManyPings, fragment(0x01, "["), []byte(strings.Repeat(string(fragment(0x89, "p")), 100)))},
	{"Pings", "a flood before hello", Options{}, thrownOutAtOnce(protocol.CodeTooManyPings, []byte(strings.Repeat(string(fragment(0x89, "p")), 100)))},
	{"Window", "changes without waiting for answers", Options{Limits: Limits{Window: 3}}, floodWindow},
	{"WindowBytes", "large changes without waiting for answers", Options{Limits: Limits{WindowBytes: 1000}}, floodWindowBytes},
	{"Inbox", "changes beyond what a state holds", Options{Limits: Limits{Inbox: 2}}, floodInbox("1")},
	{"InboxBytes", "bytes beyond what a state holds", Options{Limits: Limits{InboxBytes: 1000}}, floodInbox(`"` + strings.Repeat("x", 400) + `"`)},
	{"refused joins", "joins of states that are not there", Options{}, floodJoins},
	{"StatesPerConnection", "joins of more states than one may", Options{Limits: Limits{StatesPerConnection: 2}}, joinTooMany},
	{"FramesPerSecond", "frames as fast as they go", Options{Limits: Limits{FramesPerSecond: 50, FrameBurst: 5}}, slowedDown},
	{"FrameBurst", "the burst that is allowed", Options{Limits: Limits{FramesPerSecond: 50, FrameBurst: 10}}, slowedDown},
	{"BytesPerSecond", "bytes as fast as they go", Options{Limits: Limits{BytesPerSecond: 4000, Message: 500}}, slowedDown},
	{"CarryWork", "a position that must be carried over much", Options{Limits: Limits{CarryWork: 10}}, carryMuch},
}

// opened lets the changes to the gated state pass until the test ends.
func (a *attacked) opened(t *testing.T) {
	t.Helper()
	closed := false
	t.Cleanup(func() {
		if !closed {
			close(a.gate)
		}
	})
	closed = true
	close(a.gate)
}

func floodWindow(t *testing.T, a *attacked) {
	c := a.attacker(t, "gated")
	for number := range 4 {
		c.say(fmt.Sprintf(`["merge",1,%d,0,{"a":%d}]`, number+1, number))
	}
	c.expectEnd(protocol.CodeWindowExceeded)
	a.opened(t)
}

func floodWindowBytes(t *testing.T, a *attacked) {
	c := a.attacker(t, "gated")
	for number := range 3 {
		c.say(fmt.Sprintf(`["merge",1,%d,0,{"a":"%s"}]`, number+1, strings.Repeat("x", 600)))
	}
	c.expectEnd(protocol.CodeWindowExceeded)
	a.opened(t)
}

func floodInbox(value string) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := a.attacker(t, "gated")
		for number := range 100 {
			c.say(fmt.Sprintf(`["merge",1,%d,0,{"p":%s}]`, number+1, value))
		}
		c.say(`["join",2,"s"]`)
		c.hear(`["joined",2,…`) // all of them have been read
		a.opened(t)
		c.hear(`["accepted",1,1,1]`)
		c.expectRefusal(100, protocol.CodeStateBusy)
		c.say(`["merge",1,101,1,{"q":1}]`)
		c.seek(`["accepted",1,101,…`)
	}
}

// floodJoins reads nothing, and the server holds a bounded number of answers. Those that were on their way are not read
// either, so the end may be that of a client that does not read.
func floodJoins(t *testing.T, a *attacked) {
	c := a.attacker(t, "s")
	for frame := range 100 {
		var messages []string
		for i := range 1000 {
			messages = append(messages, fmt.Sprintf(`["join",%d,"no"]`, 2+frame*1000+i))
		}
		c.say(messages...)
	}
	if code, err := c.ending(); err != nil || code != int(protocol.CodeSlowWrite) {
		t.Errorf("got %d, %v; want %s", code, err, protocol.CodeSlowWrite)
	}
}

func joinTooMany(t *testing.T, a *attacked) {
	c := a.attacker(t, "s", "own")
	c.say(`["join",3,"gated"]`)
	c.expectClosed(3, protocol.CodeTooManyStates)
	c.say(`["leave",2]`, `["join",4,"gated"]`)
	c.hear(`["joined",4,…`)
}

// slowedDown is a flood that the server takes at its own pace, and answers all the same.
func slowedDown(t *testing.T, a *attacked) {
	const changes = 20
	c := a.attacker(t, "own")
	start := a.options.clock.Now()
	for number := range changes {
		c.say(fmt.Sprintf(`["merge",1,%d,0,{"p":"%s"}]`, number+1, strings.Repeat("x", 300)))
	}
	c.seek(fmt.Sprintf(`["accepted",1,%d,%d]`, changes, changes))
	limits := a.options.Limits
	least := 0.0 // seconds; a second's worth of bytes may come at once
	if limits.FramesPerSecond > 0 {
		least = float64(changes-limits.FrameBurst-1) / float64(limits.FramesPerSecond)
	}
	if limits.BytesPerSecond > 0 {
		least = float64((changes-1)*300-limits.BytesPerSecond) / float64(limits.BytesPerSecond)
	}
	if took := a.options.clock.Now().Sub(start).Seconds(); took < least {
		t.Errorf("it took %v s, want at least %v", took, least)
	}
}

func carryMuch(t *testing.T, a *attacked) {
	if _, err := a.UpdateStateValue(t.Context(), "own", map[string]any{"l": []int{1, 2, 3}}); err != nil {
		t.Fatal(err)
	}
	c := a.attacker(t, "own")
	for range 11 {
		if _, err := a.PatchState(t.Context(), "own", patchOf(t, `[{"op":"add","path":"/l/-","value":4}]`)); err != nil {
			t.Fatal(err)
		}
	}
	c.say(`["patch",1,1,1,[["remove",["l",0]]]]`)
	c.expectRefusal(1, protocol.CodeBaseTooOld)
}
