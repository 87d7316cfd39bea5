package protocol

import (
	"encoding/json"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// messageVector: decoding text gives message; encoding message gives encoded, which is text where it is left out.
type messageVector struct {
	Name    string          `json:"name"`
	From    string          `json:"from"`
	Text    string          `json:"text"`
	Message json.RawMessage `json:"message"`
	Encoded string          `json:"encoded,omitempty"`
}

// messageTexts are the sources of messages.json.
var messageTexts = []struct{ name, from, text string }{
	{"hello", "client", `["hello","Zx8kPq3Lr0TnVb6Y","ann",{}]`},
	{"hello of the third connection", "client", `["hello","Zx8kPq3Lr0TnVb6Y","ann",{"connection":3}]`},
	{"hello that comes back", "client", `["hello","Zx8kPq3Lr0TnVb6Y","ann",{"connection":4,"epoch":"q2Vd9-_x"}]`},
	{"hello that comes back and counts not", "client", `["hello","Zx8kPq3Lr0TnVb6Y","ann",{"epoch":"q2Vd9-_x"}]`},
	{"hello with extensions, which are ignored", "client", `["hello","0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_","ann",{"later":[1,{"a":2}]}]`},
	{"hello from a client with a name in many scripts", "client", `["hello","Zx8kPq3Lr0TnVb6Y","Ünï 测试 😀",{}]`},
	{"join, fresh", "client", `["join",1,"chat"]`},
	{"join, resuming", "client", `["join",2147483647,"chat/ä \"1\"","q2Vd9-_x",41,7]`},
	{"join, resuming at the largest version", "client", `["join",1,"chat","e",9007199254740991,9007199254740991]`},
	{"leave", "client", `["leave",1]`},
	{"merge", "client", `["merge",1,1,41,{"title":"Tea"}]`},
	{"merge of nothing", "client", `["merge",1,1,0,{}]`},
	{"merge, not canonical", "client", ` [ "merge" , 1 ,1,0, { "b" : 1.0 , "a":-0.0,"\u0061\ud83d\ude00":"\u00e9\/" } ] `},
	{"merge of tricky numbers", "client", `["merge",1,2,3,{"big":9007199254740991,"e":1e+21,"max":1.7976931348623157e+308,"min":5e-324,"neg":-9007199254740991,"small":1e-7}]`},
	{"merge of empty and odd keys", "client", `["merge",1,3,3,{"":"empty","\u0000":"null character","constructor":1,"toString":2,"\u20ac":3,"\ud83d\ude00":4,"\ufb33":5}]`},
	{"patch", "client", `["patch",1,2,41,[["test",["title"],"Tea"],["add",["messages","-"],{"text":"hi"}],["increment",["count"],1]]]`},
	{"patch with every operation", "client", `["patch",1,2,41,[["add",["a",0],null],["remove",["a",0]],["replace",["a",1],true],["move",["a",1],["a",0]],["copy",["a",0],["b"]],["test",["b"],true],["increment",["c"],-0.5]]]`},
	{"patch of nothing", "client", `["patch",1,2,41,[]]`},
	{"patch of the root", "client", `["patch",1,2,41,[["add",[],{"a":1}]]]`},
	{"patch whose names look like indexes", "client", `["patch",1,2,41,[["add",["0","1"],2],["add",["-",2147483647],3],["add",["~0/~1",""],4]]]`},
	{"transaction", "client", `["transaction",1,3,41,{"left":9,"right":11},["left","right"],2]`},
	{"transaction that read everything", "client", `["transaction",1,3,41,{"total":20},null,0]`},
	{"transaction that read nothing", "client", `["transaction",1,3,41,{"total":20},[],0]`},
	{"pong", "client", `["pong"]`},
	{"pong in escapes", "client", `["\u0070ong"]`},

	{"welcome", "server", `["welcome","Zq3w",{"heartbeat":15000,"window":512,"windowBytes":4194304,"maxMessage":1048576}]`},
	{"welcome with a setting of a later version", "server", `["welcome","Zq3w",{"compress":true,"heartbeat":15000,"maxMessage":1048576,"window":1,"windowBytes":4294967295}]`},
	{"joined, resume granted", "server", `["joined",1,"q2Vd9-_x",41,7]`},
	{"joined, fresh start", "server", `["joined",1,"q2Vd9-_x",0,0,[],{"messages":[]}]`},
	{"joined, fresh start that answers changes", "server", `["joined",1,"q2Vd9-_x",44,9,[[7,42],[8,0,4300,"quiet hours"],[9,44]],{"messages":["hi"]}]`},
	{"joined, resume granted, changes are synced", "server", `["joined",1,"q2Vd9-_x",41,7,"synced"]`},
	{"joined, fresh start, changes are written", "server", `["joined",1,"q2Vd9-_x",0,0,[],{"messages":[]},"written"]`},
	{"joined, durability of a later version", "server", `["joined",1,"q2Vd9-_x",0,0,[],{},"replicated-3"]`},
	{"entries, one", "server", `["entries",1,42,[["add",["messages",0],"hi"]]]`},
	{"entries, several, one without effect", "server", `["entries",1,42,[["add",["messages",0],"hi"]],[],[["remove",["title"]],["increment",["count"],2]]]`},
	{"accepted as it was carried", "server", `["accepted",1,1,43]`},
	{"accepted with another result", "server", `["accepted",1,1,43,[["add",["title"],"TEA"]]]`},
	{"accepted without effect", "server", `["accepted",1,1,43,[]]`},
	{"refused", "server", `["refused",1,2,4300,"only Ann may rename"]`},
	{"refused without a reason", "server", `["refused",1,2,4401,""]`},
	{"refused with a code of a later version", "server", `["refused",1,2,4499,"?"]`},
	{"catchup", "server", `["catchup",1,43,99,{"count":7,"title":"Tea"},["draft"],12,[[11,50],[12,0,4400,"the element is gone"]]]`},
	{"catchup without a change of value", "server", `["catchup",1,43,43,{},[],0,[]]`},
	{"snapshot", "server", `["snapshot",1,99,{"count":7,"title":"Tea"},12,[]]`},
	{"closed", "server", `["closed",1,4202,"its time ended"]`},
	{"ping", "server", `["ping"]`},
	{"bye", "server", `["bye",4000,"back in a minute",60000]`},
	{"bye without advice", "server", `["bye",4103,"merge: number (element 2) must be an integer from 1 to 9007199254740991, not 0",0]`},
}

func TestMessagesAsGolden(t *testing.T) {
	names, seen := map[string]bool{}, map[tag]bool{}
	var vectors []messageVector
	for _, source := range messageTexts {
		unique(t, names, source.name)
		m := decodeOne(t, source.from, source.text)
		seen[m.tag()] = true
		v := messageVector{Name: source.name, From: source.from, Text: source.text, Message: describe(t, m)}
		encoded := string(Append(nil, m))
		if encoded != source.text {
			v.Encoded = encoded
		}
		if again := string(Append(nil, decodeOne(t, source.from, encoded))); again != encoded {
			t.Errorf("%s: encoded as\n%s\nand again as\n%s", source.name, encoded, again)
		}
		vectors = append(vectors, v)
	}
	for i := range kinds {
		if !seen[tag(i)] {
			t.Errorf("no vector has the message %s", kinds[i].name)
		}
	}
	golden(t, "messages.json", vectors)
}

// decodeFrom decodes a frame of either direction.
func decodeFrom(from, text string, limits Limits) (messages []Message, err error) {
	if from == "client" {
		err = DecodeClient([]byte(text), limits, func(m ClientMessage) error { messages = append(messages, m); return nil })
	} else {
		err = DecodeServer([]byte(text), limits, func(m ServerMessage) error { messages = append(messages, m); return nil })
	}
	return messages, err
}

func decodeOne(t *testing.T, from, text string) Message {
	t.Helper()
	messages, err := decodeFrom(from, text, Limits{})
	if err != nil || len(messages) != 1 {
		t.Fatalf("decoding %s: got %d messages and %v", text, len(messages), err)
	}
	if fault := faultOf(messages[0]); fault != nil {
		t.Fatalf("decoding %s: got the fault %v", text, fault)
	}
	return messages[0]
}

func faultOf(m Message) *Error {
	switch m := m.(type) {
	case Join:
		return m.Fault
	case Merge:
		return m.Fault
	case Patch:
		return m.Fault
	case Transaction:
		return m.Fault
	}
	return nil
}

// describe says field by field what a message holds.
func describe(t *testing.T, m Message) json.RawMessage {
	t.Helper()
	fields := []any{"tag", kinds[m.tag()].name}
	switch m := m.(type) {
	case Hello:
		fields = append(fields, "session", m.Session, "clientIdentifier", m.ClientIdentifier)
	case Join:
		fields = append(fields, "n", m.N, "identifier", m.Identifier)
		if m.Epoch != "" {
			fields = append(fields, "epoch", m.Epoch, "version", m.Version, "answered", m.Answered)
		}
	case Leave:
		fields = append(fields, "n", m.N)
	case Merge:
		fields = append(describeChange(fields, m.Change), "updates", m.Updates)
	case Patch:
		fields = append(describeChange(fields, m.Change), "ops", m.Ops)
	case Transaction:
		fields = append(describeChange(fields, m.Change), "updates", m.Updates, "reads", m.Reads, "readAll", m.ReadAll, "answered", m.Answered)
	default:
		fields = describeServer(fields, m)
	}
	return object(t, fields)
}

func describeChange(fields []any, c Change) []any {
	return append(fields, "n", c.N, "number", c.Number, "base", c.Base)
}

func describeServer(fields []any, m Message) []any {
	switch m := m.(type) {
	case Welcome:
		return append(fields, "epoch", m.Epoch, "heartbeat", m.Heartbeat, "window", m.Window, "windowBytes", m.WindowBytes, "maxMessage", m.MaxMessage)
	case Joined:
		fields = append(fields, "n", m.N, "epoch", m.Epoch, "version", m.Version, "mark", m.Mark)
		if m.Value.Exists() {
			fields = append(fields, "verdicts", m.Verdicts, "value", m.Value)
		}
		if m.Durability != "" {
			fields = append(fields, "durability", m.Durability)
		}
		return fields
	case Entries:
		return append(fields, "n", m.N, "version", m.Version, "entries", m.Ops)
	case Accepted:
		fields = append(fields, "n", m.N, "number", m.Number, "version", m.Version)
		if m.Ops != nil {
			fields = append(fields, "ops", m.Ops)
		}
		return fields
	case Refused:
		return append(fields, "n", m.N, "number", m.Number, "code", m.Code, "reason", m.Reason)
	case Catchup:
		return append(fields, "n", m.N, "from", m.From, "to", m.To, "set", m.Set, "removed", m.Removed, "mark", m.Mark, "verdicts", m.Verdicts)
	case Snapshot:
		return append(fields, "n", m.N, "version", m.Version, "value", m.Value, "mark", m.Mark, "verdicts", m.Verdicts)
	case Closed:
		return append(fields, "n", m.N, "code", m.Code, "reason", m.Reason)
	case Bye:
		return append(fields, "code", m.Code, "reason", m.Reason, "retryAfter", m.RetryAfter)
	}
	return fields
}

// object writes names and values that take turns as a JSON object, in their order.
func object(t *testing.T, fields []any) json.RawMessage {
	t.Helper()
	text := []byte{'{'}
	for i := 0; i < len(fields); i += 2 {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, line(t, fields[i])...), ':')
		switch v := fields[i+1].(type) {
		case document.Value:
			text = v.AppendJSON(text)
		case []document.Op:
			text = AppendOps(text, v)
		case [][]document.Op:
			text = append(text, '[')
			for j, ops := range v {
				if j > 0 {
					text = append(text, ',')
				}
				text = AppendOps(text, ops)
			}
			text = append(text, ']')
		case []Verdict:
			text = append(text, describeVerdicts(t, v)...)
		default:
			text = append(text, line(t, v)...)
		}
	}
	return append(text, '}')
}

func describeVerdicts(t *testing.T, verdicts []Verdict) []byte {
	t.Helper()
	text := []byte{'['}
	for i, v := range verdicts {
		if i > 0 {
			text = append(text, ',')
		}
		fields := []any{"number", v.Number, "version", v.Version}
		if v.Version == 0 {
			fields = append(fields, "code", v.Code, "reason", v.Reason)
		}
		text = append(text, object(t, fields)...)
	}
	return append(text, ']')
}
