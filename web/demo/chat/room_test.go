package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func room(ids ...string) document.Value {
	var messages []any
	for _, id := range ids {
		messages = append(messages, message{id: id, from: "Ann", text: "t" + id, at: 1}.value())
	}
	return document.MustOf(messages)
}

func TestOwnMessagesAreMarkedUntilTheServerHasThem(t *testing.T) {
	mine := []*own{
		{message: message{id: "b"}},
		{message: message{id: "x", text: "refused"}, refused: "too long"},
		{message: message{id: "y", text: "not there yet"}},
	}
	var got string
	for _, it := range itemsOf(room("a", "b", "c"), mine, 0) {
		got += fmt.Sprint(it.id, ":", it.state, ":", it.reason, " ")
	}
	if want := "a:sent: b:pending: c:sent: x:refused:too long y:pending: "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := itemsOf(room("a", "b", "c"), nil, 2); len(got) != 1 || got[0].text != "tc" {
		t.Errorf("from the third on: %+v", got)
	}
}

func TestTheListDoesNotShiftWithEveryMessage(t *testing.T) {
	for messages, want := range map[int]int{0: 0, 249: 0, 250: 50, 299: 50, 300: 100, 1000: 800} {
		if got := firstOf(messages, 200); got != want {
			t.Errorf("of %d messages the list begins at %d, want %d", messages, got, want)
		}
	}
}

func TestErrorsAreSentences(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{&wasmclient.Error{Code: protocol.CodeRefused, Reason: "You are too fast."}, "You are too fast."},
		{&wasmclient.Error{Code: protocol.CodeNotAllowed}, "This room is for members: open it with an access token."},
		{&wasmclient.Error{Code: protocol.CodeStateReplaced}, "The room was reset: the server has begun it anew, without what was in it."},
		{&wasmclient.Error{Code: protocol.CodeTooLarge}, protocol.CodeTooLarge.Sentence()},
		{errors.New("no network"), "no network"},
	} {
		if got := sentence(row.err); got != row.want {
			t.Errorf("%v: got %q, want %q", row.err, got, row.want)
		}
	}
}

func TestWhatIsNotSettledOutlivesAReload(t *testing.T) {
	before := []*own{{message: message{"a", "Ann", `"quoted" 😀`, 7}}, {message: message{"b", "Ann", "sent after all", 8}}}
	after := ownFrom(keepText(before))
	if len(after) != 2 || after[0].message != before[0].message || after[0].refused == "" || !after[0].submitted {
		t.Fatalf("got %+v", after)
	}
	if after = without(after, room("b")); len(after) != 1 || after[0].id != "a" {
		t.Errorf("what is in the room is not settled: %+v", after)
	}
	if got := ownFrom(""); got != nil {
		t.Errorf("of nothing: %+v", got)
	}
}
