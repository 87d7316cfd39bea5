package server

import "testing"

func TestChangeReachesEverybody(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "chat", InitialValue: map[string]any{"n": 1}})
	a, b := f.client("a"), f.joined("b", "chat")
	a.send(`["join",7,"chat"]`)
	a.expect(`["joined",7,"` + f.state("chat").epoch + `",0,0,[],{"n":1}]`)
	a.send(`["merge",7,1,0,{"n":2}]`)
	a.expect(`["accepted",7,1,1]`)
	b.expect(`["entries",1,1,[["add",["n"],2]]]`)
	b.send(`["patch",1,1,1,[["increment",["n"],5],["add",["list"],[1]]]]`, `["merge",1,2,1,{"x":true}]`)
	b.expect(`["accepted",1,1,2]`, `["accepted",1,2,3]`)
	a.expect(`["entries",7,2,[["increment",["n"],5],["add",["list"],[1]]],[["add",["x"],true]]]`)
	if got, want := f.value("chat"), `{"list":[1],"n":7,"x":true}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
