package protocol

import (
	"errors"
	"strings"
	"testing"
)

// refusalVector: decoding text under limits is refused with code. refuses says what: the connection, or only the change
// or join, which is then identified. The reason is for people, and another implementation may word it otherwise.
type refusalVector struct {
	Name    string         `json:"name"`
	From    string         `json:"from"`
	Limits  map[string]int `json:"limits,omitempty"`
	Text    string         `json:"text"`
	Refuses string         `json:"refuses"`
	N       uint32         `json:"n,omitempty"`
	Number  uint64         `json:"number,omitempty"`
	Code    Code           `json:"code"`
	Reason  string         `json:"reason"`
}

// session is a good one.
const session = `Zx8kPq3Lr0TnVb6Y`

// envelopeFaults end the connection.
var envelopeFaults = []struct{ name, from, text string }{
	{"an empty frame", "client", ``},
	{"an empty line", "client", "[\"pong\"]\n\n[\"pong\"]"},
	{"a newline at the end", "client", "[\"pong\"]\n"},
	{"white space alone", "client", ` `},
	{"no JSON", "client", `hello`},
	{"not ended", "client", `["pong"`},
	{"a string not ended", "client", `["merge",1,1,0,{"a":"b}]`},
	{"broken in a value", "client", `["merge",1,1,0,{"a":01}]`},
	{"broken after a fault of the value", "client", `["merge",1,1,0,{"__proto__":1,}]`},
	{"broken in an operation after a fault", "client", `["patch",1,1,0,[["nonsense"],[}]]`},
	{"a message over two lines", "client", "[\"leave\",\n1]"},
	{"two messages on a line", "client", `["pong"]["pong"]`},
	{"text after the message", "client", `["pong"] x`},
	{"a message that is an object", "client", `{"tag":"pong"}`},
	{"a message that is a string", "client", `"pong"`},
	{"an empty array", "client", `[]`},
	{"a tag that is a number", "client", `[1]`},
	{"an unknown tag", "client", `["nonsense",1]`},
	{"a tag in capitals", "client", `["Pong"]`},
	{"a message of the other direction", "client", `["ping"]`},
	{"a client's message from a server", "server", `["pong"]`},
	{"too few elements", "client", `["merge",1,1,0]`},
	{"too many elements", "client", `["leave",1,2]`},
	{"too many elements in a message without any", "client", `["pong",1]`},
	{"a join that resumes by half", "client", `["join",1,"chat","q2Vd9-_x"]`},
	{"hello without extensions", "client", `["hello","` + session + `","ann"]`},
	{"hello with a connection that is no count", "client", `["hello","` + session + `","ann",{"connection":0}]`},
	{"hello with an epoch that is none", "client", `["hello","` + session + `","ann",{"epoch":"a b"}]`},
	{"hello with an epoch that is a number", "client", `["hello","` + session + `","ann",{"epoch":7}]`},
	{"hello with extensions of another kind", "client", `["hello","` + session + `","ann",null]`},
	{"a session that is too short", "client", `["hello","0123456789abcde","ann",{}]`},
	{"a session of other characters", "client", `["hello","0123456789abcde!","ann",{}]`},
	{"an empty clientIdentifier", "client", `["hello","` + session + `","",{}]`},
	{"a clientIdentifier with a control character", "client", `["hello","` + session + `","a\u0007",{}]`},
	{"n of 0", "client", `["leave",0]`},
	{"n that is too large", "client", `["leave",2147483648]`},
	{"n with a fraction", "client", `["leave",1.0]`},
	{"n with an exponent", "client", `["leave",1e0]`},
	{"n below 0", "client", `["leave",-1]`},
	{"n of minus 0", "client", `["leave",-0]`},
	{"n in a string", "client", `["leave","1"]`},
	{"n that is null", "client", `["leave",null]`},
	{"an identifier that is a number", "client", `["join",1,5]`},
	{"an epoch of other characters", "client", `["join",1,"chat","a b",1,1]`},
	{"an empty epoch", "client", `["join",1,"chat","",1,1]`},
	{"a change with the number 0", "client", `["merge",1,0,0,{}]`},
	{"a base beyond 2^53-1", "client", `["merge",1,1,9007199254740992,{}]`},
	{"a base of 30 digits", "client", `["merge",1,1,100000000000000000000000000000,{}]`},
	{"answered below 0, after a fault of the value", "client", `["transaction",1,1,0,{"__proto__":1},null,-1]`},
	{"a long string where a number belongs", "client", `["leave","` + strings.Repeat("é", 40) + `"]`},

	{"a setting that is missing", "server", `["welcome","Zq3w",{"heartbeat":15000,"window":512,"windowBytes":4194304}]`},
	{"a setting with a fraction", "server", `["welcome","Zq3w",{"heartbeat":0.5,"window":512,"windowBytes":4194304,"maxMessage":1048576}]`},
	{"an epoch of a session that is a number", "server", `["welcome",1,{}]`},
	{"entries without an entry", "server", `["entries",1,42]`},
	{"entries from version 0", "server", `["entries",1,0,[]]`},
	{"an entry with an operation of no kind", "server", `["entries",1,42,[],[["set",["a"],1]]]`},
	{"a value that is no object", "server", `["snapshot",1,99,[],12,[]]`},
	{"a value with a reserved key", "server", `["snapshot",1,99,{"a":{"__proto__":1}},12,[]]`},
	{"a code that is out of range", "server", `["refused",1,1,1000,""]`},
	{"a reason that is too long", "server", `["closed",1,4200,"` + strings.Repeat("x", 1025) + `"]`},
	{"a catchup that goes back", "server", `["catchup",1,43,42,{},[],0,[]]`},
	{"a catchup that removes a number", "server", `["catchup",1,43,44,{},[1],0,[]]`},
	{"verdicts that do not ascend", "server", `["snapshot",1,99,{},12,[[2,9],[2,10]]]`},
	{"a verdict above the mark", "server", `["snapshot",1,99,{},12,[[13,9]]]`},
	{"a verdict that is too short", "server", `["snapshot",1,99,{},12,[[1]]]`},
	{"a verdict that is too long", "server", `["snapshot",1,99,{},12,[[1,2,3]]]`},
	{"a verdict of another kind", "server", `["snapshot",1,99,{},12,[1]]`},
	{"a refusal without a reason in a verdict", "server", `["snapshot",1,99,{},12,[[1,0,4300]]]`},
	{"verdicts of another kind", "server", `["snapshot",1,99,{},12,{}]`},
}

