package protocol

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// exchangeVector is a frame of a whole exchange. After each of the server's, version and value are what the client has
// confirmed, and pending are the numbers of its changes without a verdict.
type exchangeVector struct {
	From    string          `json:"from"`
	Frame   string          `json:"frame"`
	Note    string          `json:"note"`
	Version *uint64         `json:"version,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"`
	Pending []uint64        `json:"pending,omitempty"`
}

// exchange is a client of the session Zx8kPq3Lr0TnVb6Y and a server. The frame "" is a connection that is lost, and the
// client's next frame is the first on a new one.
var exchange = []struct{ from, frame, note string }{
	{"client", `["hello","Zx8kPq3Lr0TnVb6Y","ann",{}]
["join",1,"chat"]`, "The first frame. The client does not wait for `welcome` before it joins."},
	{"server", `["welcome","Zq3w",{"heartbeat":15000,"window":512,"windowBytes":4194304,"maxMessage":1048576}]
["joined",1,"q2Vd9-_x",41,0,[],{"count":1,"messages":["hi"],"title":"Tea"}]`, "A session that the server did not know, and a fresh start at version 41."},
	{"client", `["patch",1,1,41,[["replace",["messages",0],"hi!"]]]`, "Ann edits the first message. The index is that of version 41."},
	{"server", `["entries",1,42,[["add",["messages",0],"hello"]]]
["accepted",1,1,43]`, "Meanwhile Bob had put a message before it. Both ends carry Ann's change over Bob's entry, to index 1, so that the acceptance needs no operations."},
	{"client", `["merge",1,2,43,{"title":"Coffee"}]
["transaction",1,3,43,{"count":2},["count"],1]`, "Two changes without waiting. The transaction was computed when change 1 was the last one answered."},
	{"server", `["accepted",1,2,44,[["add",["title"],"COFFEE"]]]
["refused",1,3,4401,"own change 2 had another result than the transaction expected"]`, "A rule of the server rewrote change 2, so its operations come along, and what was computed on top of it is stale."},
	{"client", `["transaction",1,4,44,{"count":2},["count"],3]`, "The client runs the function again on the fresh state. It is a new change with a new number."},
	{"server", ``, "The connection is lost before the answer."},
	{"client", `["hello","Zx8kPq3Lr0TnVb6Y","ann",{}]
["join",1,"chat","q2Vd9-_x",44,3]`, "A new connection resumes: version 44 of the epoch, and everything up to change 3 is answered."},
	{"server", `["welcome","Zq3w",{"heartbeat":15000,"window":512,"windowBytes":4194304,"maxMessage":1048576}]
["joined",1,"q2Vd9-_x",44,4]
["accepted",1,4,45]
["entries",1,46,[["increment",["count"],5]],[["move",["messages",1],["messages",0]],["remove",["title"]]]]`, "The resume is granted. The mark 4 says that change 4 had arrived, so it is not sent again; its answer stands in its place in the stream, before what Bob did since."},
	{"client", `["patch",1,5,47,[["test",["count"],7],["add",["messages","-"],"bye"]]]`, "An append has no index, and depends on no position."},
	{"server", `["catchup",1,47,90,{"count":9},["messages"],5,[[5,0,4315,"the value is 8, and not 7 (at /count)"]]]`, "The client read slowly, and fell out of the server's log. One step takes it to version 90, with the verdict on change 5 inside."},
	{"server", `["ping"]`, "Nothing was sent or heard for a heartbeat."},
	{"client", `["pong"]`, ""},
	{"client", `["join",2,"notes"]`, "A second state on the same connection."},
	{"server", `["closed",2,4200,"there is no state notes"]`, "It does not exist; the connection and state 1 go on."},
	{"server", `["bye",4000,"a new version is being installed",1500]`, "The last message. The WebSocket is closed with the code 4000, and the client comes back after 1.5 seconds."},
}

