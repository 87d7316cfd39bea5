package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// holder is one and the same client with changing rights.
type holder struct{ rights string }

func (holder) Subject() string { return "somebody" }

// panicking is clientInformation that cannot say whose it is.
type panicking struct{}

func (*panicking) Subject() string { panic("no subject") }

func TestSessionBelongsToWhomItWasAuthorizedFor(t *testing.T) {
	type login struct {
		Name string
		Room [2]int
		More any
	}
	for i, test := range []struct {
		first, second any
		resumed       bool
	}{
		{nil, nil, true},
		{"alice", "alice", true},
		{"alice", "bob", false},
		{7, 7, true},
		{7, int64(7), false},
		{nil, "alice", false},
		{user("alice"), user("alice"), true},
		{user("alice"), "alice", false},
		{holder{"read"}, holder{"write"}, true},
		{login{"alice", [2]int{1, 2}, "x"}, login{"alice", [2]int{1, 2}, "x"}, true},
		{login{"alice", [2]int{1, 2}, "x"}, login{"alice", [2]int{1, 3}, "x"}, false},
		{login{"alice", [2]int{1, 2}, nil}, login{"alice", [2]int{1, 2}, 1}, false},
		{&login{Name: "alice"}, &login{Name: "bob"}, true}, // says nothing: only the clientIdentifier counts
		{map[string]string{"name": "alice"}, map[string]string{"name": "bob"}, true},
		{login{More: []int{1}}, login{More: []int{1}}, true},
		{struct{ At time.Time }{time.Unix(1, 0)}, struct{ At time.Time }{time.Unix(2, 0)}, true},
		{&login{}, nil, false},
		{&login{}, "alice", false},
	} {
		f := newFixture(t, Options{})
		a := f.dial(test.first)
		a.send(rawHello)
		a.recv()
		a.peer.disconnect()
		a = f.dial(test.second)
		a.send(rawHello)
		if got := a.recv(); strings.HasPrefix(got[0], `["welcome",`) != test.resumed {
			t.Errorf("%d: %v, then %v: got %s, want resumed %v", i, test.first, test.second, got, test.resumed)
		}
	}
}

func TestSubjectThatPanicsIsRefused(t *testing.T) {
	s := listen(t, Options{Authorize: func(*http.Request) (any, error) { return &panicking{}, nil }})
	c := dialRaw(t, s, nil)
	if got, want := c.recv(), `["bye",4100,"the server could not check the access token",0]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// unmarshalable is a value whose making panics.
type unmarshalable struct{ text string }

func (unmarshalable) MarshalJSON() ([]byte, error) { panic("no text") }

func TestInitialValueOfAMissingStateThatPanicsIsAnError(t *testing.T) {
	s := listen(t, Options{OnMissingState: missingWith(unmarshalable{})})
	c := dialRaw(t, s, nil)
	c.send(rawHello, `["join",1,"s"]`)
	got := c.recv()
	for !strings.Contains(got, "closed") {
		got = c.recv()
	}
	if want := `["closed",1,4205,`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := s.CreateState(StateOptions{InitialValue: []int{}}); errors.Is(err, ErrStateExists) || err == nil {
		t.Error(fmt.Errorf("the server goes on: %w", err))
	}
}

func missingWith(value any) func(context.Context, string, any) (StateOptions, error) {
	return func(context.Context, string, any) (StateOptions, error) {
		return StateOptions{InitialValue: value}, nil
	}
}
