package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/protocol"
)

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

func TestConcurrentAppendsAreBothKept(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "chat", InitialValue: map[string]any{"m": []any{}}})
	a, b := f.joined("a", "chat"), f.joined("b", "chat")
	a.send(`["patch",1,1,0,[["add",["m","-"],"from a"]]]`)
	b.send(`["patch",1,1,0,[["add",["m","-"],"from b"]]]`)
	a.expect(`["accepted",1,1,1]`, `["entries",1,2,[["add",["m",1],"from b"]]]`)
	b.expect(`["entries",1,1,[["add",["m",0],"from a"]]]`, `["accepted",1,1,2]`)
}

func TestMergeOfAnAppendedArrayIsSentAsOneAppend(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "chat", InitialValue: map[string]any{"m": []any{"some words", "more words"}}})
	a, b := f.joined("a", "chat"), f.joined("b", "chat")
	a.send(`["merge",1,1,0,{"m":["some words","more words","last words"]}]`)
	b.expect(`["entries",1,1,[["add",["m",2],"last words"]]]`)
}

func TestPositionsAreCarriedOverWhatCameBetween(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"l": []any{"a", "b", "c"}}})
	a, b := f.joined("a", "s"), f.joined("b", "s")
	a.send(`["patch",1,1,0,[["add",["l",0],"first"],["remove",["l",3]]]]`)
	b.send(`["patch",1,1,0,[["replace",["l",1],"B"]]]`, `["patch",1,2,0,[["replace",["l",2],"C"]]]`)
	b.expect(
		`["entries",1,1,[["add",["l",0],"first"],["remove",["l",3]]]]`,
		`["accepted",1,1,2]`,
		`["refused",1,2,4400,…`)
	if got, want := f.value("s"), `{"l":["first","a","B"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefusalsStandAfterTheVersionOnWhichTheyWereJudged(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 1}})
	a, b := f.joined("a", "s"), f.joined("b", "s")
	a.send(`["merge",1,1,0,{"n":2}]`)
	b.send(`["patch",1,1,0,[["test",["n"],1]]]`, `["patch",1,2,0,[["remove",["no"]]]]`)
	a.send(`["merge",1,2,0,{"n":3}]`)
	b.send(`["merge",1,3,0,{"n":4}]`)
	b.expect(
		`["entries",1,1,[["add",["n"],2]]]`,
		`["refused",1,1,4315,…`,
		`["refused",1,2,4313,…`,
		`["entries",1,2,[["add",["n"],3]]]`,
		`["accepted",1,3,3]`)
}

func TestChangesThatAreRefusedBeforeTheyAreJudged(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{Operations: 2, Depth: 3, Key: 8, State: 100}})
	f.create(StateOptions{Identifier: "s"})
	long := strings.Repeat("x", 100)
	for i, test := range []struct {
		change string
		code   protocol.Code
	}{
		{`["patch",1,%d,0,[["remove",["a"]],["remove",["a"]],["remove",["a"]]]]`, protocol.CodeTooManyOperations},
		{`["merge",1,%d,0,{"a":{"b":{"c":{}}}}]`, protocol.CodeTooDeep},
		{`["merge",1,%d,0,{"a23456789":1}]`, protocol.CodeKeyTooLong},
		{`["merge",1,%d,0,{"__proto__":1}]`, protocol.CodeReservedKey},
		{`["merge",1,%d,0,{"a":1,"a":2}]`, protocol.CodeDuplicateKey},
		{`["merge",1,%d,0,{"a":9007199254740993}]`, protocol.CodeNumberOutOfRange},
		{`["merge",1,%d,0,{"a":"\ud800"}]`, protocol.CodeInvalidUnicode},
		{`["merge",1,%d,0,{"a":"` + long + `"}]`, protocol.CodeStateTooLarge},
		{`["patch",1,%d,0,[["add",[],[1]]]]`, protocol.CodePatchFailed},
		{`["patch",1,%d,0,[["test",["a"],1]]]`, protocol.CodePathNotFound},
	} {
		w := f.joined(fmt.Sprint("client", i), "s")
		w.send(fmt.Sprintf(test.change, 1), `["merge",1,2,0,{}]`)
		got := w.recv()
		if want := fmt.Sprintf(`["refused",1,1,%d,`, test.code); len(got) != 2 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: got %q, want %s", test.change, got, want)
		}
	}
	if got, want := f.value("s"), `{}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestStatesThatHaveMoreAreTakenInTurn(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "busy"})
	f.create(StateOptions{Identifier: "calm"})
	w := f.joined("w", "busy")
	w.send(`["join",2,"calm"]`)
	w.recv()
	for i := range 100 {
		f.update("busy", map[string]any{"p": strings.Repeat("x", 1000) + fmt.Sprint(i)})
	}
	f.update("calm", map[string]any{"n": 1})
	for i, line := range w.recv() {
		if strings.HasPrefix(line, `["entries",2,`) {
			if i > 2 {
				t.Errorf("the other state's turn came after %d messages", i)
			}
			return
		}
	}
	t.Error("the other state's turn never came")
}

func TestMessagesThatEndTheConnection(t *testing.T) {
	joined := []string{`["join",1,"s"]`}
	for _, test := range []struct {
		name   string
		before []string
		last   string
		code   protocol.Code
		reason string
	}{
		{"not JSON", nil, `{`, protocol.CodeBadMessage, `merge is not`},
		{"hello twice", nil, `["hello","0123456789abcdef","a",{}]`, protocol.CodeBadMessage, "hello came twice"},
		{"unknown state", nil, `["leave",1]`, protocol.CodeBadMessage, "state 1 was never joined"},
		{"change to unknown state", nil, `["merge",1,1,0,{}]`, protocol.CodeBadMessage, "state 1 was never joined"},
		{"number in use", joined, `["join",1,"other"]`, protocol.CodeBadMessage, "state 1 is joined already"},
		{"state joined twice", joined, `["join",2,"s"]`, protocol.CodeBadMessage, "the state is joined already as state 1"},
		{"change before joined", nil, "[\"join\",1,\"s\"]\n[\"merge\",1,1,0,{}]", protocol.CodeBadMessage, "a change to state 1 came before its joined"},
		{"gap in numbers", joined, `["merge",1,2,0,{}]`, protocol.CodeBadMessage, "change 2 came after change 0"},
		{"base ahead", joined, `["merge",1,1,1,{}]`, protocol.CodeBadMessage, "change 1 is based on version 1, and version 0 was sent"},
		{"answer foreseen", joined, `["transaction",1,1,0,{},[],1]`, protocol.CodeBadMessage, "transaction 1 has seen the answer to 1, and 0 were answered"},
		{"too large", nil, `["leave",` + strings.Repeat(" ", 1<<20) + `1]`, protocol.CodeMessageTooLarge, "the frame has 1048587 bytes, and 1048576 are allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, Options{})
			f.create(StateOptions{Identifier: "s"})
			f.create(StateOptions{Identifier: "other"})
			w := f.client("w")
			for _, message := range test.before {
				w.send(message)
				w.recv()
			}
			w.send(test.last)
			got := w.recv()
			want := fmt.Sprintf(`["bye",%d,"%s",0]`, test.code, test.reason)
			if test.name == "not JSON" {
				want = `["bye",4103,`
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], want) {
				t.Errorf("got %q, want %s", got, want)
			}
			w.send(`["join",9,"s"]`)
			w.expect()
		})
	}
}

func TestFirstMessageIsHello(t *testing.T) {
	f := newFixture(t, Options{})
	w := f.dial(nil)
	w.send(`["pong"]`)
	w.expectBye(protocol.CodeBadMessage, "the first message is not hello")
}

func TestWhatIsSentToAStateThatHasEndedIsVoid(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	w := f.joined("w", "s")
	if !f.RemoveState("s") {
		t.Error("the state was not there")
	}
	w.send(`["merge",1,1,0,{}]`)
	w.expect(`["closed",1,4202,"the server removed it"]`)
	w.send(`["merge",1,1,0,{}]`, `["leave",1]`)
	w.expect()
	f.create(StateOptions{Identifier: "s"})
	w.send(`["join",1,"s"]`)
	w.expect(`["joined",1,"` + f.state("s").epoch + `",0,0,[],{}]`)
}