func TestExchangeAsGolden(t *testing.T) {
	golden(t, "exchange.json", exchangeVectors(t))
}

func exchangeVectors(t *testing.T) []exchangeVector {
	t.Helper()
	var vectors []exchangeVector
	c := follower{t: t}
	for _, step := range exchange {
		v := exchangeVector{From: step.from, Frame: step.frame, Note: step.note}
		if step.frame != "" {
			messages, err := decodeFrom(step.from, step.frame, Limits{})
			if err != nil {
				t.Fatalf("%s: %v", step.frame, err)
			}
			var again []string
			for _, m := range messages {
				again = append(again, string(Append(nil, m)))
				c.see(m)
			}
			if got := strings.Join(again, "\n"); got != step.frame {
				t.Fatalf("got %s\nfor %s", got, step.frame)
			}
		}
		if step.from == "server" {
			version := c.version
			v.Version, v.Value = &version, json.RawMessage(c.value.String())
			for _, p := range c.pending {
				v.Pending = append(v.Pending, p.number)
			}
		}
		vectors = append(vectors, v)
	}
	if len(c.pending) > 0 {
		t.Errorf("%d changes have no verdict at the end", len(c.pending))
	}
	return vectors
}

// follower is the least that follows state 1: what PROTOCOL.md asks of a client, without a view of its own.
type follower struct {
	t       *testing.T
	version uint64
	value   document.Value
	pending []sent
}

// sent is an own change without a verdict; a merge or transaction is its updates, a patch its operations as carried.
type sent struct {
	number  uint64
	updates document.Value
	ops     []document.Op
}

func (c *follower) see(m Message) {
	switch m := m.(type) {
	case Merge:
		c.pending = append(c.pending, sent{m.Number, m.Updates, nil})
	case Transaction:
		c.pending = append(c.pending, sent{m.Number, m.Updates, nil})
	case Patch:
		c.pending = append(c.pending, sent{m.Number, document.Value{}, m.Ops})
	case Joined:
		if m.Value.Exists() {
			c.version, c.value = m.Version, m.Value
		} else if m.Version != c.version {
			c.t.Fatalf("resumed at %d, not at %d", m.Version, c.version)
		}
	case Entries:
		for i, ops := range m.Ops {
			c.step(m.Version+uint64(i), ops)
		}
	case Accepted:
		own := c.answer(m.Number)
		if own.updates.Exists() {
			own.ops = document.Merge(c.value, own.updates)
		}
		if m.Ops != nil {
			own.ops = m.Ops
		}
		c.step(m.Version, own.ops)
	case Refused:
		c.answer(m.Number)
	case Catchup:
		c.jump(m)
	}
}

func (c *follower) answer(number uint64) sent {
	if len(c.pending) == 0 || c.pending[0].number != number {
		c.t.Fatalf("change %d was answered out of turn", number)
	}
	first := c.pending[0]
	c.pending = c.pending[1:]
	return first
}

// step applies an entry, and carries what is pending over it.
func (c *follower) step(version uint64, ops []document.Op) {
	c.t.Helper()
	if version != c.version+1 {
		c.t.Fatalf("version %d came after %d", version, c.version)
	}
	next, _, err := document.Apply(c.value, ops, document.NoLimits)
	if err != nil {
		c.t.Fatal(err)
	}
	c.version, c.value = version, next
	for i, p := range c.pending {
		if c.pending[i].ops, ops, err = document.Carry(p.ops, ops); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *follower) jump(m Catchup) {
	if m.From != c.version {
		c.t.Fatalf("a catch-up from %d came at %d", m.From, c.version)
	}
	for name, value := range m.Set.Members() {
		c.value = c.value.With(name, value)
	}
	for _, name := range m.Removed {
		c.value = c.value.Without(name)
	}
	for _, v := range m.Verdicts {
		c.answer(v.Number)
	}
	c.version = m.To
}
