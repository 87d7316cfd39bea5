package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// nested is a value of so many levels.
func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func merge(value string) string { return `["merge",1,1,0,{"p":` + value + `}]` }

func patch(ops string) string { return `["patch",1,1,0,[` + ops + `]]` }

// listOf is text, so many times, with commas.
func listOf(text string, times int) string {
	return strings.TrimSuffix(strings.Repeat(text+",", times), ",")
}

// manyKeys is an object of so many members.
func manyKeys(keys int) string {
	text := strings.Builder{}
	for i := range keys {
		fmt.Fprintf(&text, `%c"%d":0`, "{,"[min(i, 1)], i)
	}
	return text.String() + "}"
}

// changeAttacks are single changes and messages that ask for too much, or that are not what they should be.
var changeAttacks = []attack{
	{"Message", "a frame that is longer than it may be", Options{Limits: Limits{Message: 1000}}, thrownOut(protocol.CodeMessageTooLarge, text(merge(`"`+strings.Repeat("x", 1000)+`"`)))},
	{"Message", "a frame that says it has 2^62 bytes", Options{}, thrownOut(protocol.CodeMessageTooLarge, frameHeader(0x81, 1<<62), []byte("keys[["))},
	{"Message", "a frame whose fragments add up", Options{Limits: Limits{Message: 1000}}, thrownOut(protocol.CodeMessageTooLarge,
		fragment(0x01, strings.Repeat(" ", 600)), fragment(0x00, strings.Repeat(" ", 600)))},
	{"Message", "many frames that begin and claim a megabyte", Options{}, claimMuch},

	{"Depth", "a value of 65 levels", Options{}, changeRefused(protocol.CodeTooDeep, merge(nested(64)))},
	{"Depth", "a value of 9,000 levels", Options{}, changeRefused(protocol.CodeTooDeep, merge(nested(9000)))},
	{"Depth", "a message of 500,000 levels", Options{}, thrownOut(protocol.CodeBadMessage, text(merge(nested(500_000))))},
	{"Depth", "a message of 500,000 levels that do not end", Options{}, thrownOut(protocol.CodeBadMessage, text(strings.Repeat("[", 1_000_000)))},
	{"Depth", "a message of 200,000 objects in each other", Options{}, thrownOut(protocol.CodeBadMessage, text(merge(strings.Repeat(`{"":`, 200_000))))},
	{"Depth", "a hello of 500,000 levels", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","0123456789abcdef","a",{"x":`+nested(500_000)+`}]`))},
	{"Depth", "a path of 65 tokens", Options{}, changeRefused(protocol.CodeTooDeep, patch(`["add",[`+listOf(`"a"`, 65)+`],1]`))},

	{"Key", "a key of 769 bytes", Options{}, changeRefused(protocol.CodeKeyTooLong, merge(`{"`+strings.Repeat("k", 769)+`":1}`))},
	{"Key", "a key of a megabyte", Options{}, changeRefused(protocol.CodeKeyTooLong, `["merge",1,1,0,{"`+strings.Repeat("k", 1_000_000)+`":1}]`)},
	{"Key", "a key that is long when its escapes are resolved", Options{}, changeRefused(protocol.CodeKeyTooLong, merge(`{"`+strings.Repeat(`\u20ac`, 257)+`":1}`))},
	{"Key", "a long name in a path", Options{}, changeRefused(protocol.CodeKeyTooLong, patch(`["add",["`+strings.Repeat("k", 769)+`"],1]`))},
	{"Key", "a long name in reads", Options{}, changeRefused(protocol.CodeKeyTooLong, `["transaction",1,1,0,{},["`+strings.Repeat("k", 769)+`"],0]`)},

	{"Operations", "10,001 operations", Options{}, changeRefused(protocol.CodeTooManyOperations, patch(listOf(`["remove",["l",0]]`, 10_001)))},
	{"Operations", "100,000 operations without a form", Options{}, changeRefused(protocol.CodeInvalidPatch, patch(listOf(`[]`, 100_000)))},

	{"State", "one change that is too large", Options{Limits: Limits{State: 1000}}, changeRefused(protocol.CodeStateTooLarge, merge(`"`+strings.Repeat("x", 1000)+`"`))},
	{"State", "80,000 keys", Options{Limits: Limits{State: 500_000}}, changeRefused(protocol.CodeStateTooLarge, merge(manyKeys(80_000)))},

	{"numbers", "1e400", Options{}, changeRefused(protocol.CodeNumberOutOfRange, merge(`1e400`))},
	{"numbers", "2^53", Options{}, changeRefused(protocol.CodeNumberOutOfRange, merge(`[{"a":9007199254740992}]`))},
	{"numbers", "a million digits", Options{}, changeRefused(protocol.CodeNumberOutOfRange, merge(strings.Repeat("9", 1_000_000)))},
	{"numbers", "an increment beyond 2^53", Options{}, changeRefused(protocol.CodeNumberOutOfRange, patch(`["increment",["n"],9007199254740991],["increment",["n"],9007199254740991]`))},
	{"numbers", "an exponent of a million digits", Options{}, changeRefused(protocol.CodeNumberOutOfRange, merge("1e"+strings.Repeat("9", 1_000_000)))},

	{"Unicode", "invalid UTF-8 in a string", Options{}, thrownOut(protocol.CodeInvalidUTF8, text(merge("\"\xff\"")))},
	{"Unicode", "invalid UTF-8 in a key", Options{}, thrownOut(protocol.CodeInvalidUTF8, text(merge("{\"\xc0\xaf\":1}")))},
	{"Unicode", "a lone surrogate in a string", Options{}, changeRefused(protocol.CodeInvalidUnicode, merge(`"\ud800"`))},
	{"Unicode", "a lone surrogate in a key", Options{}, changeRefused(protocol.CodeInvalidUnicode, merge(`{"\udfff":1}`))},
	{"Unicode", "a lone surrogate in a path", Options{}, changeRefused(protocol.CodeInvalidUnicode, patch(`["add",["\ud83d"],1]`))},
	{"keys", "one twice", Options{}, changeRefused(protocol.CodeDuplicateKey, `["merge",1,1,0,{"n":1,"n":2}]`)},
	{"keys", "one twice, escaped", Options{}, changeRefused(protocol.CodeDuplicateKey, merge(`{"n":1,"\u006e":2}`))},
	{"keys", "__proto__", Options{}, changeRefused(protocol.CodeReservedKey, `["merge",1,1,0,{"__proto__":{"x":1}}]`)},
	{"keys", "__proto__, deep and escaped", Options{}, changeRefused(protocol.CodeReservedKey, merge(`[{"a":{"\u005f_proto__":1}}]`))},
	{"keys", "__proto__ in a path", Options{}, changeRefused(protocol.CodeReservedKey, patch(`["add",["__proto__","x"],1]`))},

	{"envelope", "a tag in another case", Options{}, thrownOut(protocol.CodeBadMessage, text(`["Merge",1,1,0,{"n":1}]`))},
	{"envelope", "a tag with an escape", Options{}, thrownOut(protocol.CodeBadMessage, text(`["m\u0065rge",1,2,0,{"n":1}]`))},
	{"envelope", "an object", Options{}, thrownOut(protocol.CodeBadMessage, text(`{"type":"merge","n":1}`))},
	{"envelope", "one field more", Options{}, thrownOut(protocol.CodeBadMessage, text(`["merge",1,1,0,{"n":1},{"n":2}]`))},
	{"envelope", "a number of 2^63", Options{}, thrownOut(protocol.CodeBadMessage, text(`["merge",1,9223372036854775808,0,{}]`))},
	{"envelope", "a negative number", Options{}, thrownOut(protocol.CodeBadMessage, text(`["merge",-1,1,0,{}]`))},
	{"envelope", "a number with a fraction", Options{}, thrownOut(protocol.CodeBadMessage, text(`["merge",1.0,1,0,{}]`))},
	{"envelope", "an extension twice", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","0123456789abcdef","a",{"connection":2,"connection":1}]`))},
	{"envelope", "an extension twice, escaped", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","0123456789abcdef","a",{"connection":2,"\u0063onnection":1}]`))},
	{"envelope", "an extension in another case", Options{}, extensionsInAnotherCase},
	{"envelope", "a million empty lines", Options{}, thrownOut(protocol.CodeBadMessage, text(strings.Repeat("\n", 1_000_000)))},
	{"envelope", "100,000 messages to a state that is not there", Options{}, thrownOut(protocol.CodeBadMessage, text(strings.TrimSpace(strings.Repeat("[\"leave\",7]\n", 80_000))))},

	{"identifiers", "a state's of 257 bytes", Options{}, refusedJoin(protocol.CodeIdentifierInvalid, strings.Repeat("x", 257))},
	{"identifiers", "a state's of a megabyte", Options{}, refusedJoin(protocol.CodeIdentifierInvalid, strings.Repeat("x", 1_000_000))},
	{"identifiers", "a state's of 300 bytes in 100 characters", Options{}, refusedJoin(protocol.CodeIdentifierInvalid, strings.Repeat("€", 100))},
	{"identifiers", "an empty one", Options{}, refusedJoin(protocol.CodeIdentifierInvalid, "")},
	{"identifiers", "a control character", Options{}, refusedJoin(protocol.CodeIdentifierInvalid, `a\u0000b`)},
	{"identifiers", "a lone surrogate", Options{}, refusedJoin(protocol.CodeIdentifierInvalid, `a\ud800b`)},
	{"identifiers", "a client's of 257 bytes", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","0123456789abcdef","`+strings.Repeat("x", 257)+`",{}]`))},
	{"identifiers", "a client's with a line break", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","0123456789abcdef","a\nb",{}]`))},
	{"identifiers", "a session of 65 characters", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","`+strings.Repeat("x", 65)+`","a",{}]`))},
	{"identifiers", "a session of 15 characters", Options{}, thrownOutAtOnce(protocol.CodeBadMessage, text(`["hello","0123456789abcde","a",{}]`))},
	{"identifiers", "an epoch of 65 characters", Options{}, thrownOut(protocol.CodeBadMessage, text(`["join",2,"own","`+strings.Repeat("x", 65)+`",0,0]`))},
}

// refusedJoin is a client whose join of a state with the identifier is refused; the connection goes on.
func refusedJoin(code protocol.Code, identifier string) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := a.attacker(t, "s")
		c.say(`["join",2,"` + identifier + `"]`)
		c.expectClosed(2, code)
		c.say(`["join",3,"own"]`)
		c.hear(`["joined",3,…`)
	}
}

// expectClosed reads a message, which ends a state with the code and a sentence.
func (c *stranger) expectClosed(n uint32, code protocol.Code) {
	c.Helper()
	message := c.hear(fmt.Sprintf(`["closed",%d,%d,…`, n, code))
	_ = protocol.DecodeServer([]byte(message), protocol.Limits{}, func(m protocol.ServerMessage) error {
		if got := m.(protocol.Closed); !isSentence(got.Reason) {
			c.Errorf("%q is no sentence", got.Reason)
		}
		return nil
	})
}

// claimMuch begins frames that claim to be large: memory is taken by what has come.
func claimMuch(t *testing.T, a *attacked) {
	for range 100 {
		c := enter(t, a.StateSyncer)
		c.put(frameHeader(0x81, 1<<20), []byte("keys"), make([]byte, 100))
	}
}

// extensionsInAnotherCase must not be taken for those that are meant: a hello that counts fewer connections than the
// session has seen would be turned away.
func extensionsInAnotherCase(t *testing.T, a *attacked) {
	for _, extensions := range []string{`{"connection":5}`, `{"Connection":1,"CONNECTION":2,"connection":6,"connectioN":3}`} {
		c := enter(t, a.StateSyncer, text(`["hello","0123456789abcdef","a",`+extensions+`]`))
		c.hear(`["welcome",…`)
	}
}

// growthAttacks are many small changes that together would grow a state beyond what a client can read.
var growthAttacks = []attack{
	{"Depth", "many small patches, each a level deeper", Options{}, growDeep},
	{"Depth", "a copy of the whole into itself, again and again", Options{}, grow(`["copy",[],["a"]]`, protocol.CodeTooDeep)},
	{"State", "a copy that doubles an array", Options{Limits: Limits{State: 1 << 20}}, grow(`["copy",["a"],["a","-"]]`, protocol.CodeStateTooLarge)},
	{"State", "a copy that doubles text", Options{Limits: Limits{State: 1 << 20}}, grow(`["copy",["a",0],["a","-"]],["copy",["a"],["b"]],["move",["b"],["a",0]]`, protocol.CodeStateTooLarge)},
	{"State", "a thousand appends of a kilobyte each", Options{Limits: Limits{State: 100_000}}, grow(`["add",["a","-"],"`+strings.Repeat("x", 1000)+`"]`, protocol.CodeStateTooLarge)},
	{"State", "copies side by side", Options{Limits: Limits{State: 1 << 20}}, growWide},
	{"State", "keys that are each allowed", Options{Limits: Limits{State: 100_000}}, growKeys},
}

// grow sends one small patch again and again until it is refused; what came before stays within the limits.
func grow(ops string, code protocol.Code) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := a.attacker(t, "own")
		c.say(`["merge",1,1,0,{"a":["` + strings.Repeat("x", 1000) + `"]}]`)
		c.hear(`["accepted",1,1,1]`)
		growUntil(t, a, c, code, func(int) string { return ops })
	}
}

// growUntil sends patches until one is refused, which must be with the code.
func growUntil(t *testing.T, a *attacked, c *stranger, code protocol.Code, ops func(i int) string) {
	t.Helper()
	number := uint64(2)
	for ; number < 2000; number++ {
		c.say(fmt.Sprintf(`["patch",1,%d,%d,[%s]]`, number, number-1, ops(int(number))))
		message, err := c.message()
		if err != nil {
			t.Fatal(err)
		}
		if matches(message, `["refused",…`) {
			c.waiting = append([]string{message}, c.waiting...)
			break
		}
	}
	c.expectRefusal(number, code)
	value, _ := a.GetValueOfState("own")
	limits := a.options.Limits
	again, err := document.Parse([]byte(value.String()), document.Limits{Bytes: limits.State, Depth: limits.Depth, KeyBytes: limits.Key})
	if err != nil || !again.Equal(value) || value.Size() > limits.State || value.Depth() > limits.Depth {
		t.Errorf("a state of %d bytes and %d levels was accepted, which reads as %v", value.Size(), value.Depth(), err)
	}
}

func growDeep(t *testing.T, a *attacked) {
	c := a.attacker(t, "own")
	c.say(`["merge",1,1,0,{"a":{}}]`)
	c.hear(`["accepted",1,1,1]`)
	growUntil(t, a, c, protocol.CodeTooDeep, func(i int) string { return `["add",[` + listOf(`"a"`, i) + `],{}]` })
	if value, _ := a.GetValueOfState("own"); value.Depth() != 64 {
		t.Errorf("got %d levels, want 64", value.Depth())
	}
}

func growWide(t *testing.T, a *attacked) {
	c := a.attacker(t, "own")
	c.say(`["merge",1,1,0,{"a":{"a":"` + strings.Repeat("x", 1000) + `"}}]`)
	c.hear(`["accepted",1,1,1]`)
	growUntil(t, a, c, protocol.CodeStateTooLarge, func(i int) string {
		return fmt.Sprintf(`["copy",["a"],["%d"]],["copy",["%d"],["a%d"]]`, i, i, i)
	})
}

func growKeys(t *testing.T, a *attacked) {
	c := a.attacker(t, "own")
	c.say(`["merge",1,1,0,{}]`)
	c.hear(`["accepted",1,1,1]`)
	growUntil(t, a, c, protocol.CodeStateTooLarge, func(i int) string { return fmt.Sprintf(`["add",["%0700d"],%d]`, i, i) })
}