// contentFaults refuse one change or join; the connection goes on.
var contentFaults = []struct{ name, text string }{
	{"an identifier that is empty", `["join",3,""]`},
	{"an identifier with a newline", `["join",3,"a\nb"]`},
	{"an identifier with a control character of Latin-1", `["join",3,"a\u0085b"]`},
	{"an identifier with a lone surrogate", `["join",3,"\ud83d"]`},
	{"an identifier of 257 bytes", `["join",3,"` + strings.Repeat("a", 257) + `"]`},
	{"an identifier that breaks its rule in a join that resumes", `["join",3,"","q2Vd9-_x",1,1]`},

	{"updates that are an array", `["merge",3,7,0,[]]`},
	{"updates that are null", `["merge",3,7,0,null]`},
	{"the key __proto__", `["merge",3,7,0,{"a":[{"__proto__":1}]}]`},
	{"the key __proto__ in escapes", `["merge",3,7,0,{"\u005f_proto__":1}]`},
	{"a duplicate key", `["merge",3,7,0,{"a":{"b":1,"c":2,"b":3}}]`},
	{"a key that is a duplicate through escapes", `["merge",3,7,0,{"a":1,"\u0061":2}]`},
	{"a lone surrogate", `["merge",3,7,0,{"a":"\ud800"}]`},
	{"a lone surrogate in a key", `["merge",3,7,0,{"\udc00\ud800":1}]`},
	{"a number that overflows", `["merge",3,7,0,{"a":1e309}]`},
	{"an integer beyond 2^53-1", `["merge",3,7,0,{"a":9007199254740992}]`},
	{"a number that rounds to an integer beyond 2^53-1", `["merge",3,7,0,{"a":9007199254740992.5}]`},
	{"65 levels", `["merge",3,7,0,` + strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65) + `]`},
	{"a key of 769 bytes", `["merge",3,7,0,{"` + strings.Repeat("k", 769) + `":1}]`},
	{"a fault in a transaction's updates", `["transaction",3,7,0,{"a":1e309},["a"],2]`},
	{"reads of another kind", `["transaction",3,7,0,{"a":1},"a",2]`},
	{"reads that hold a number", `["transaction",3,7,0,{"a":1},["a",1],2]`},
	{"reads that hold a lone surrogate", `["transaction",3,7,0,{"a":1},["\ud800"],2]`},
	{"reads that hold an array", `["transaction",3,7,0,{"a":1},[["a",["b"]],"c"],2]`},

	{"operations that are an object", `["patch",3,7,0,{"op":"add"}]`},
	{"an operation that is an object", `["patch",3,7,0,[{"op":"add","path":"/a","value":1}]]`},
	{"an operation that is empty", `["patch",3,7,0,[[]]]`},
	{"an operation of no kind", `["patch",3,7,0,[["remove",["a"]],["set",["a"],1]]]`},
	{"an operation whose kind is a number", `["patch",3,7,0,[[1,["a"],1]]]`},
	{"an operation without a path", `["patch",3,7,0,[["remove"]]]`},
	{"an operation whose path is a JSON Pointer", `["patch",3,7,0,[["remove","/a"]]]`},
	{"an operation without a value", `["patch",3,7,0,[["add",["a"]]]]`},
	{"a move with one path", `["patch",3,7,0,[["move",["a"]]]]`},
	{"a remove with a value", `["patch",3,7,0,[["remove",["a"],1]]]`},
	{"an increment by a string", `["patch",3,7,0,[["increment",["a"],"1"]]]`},
	{"an increment by too much", `["patch",3,7,0,[["increment",["a"],1e400]]]`},
	{"an index below 0", `["patch",3,7,0,[["remove",["a",-1]]]]`},
	{"an index with a fraction", `["patch",3,7,0,[["remove",["a",1.5]]]]`},
	{"an index that is too large", `["patch",3,7,0,[["remove",["a",2147483648]]]]`},
	{"a path that holds null", `["patch",3,7,0,[["remove",["a",null]]]]`},
	{"a path that holds an array", `["patch",3,7,0,[["remove",["a",["b",{"c":[1]}]]],["remove",["a"]]]]`},
	{"a path through __proto__", `["patch",3,7,0,[["add",["a","__proto__","b"],1]]]`},
	{"a path with a lone surrogate", `["patch",3,7,0,[["remove",["\ud800"]]]]`},
	{"a path with a key of 769 bytes", `["patch",3,7,0,[["remove",["` + strings.Repeat("k", 769) + `"]]]]`},
	{"a path of 65 tokens", `["patch",3,7,0,[["remove",["a"` + strings.Repeat(`,0`, 64) + `]]]]`},
	{"a value with a fault deep inside", `["patch",3,7,0,[["test",["a"],1],["add",["b"],{"x/y":[{"z~":1e309}]}]]]`},
}

