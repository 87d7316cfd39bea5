package server

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// tableAttacks fill the tables of the server.
var tableAttacks = []attack{
	{"Connections", "more than there may be", Options{Limits: Limits{Connections: 4}}, connectTooMany},
	{"Sessions", "more than there may be", Options{Limits: Limits{Sessions: 3}}, holdSessions},
	{"Sessions", "strangers that come and go", Options{Limits: Limits{Sessions: 20}}, leaveSessions},
	{"States", "more than clients may bring about", Options{Limits: Limits{States: 6}, OnMissingState: makeAny}, bringAbout},
}

func makeAny(_ context.Context, identifier string, _ any) (StateOptions, error) {
	return StateOptions{}, nil
}

// connectTooMany leaves no place for others, who are told so; a place that is given back can be had.
func connectTooMany(t *testing.T, a *attacked) {
	var held []*stranger
	for range 3 {
		held = append(held, enter(t, a.StateSyncer))
	}
	for range 20 {
		c := enter(t, a.StateSyncer, text(rawHello))
		if message := c.hear(`["bye",4003,…`); strings.HasSuffix(message, ",0]") {
			t.Errorf("got %s, without advice", message)
		} else {
			c.waiting = append([]string{message}, c.waiting...)
		}
		c.expectEnd(protocol.CodeOverloaded)
	}
	for _, c := range held {
		_ = c.Close()
	}
	a.expectConnections(1)
}

// holdSessions keeps as many as there may be.
func holdSessions(t *testing.T, a *attacked) {
	var held []*stranger
	for i := range 2 {
		held = append(held, introduced(t, a.StateSyncer, fmt.Sprint("held", i)))
	}
	enter(t, a.StateSyncer, text(rawHello)).expectEnd(protocol.CodeOverloaded)
	if got := a.Stats().Sessions; got != 3 {
		t.Errorf("%d sessions", got)
	}
	for _, c := range held {
		_ = c.Close()
	}
	a.expectConnections(1)
}

// leaveSessions makes sessions and goes.
func leaveSessions(t *testing.T, a *attacked) {
	for i := range 100 {
		c := introduced(t, a.StateSyncer, fmt.Sprint("stranger", i), "own")
		_ = c.Close()
	}
	if got := a.Stats().Sessions; got > 20 {
		t.Errorf("%d sessions", got)
	}
}

// bringAbout joins states that do not exist yet.
func bringAbout(t *testing.T, a *attacked) {
	c := a.attacker(t, "s")
	c.say(`["join",2,"new 1"]`)
	c.hear(`["joined",2,…`)
	c.say(`["join",3,"new 2"]`)
	c.hear(`["joined",3,…`)
	for i := range 100 {
		c.say(fmt.Sprintf(`["join",%d,"beyond %d"]`, i+10, i))
		c.expectClosed(uint32(i+10), protocol.CodeOverloaded)
	}
	if got := a.Stats().States; got != 6 {
		t.Errorf("%d states", got)
	}
}
