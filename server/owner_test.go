package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// holder is one and the same client with changing rights.
type holder struct{ rights string }

func (holder) Subject() string { return "somebody" }

// panicking is clientInformation that cannot say whose it is.
type panicking struct{}

func (*panicking) Subject() string { panic("no subject") }

func TestSessionBelongsToWhomItWasAuthorizedFor(t *testing.T) {
	for i, test := range []struct {
		first, second any
		resumed       bool
	}{
		{nil, nil, true},
		{user("alice"), user("alice"), true},
		{user("alice"), user("bob"), false},
		{user("alice"), nil, false},
		{nil, user("alice"), false},
		{holder{"read"}, holder{"write"}, true},
		{"claims of one token", "claims of the next", true},
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
type unmarshalable struct{}

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

// A subject is any text that the program has, also one that JSON cannot write.
func TestSessionOfASubjectThatIsNoUTF8IsItsOwnAfterARestart(t *testing.T) {
	f := kept(t, StateOptions{})
	for _, subject := range []user{"\xff\xfe", "\xff"} {
		w := f.dial(subject)
		w.send(`["hello","`+sessionNamed(fmt.Sprintf("%x", string(subject)))+`","page",{}]`, `["join",1,"s"]`)
		w.recv()
		w.send(`["merge",1,1,0,{"n":1}]`)
	}
	f = f.restart(Options{})
	for of, subject := range map[user]user{"\xff\xfe": "\xff", "\xff": "\uFFFD"} {
		w := f.dial(subject)
		w.send(`["hello","` + sessionNamed(fmt.Sprintf("%x", string(of))) + `","page",{}]`)
		w.expect(`["bye",4107,"the session belongs to another client",0]`)
		w = f.dial(of)
		w.send(`["hello","` + sessionNamed(fmt.Sprintf("%x", string(of))) + `","page",{}]`)
		if got := w.recv(); len(got) != 1 || !strings.HasPrefix(got[0], `["welcome",`) {
			t.Errorf("its own client got %q", got)
		}
	}
}