func TestRefusalsAsGolden(t *testing.T) {
	names := map[string]bool{}
	var vectors []refusalVector
	for _, source := range envelopeFaults {
		unique(t, names, source.name)
		_, err := decodeFrom(source.from, source.text, Limits{})
		vectors = append(vectors, connectionRefusal(t, source.name, source.from, source.text, err))
	}
	for _, source := range contentFaults {
		unique(t, names, source.name)
		vectors = append(vectors, changeRefusal(t, source.name, source.text, Limits{}))
	}
	golden(t, "refusals.json", append(vectors, limitRefusals(t)...))
}

func limitRefusals(t *testing.T) []refusalVector {
	t.Helper()
	_, err := decodeFrom("client", `["pong"]`, Limits{Bytes: 7})
	frame := connectionRefusal(t, "a frame that is too long", "client", `["pong"]`, err)
	frame.Limits = map[string]int{"bytes": 7}
	operations := changeRefusal(t, "too many operations", `["patch",3,7,0,[["remove",["a"]],["remove",["b"]],["remove",["c"]]]]`, Limits{Operations: 2})
	operations.Limits = map[string]int{"operations": 2}
	depth := changeRefusal(t, "too many levels under another limit", `["merge",3,7,0,{"a":[[]]}]`, Limits{Depth: 2})
	depth.Limits = map[string]int{"depth": 2}
	return []refusalVector{frame, operations, depth}
}

func connectionRefusal(t *testing.T, name, from, text string, err error) refusalVector {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("%s: got %v, want an *Error", name, err)
	}
	if refusal.Code.Class() != GiveUp {
		t.Errorf("%s: got the class %v, want %v", name, refusal.Code.Class(), GiveUp)
	}
	return refusalVector{Name: name, From: from, Text: text, Refuses: "connection", Code: refusal.Code, Reason: refusal.Reason}
}

// changeRefusal also holds that what follows in the frame is read.
func changeRefusal(t *testing.T, name, text string, limits Limits) refusalVector {
	t.Helper()
	messages, err := decodeFrom("client", text+"\n"+`["leave",9]`, limits)
	if err != nil || len(messages) != 2 {
		t.Fatalf("%s: got %d messages and %v, want 2", name, len(messages), err)
	}
	v := refusalVector{Name: name, From: "client", Text: text, Refuses: "change"}
	fault := faultOf(messages[0])
	if fault == nil {
		t.Fatalf("%s: got no fault", name)
	}
	v.Code, v.Reason = fault.Code, fault.Reason
	switch m := messages[0].(type) {
	case Join:
		v.Refuses, v.N = "join", m.N
	case Merge:
		v.N, v.Number = m.N, m.Number
	case Patch:
		v.N, v.Number = m.N, m.Number
	case Transaction:
		v.N, v.Number = m.N, m.Number
	}
	return v
}
