package protocol

import "github.com/server-state-sync/server-state-sync/document"

// Message is any message of the protocol; the set is closed.
type Message interface {
	// Append appends the JSON text of the message, without a newline, and returns the extended slice. It does not
	// allocate beyond growing dst. The message must be complete and in range; a reason is cut to ReasonBytes.
	Append(dst []byte) []byte

	tag() tag
}

// ClientMessage is a message from a client to a server: Hello, Join, Leave, Merge, Patch, Transaction or Pong.
type ClientMessage interface {
	Message
	fromClient()
}

// ServerMessage is a message from a server to a client: Welcome, Joined, Entries, Accepted, Refused, Catchup, Snapshot,
// Closed, Ping or Bye.
type ServerMessage interface {
	Message
	fromServer()
}

// Hello is the first message on every connection.
type Hello struct {
	Session          string // unguessable; see CheckSession
	ClientIdentifier string // see CheckIdentifier
	// Connection counts the connections of the session, from 1. A hello that was long on its way can come after that of
	// a newer connection; the count tells the server which of the two is alive. 0: not told, and taken for the newest.
	Connection uint64
	// Epoch is what the last welcome of the session said; empty before the first. A server that knows another
	// incarnation under the session's id forgets that one.
	Epoch string
}

// Join asks for a state. With an epoch it resumes: the client has Version of Epoch, and every own change up to Answered
// has been answered.
type Join struct {
	N                 uint32 // the client's number for the state, 1 to MaxStateNumber, not in use on this connection
	Identifier        string
	Epoch             string // empty: a fresh join, and Version and Answered are zero
	Version, Answered uint64
	Fault             *Error // CodeIdentifierInvalid: the identifier breaks its rule, and Identifier is empty
}

// Leave gives a state up. Its number is free for another join when the server has read it.
type Leave struct {
	N uint32
}

// Change is what every change begins with: the part that identifies it.
type Change struct {
	N      uint32
	Number uint64 // of the change, per session and state, 1, 2, 3 and so on
	Base   uint64 // the version that the client had confirmed when it sent the change
	Size   int    // bytes of the message as it was received, which count towards the window; Append ignores it
	// Fault says what is wrong with the content. The content is then absent or incomplete, and the change is to be
	// refused with this code and reason. nil for a good change.
	Fault *Error
}

// Merge sets top-level properties.
type Merge struct {
	Change
	Updates document.Value // an object
}

// Patch applies operations, all or none.
type Patch struct {
	Change
	Ops []document.Op
}

// Transaction sets top-level properties if those that it read or wrote have not been changed by another since its base.
type Transaction struct {
	Change
	Updates  document.Value // an object
	ReadAll  bool           // every property counts as read; Reads is nil
	Reads    []string       // the top-level properties that it read
	Answered uint64         // the highest own number whose answer the computation had seen
}

// Pong answers a Ping.
type Pong struct{}

// Welcome answers Hello.
type Welcome struct {
	Epoch       string // of the session: another one than before says that the server has forgotten what was sent in it
	Heartbeat   uint32 // milliseconds of silence after which the server sends a ping
	Window      uint32 // unanswered changes per state
	WindowBytes uint32 // bytes of unanswered changes per connection; one change is always allowed
	MaxMessage  uint32 // bytes of the longest frame that the server reads
}

// Joined answers Join. With a value it is a fresh start at Version; with none the resume is granted, and what follows
// continues after Version, which is the client's.
type Joined struct {
	N        uint32
	Epoch    string
	Version  uint64
	Mark     uint64         // the highest own number received; higher ones must be sent again
	Verdicts []Verdict      // of a fresh start
	Value    document.Value // of a fresh start: an object; absent for a granted resume

	// Durability names what it means that a change of the state is accepted or sent: "written" or "synced", or a name of
	// a later version; empty: it is kept in the server's memory.
	Durability string
}

// Entries are accepted changes with consecutive versions, of which Version is the first.
type Entries struct {
	N       uint32
	Version uint64
	Ops     [][]document.Op // at least one list; a list may be empty
}

// Accepted is the verdict on an own change and stands in the place of its entry.
type Accepted struct {
	N       uint32
	Number  uint64
	Version uint64
	// Ops is what was applied, where that differs from the own change as carried; it may be empty without being nil.
	// nil: the own change as carried.
	Ops []document.Op
}

// Refused is the verdict on an own change and stands after the entries on which it was judged.
type Refused struct {
	N      uint32
	Number uint64
	Code   Code
	Reason string
}

// Verdict is the answer to an own change inside a jump.
type Verdict struct {
	Number  uint64
	Version uint64 // of an accepted change; 0 for a refused one
	Code    Code   // of a refused change
	Reason  string // of a refused change
}

// Catchup takes the client from one version to a later one in one step.
type Catchup struct {
	N        uint32
	From, To uint64
	Set      document.Value // an object: the current values of the top-level properties that were changed
	Removed  []string       // the top-level properties that were removed
	Mark     uint64
	Verdicts []Verdict
}

// Snapshot takes the client to a version of the same epoch in one step.
type Snapshot struct {
	N        uint32
	Version  uint64
	Value    document.Value // an object
	Mark     uint64
	Verdicts []Verdict
}

// Closed ends one state on the connection: the join was refused, or the state is over. Its number is free again.
type Closed struct {
	N      uint32
	Code   Code
	Reason string
}

// Ping asks for a Pong.
type Ping struct{}

// Bye is the last message; the WebSocket close with the same code follows.
type Bye struct {
	Code       Code
	Reason     string
	RetryAfter uint32 // milliseconds to wait before connecting again; 0 is no advice
}

func (Hello) fromClient()       {}
func (Join) fromClient()        {}
func (Leave) fromClient()       {}
func (Merge) fromClient()       {}
func (Patch) fromClient()       {}
func (Transaction) fromClient() {}
func (Pong) fromClient()        {}

func (Welcome) fromServer()  {}
func (Joined) fromServer()   {}
func (Entries) fromServer()  {}
func (Accepted) fromServer() {}
func (Refused) fromServer()  {}
func (Catchup) fromServer()  {}
func (Snapshot) fromServer() {}
func (Closed) fromServer()   {}
func (Ping) fromServer()     {}
func (Bye) fromServer()      {}

func (Hello) tag() tag       { return tagHello }
func (Join) tag() tag        { return tagJoin }
func (Leave) tag() tag       { return tagLeave }
func (Merge) tag() tag       { return tagMerge }
func (Patch) tag() tag       { return tagPatch }
func (Transaction) tag() tag { return tagTransaction }
func (Pong) tag() tag        { return tagPong }
func (Welcome) tag() tag     { return tagWelcome }
func (Joined) tag() tag      { return tagJoined }
func (Entries) tag() tag     { return tagEntries }
func (Accepted) tag() tag    { return tagAccepted }
func (Refused) tag() tag     { return tagRefused }
func (Catchup) tag() tag     { return tagCatchup }
func (Snapshot) tag() tag    { return tagSnapshot }
func (Closed) tag() tag      { return tagClosed }
func (Ping) tag() tag        { return tagPing }
func (Bye) tag() tag         { return tagBye }
