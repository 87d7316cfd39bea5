package protocol

// tag is the kind of a message.
type tag uint8

const (
	tagHello tag = iota
	tagJoin
	tagLeave
	tagMerge
	tagPatch
	tagTransaction
	tagPong
	tagWelcome
	tagJoined
	tagEntries
	tagAccepted
	tagRefused
	tagCatchup
	tagSnapshot
	tagClosed
	tagPing
	tagBye
)

// form is one form of a message: the names of the elements after its tag, in order. They name the elements in errors
// and in PROTOCOL.md.
type form []string

// kind is what there is to know about a message but its struct.
type kind struct {
	name  string
	forms []form // most messages have one; of several, the shortest comes first
	more  bool   // the last element of the last form may be repeated
}

// kinds is the tag table.
var kinds = [...]kind{
	tagHello:       {name: "hello", forms: []form{{"session", "clientIdentifier", "extensions"}}},
	tagJoin:        {name: "join", forms: []form{{"n", "identifier"}, {"n", "identifier", "epoch", "version", "answered"}}},
	tagLeave:       {name: "leave", forms: []form{{"n"}}},
	tagMerge:       {name: "merge", forms: []form{{"n", "number", "base", "updates"}}},
	tagPatch:       {name: "patch", forms: []form{{"n", "number", "base", "ops"}}},
	tagTransaction: {name: "transaction", forms: []form{{"n", "number", "base", "updates", "reads", "answered"}}},
	tagPong:        {name: "pong", forms: []form{{}}},

	tagWelcome: {name: "welcome", forms: []form{{"epoch", "settings"}}},
	tagJoined: {name: "joined", forms: []form{
		{"n", "epoch", "version", "mark"}, {"n", "epoch", "version", "mark", "durability"},
		{"n", "epoch", "version", "mark", "verdicts", "value"}, {"n", "epoch", "version", "mark", "verdicts", "value", "durability"},
	}},
	tagEntries:  {name: "entries", forms: []form{{"n", "version", "ops"}}, more: true},
	tagAccepted: {name: "accepted", forms: []form{{"n", "number", "version"}, {"n", "number", "version", "ops"}}},
	tagRefused:  {name: "refused", forms: []form{{"n", "number", "code", "reason"}}},
	tagCatchup:  {name: "catchup", forms: []form{{"n", "from", "to", "set", "removed", "mark", "verdicts"}}},
	tagSnapshot: {name: "snapshot", forms: []form{{"n", "version", "value", "mark", "verdicts"}}},
	tagClosed:   {name: "closed", forms: []form{{"n", "code", "reason"}}},
	tagPing:     {name: "ping", forms: []form{{}}},
	tagBye:      {name: "bye", forms: []form{{"code", "reason", "retryAfter"}}},
}

// clientDecoders and serverDecoders are the dispatch table, one half for each direction. Each function reads the
// elements after the tag; what goes wrong stays with the reader.
var (
	clientDecoders = [...]func(*reader) ClientMessage{
		tagHello:       readHello,
		tagJoin:        readJoin,
		tagLeave:       readLeave,
		tagMerge:       readMerge,
		tagPatch:       readPatch,
		tagTransaction: readTransaction,
		tagPong:        readPong,
	}
	serverDecoders = [...]func(*reader) ServerMessage{
		tagWelcome:  readWelcome,
		tagJoined:   readJoined,
		tagEntries:  readEntries,
		tagAccepted: readAccepted,
		tagRefused:  readRefused,
		tagCatchup:  readCatchup,
		tagSnapshot: readSnapshot,
		tagClosed:   readClosed,
		tagPing:     readPing,
		tagBye:      readBye,
	}
)

// elements names the elements of the longest form.
func (k *kind) elements() form { return k.forms[len(k.forms)-1] }

// describe lists the forms for people, such as "n, number" or "nothing".
func (k *kind) describe() string {
	text := ""
	for i, f := range k.forms {
		if i > 0 {
			text += " or "
		}
		for j, name := range f {
			if j > 0 {
				text += ", "
			}
			text += name
		}
		if len(f) == 0 {
			text += "nothing"
		}
	}
	if k.more {
		text += ", and more " + k.elements()[len(k.elements())-1]
	}
	return text
}
