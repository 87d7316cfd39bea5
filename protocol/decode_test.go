package protocol

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

func TestFrameIsReadInOrderUpToTheFault(t *testing.T) {
	got, err := decodeFrom("client", "[\"leave\",1]\n[\"pong\"]\n[\"leave\"]\n[\"leave\",2]", Limits{})
	if want := []Message{Leave{N: 1}, Pong{}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	wantError(t, err, &Error{CodeBadMessage, "leave: the message ends after 0 elements, and it takes n"})
}

func TestYieldEndsTheDecoding(t *testing.T) {
	stop, calls := errors.New("enough"), 0
	err := DecodeServer([]byte("[\"ping\"]\n[\"ping\"]\nnonsense"), Limits{}, func(ServerMessage) error {
		calls++
		if calls == 2 {
			return stop
		}
		return nil
	})
	if err != stop || calls != 2 {
		t.Errorf("got %v after %d messages, want %v after 2", err, calls, stop)
	}
}

func TestChangesSayTheirSize(t *testing.T) {
	texts := []string{`["merge",1,1,0,{"a":1}]`, ` ["patch",1,2,0,[["nonsense"]]]`, `["transaction",1,3,0,{"a":"é"},null,2]`}
	messages, err := decodeFrom("client", strings.Join(texts, "\n"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range messages {
		var got int
		switch m := m.(type) {
		case Merge:
			got = m.Size
		case Patch:
			got = m.Size
		case Transaction:
			got = m.Size
		}
		if want := len(texts[i]); got != want {
			t.Errorf("%s: got the size %d, want %d", texts[i], got, want)
		}
	}
}

func TestMessagesDoNotReferToTheFrame(t *testing.T) {
	const text = `["catchup",1,1,2,{"key":"value"},["removed"],3,[[1,0,4300,"reason"]]]` + "\n" +
		`["entries",1,3,[["add",["name","other"],{"key":["value"]}]]]` + "\n" + `["joined",1,"epoch",4,0]`
	frame := []byte(text)
	var messages []ServerMessage
	err := DecodeServer(frame, Limits{}, func(m ServerMessage) error { messages = append(messages, m); return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range frame {
		frame[i] = '!'
	}
	var again []string
	for _, m := range messages {
		again = append(again, string(Append(nil, m)))
	}
	if got := strings.Join(again, "\n"); got != text {
		t.Errorf("got %s\nwant %s", got, text)
	}
}

// A server that allows more than the defaults is not cut off by its clients.
func TestClientsReadWhatServersWithLargerLimitsSend(t *testing.T) {
	deep := strings.Repeat("[", 999) + strings.Repeat("]", 999)
	large := `"` + strings.Repeat("x", 9<<20) + `"`
	for _, text := range []string{
		`["snapshot",1,1,{"a":` + deep + `},0,[]]`,
		`["snapshot",1,1,{"a":` + large + `},0,[]]`,
		`["snapshot",1,1,{"` + strings.Repeat("k", 5000) + `":1},0,[]]`,
		`["entries",1,1,[["remove",["a"]]` + strings.Repeat(`,["remove",["a"]]`, 20_000) + `]]`,
	} {
		if _, err := decodeFrom("server", text, Limits{}); err != nil {
			t.Errorf("%.60s...: %v", text, err)
		}
	}
}

func TestNestingBeyondTheDecoderEndsTheConnection(t *testing.T) {
	nested := func(levels int) string {
		return `["merge",1,1,0,` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `]`
	}
	messages, err := decodeFrom("client", nested(MaxNesting), Limits{})
	if err != nil || len(messages) != 1 || faultOf(messages[0]) == nil {
		t.Errorf("%d levels: got %d messages and %v, want one with a fault", MaxNesting, len(messages), err)
	}
	_, err = decodeFrom("client", nested(MaxNesting+1), Limits{})
	wantError(t, err, &Error{CodeBadMessage, "merge: the text nests deeper than 10000 levels"})
	_, err = decodeFrom("client", `["merge",1,1,0,{"a\"[{":"]`, Limits{})
	wantError(t, err, &Error{CodeBadMessage, "merge: the text is not JSON from byte 26 on"})
}

// Text frames are UTF-8 by RFC 6455, and transports hold that; the codec does not rely on it.
func TestInvalidUTF8(t *testing.T) {
	_, err := decodeFrom("client", "[\"hello\",\""+session+"\",\"a\xff\",{}]", Limits{})
	wantError(t, err, &Error{CodeBadMessage, "hello: clientIdentifier (element 2) must be " + identifierRule + ", not \"a\uFFFD\""})
	for text, want := range map[string]*Error{
		"[\"join\",1,\"\xc3\"]":                       {CodeIdentifierInvalid, "identifier (element 2) must be " + identifierRule + ", not \"\uFFFD\""},
		"[\"merge\",1,1,0,{\"a\":\"\xc3\x28\"}]":      {CodeInvalidUnicode, "updates (element 4): invalid UTF-8 at byte 6"},
		"[\"patch\",1,1,0,[[\"test\",[\"\xff\"],1]]]": {CodeInvalidUnicode, "operation 0: the name \"\uFFFD\" has invalid UTF-8 or a lone surrogate"},
	} {
		messages, err := decodeFrom("client", text, Limits{})
		if err != nil || len(messages) != 1 {
			t.Errorf("%q: got %d messages and %v, want one", text, len(messages), err)
			continue
		}
		wantError(t, faultOf(messages[0]), want)
	}
}

func TestReasonsAreCutWhenSent(t *testing.T) {
	for _, reason := range []string{
		strings.Repeat("x", ReasonBytes), strings.Repeat("x", ReasonBytes+1), strings.Repeat("é", ReasonBytes),
		"x" + strings.Repeat("é", ReasonBytes), strings.Repeat("\xff", 2*ReasonBytes), "a\x00\"\\\n",
	} {
		m := decodeOne(t, "server", string(Append(nil, Closed{N: 1, Code: CodeNotAllowed, Reason: reason}))).(Closed)
		clean := strings.ToValidUTF8(reason, "\uFFFD")
		if !strings.HasPrefix(clean, m.Reason) || len(m.Reason) < min(len(clean), ReasonBytes-1) {
			t.Errorf("%.20q: got %d bytes, %.20q", reason, len(m.Reason), m.Reason)
		}
	}
}

func TestIncompleteMessagesAreStillJSON(t *testing.T) {
	for text, m := range map[string]Message{
		`["merge",1,2,3,{}]`:                      Merge{Change: Change{N: 1, Number: 2, Base: 3}},
		`["transaction",1,2,3,{},[],0]`:           Transaction{Change: Change{N: 1, Number: 2, Base: 3}},
		`["patch",1,2,3,[]]`:                      Patch{Change: Change{N: 1, Number: 2, Base: 3}},
		`["catchup",1,2,3,{},[],4,[]]`:            Catchup{N: 1, From: 2, To: 3, Mark: 4},
		`["snapshot",1,2,{},3,[]]`:                Snapshot{N: 1, Version: 2, Mark: 3},
		`["accepted",1,2,3]`:                      Accepted{N: 1, Number: 2, Version: 3},
		`["patch",1,2,3,[["add",["a"],null]]]`:    Patch{Change: Change{N: 1, Number: 2, Base: 3}, Ops: []document.Op{{Kind: document.Add, Path: document.Path{document.Key("a")}}}},
		`["closed",1,4200,"a\ufffd"]`:             Closed{N: 1, Code: 4200, Reason: "a\xff"},
		`["entries",1,2,[["remove",["\ufffd"]]]]`: Entries{N: 1, Version: 2, Ops: [][]document.Op{{{Kind: document.Remove, Path: document.Path{document.Key("\xff")}}}}},
	} {
		text = strings.ReplaceAll(text, `\ufffd`, "\uFFFD")
		if got := string(Append([]byte("before "), m)); got != "before "+text {
			t.Errorf("got %s, want %s behind what was there", got, text)
		}
	}
}

// A server that encodes a change once for all its subscribers sends what Append would have sent.
func TestSharedEncodingIsThatOfTheMessage(t *testing.T) {
	ops := []document.Op{{Kind: document.Add, Path: document.Path{document.Key("a"), document.Elem(0)}, Value: document.MustOf("x")}}
	encoded := string(AppendOps(nil, ops))
	value := document.MustOf(map[string]any{"a": []any{"x"}})
	joined := Joined{N: 3, Epoch: "e", Version: 7, Mark: 2, Verdicts: []Verdict{{Number: 2, Version: 7}}, Value: value}
	for _, c := range []struct {
		got  string
		want Message
	}{
		{string(AppendEntriesHeader(nil, 3, 7)) + "," + encoded + "," + encoded + "]", Entries{N: 3, Version: 7, Ops: [][]document.Op{ops, ops}}},
		{string(AppendAcceptedHeader(nil, 3, 2, 7)) + "]", Accepted{N: 3, Number: 2, Version: 7}},
		{string(AppendAcceptedHeader(nil, 3, 2, 7)) + "," + encoded + "]", Accepted{N: 3, Number: 2, Version: 7, Ops: ops}},
		{string(AppendJoinedHeader(nil, joined)) + "," + value.String() + "]", joined},
	} {
		if want := string(Append(nil, c.want)); c.got != want {
			t.Errorf("got %s, want %s", c.got, want)
		}
	}
}

func TestDecodeOps(t *testing.T) {
	const text = `[["add",["a",0],{"b":1}],["move",["a",0],["c"]]]`
	ops, err := DecodeOps([]byte(text), Limits{})
	if err != nil || string(AppendOps(nil, ops)) != text {
		t.Errorf("got %s and %v, want %s", AppendOps(nil, ops), err, text)
	}
	for text, want := range map[string]*Error{
		``:                      {CodeInvalidJSON, "the text is not JSON from byte 0 on"},
		`[["add"`:               {CodeInvalidJSON, "the text is not JSON from byte 7 on"},
		`[] []`:                 {CodeInvalidJSON, "more text follows at byte 2"},
		`{}`:                    {CodeInvalidPatch, "the text must be an array of operations, not an object"},
		`[["nonsense"]]`:        {CodeInvalidPatch, `operation 0: "nonsense" is no kind of operation`},
		`[["nonsense"]] x`:      {CodeInvalidJSON, "more text follows at byte 14"},
		`[["add",["a"],1e999]]`: {CodeNumberOutOfRange, "operation 0: the number 1e999 is beyond what a double holds exactly"},
	} {
		_, err := DecodeOps([]byte(text), Limits{})
		wantError(t, err, want)
	}
	_, err = DecodeOps([]byte(text), Limits{Bytes: 10})
	wantError(t, err, &Error{CodeTooLarge, "the operations have 48 bytes, and 10 are allowed"})
}

func wantError(t *testing.T, err error, want *Error) {
	t.Helper()
	var got *Error
	if !errors.As(err, &got) || *got != *want {
		t.Errorf("got %v\nwant %v", err, want)
	}
}
