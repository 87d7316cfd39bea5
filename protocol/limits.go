package protocol

import "github.com/server-state-sync/server-state-sync/document"

// Limits bounds what a decoder reads. A field that is zero or negative means the default of the direction, which the
// functions that take Limits name.
type Limits struct {
	Bytes      int // of a frame, and so of a message and of each value in it
	Operations int // of one change
	Depth      int // of a value: the number of arrays and objects around its deepest scalar
	KeyBytes   int // of a member name, in UTF-8

	// Keep allows values to refer to a frame of more than document.Copied bytes, which nobody may write to any more.
	Keep bool
}

// What a server reads from a client when its options say nothing else.
const (
	DefaultBytes      = 1 << 20
	DefaultOperations = 10_000
	DefaultDepth      = 64
	DefaultKeyBytes   = 768
)

// What a client reads from its server. The server has checked what it sends, with limits that its operator may have
// raised; these keep the client from running out of memory and stack, no more.
const (
	ServerBytes      = 64 << 20
	ServerOperations = ServerBytes
	ServerDepth      = 1000
	ServerKeyBytes   = 64 << 10
)

// What welcome announces when the server's options say nothing else.
const (
	DefaultHeartbeat   = 15_000  // milliseconds of silence after which the server sends a ping
	DefaultWindow      = 512     // unanswered changes per state
	DefaultWindowBytes = 4 << 20 // bytes of unanswered changes per connection
)

// Bounds that no option changes.
const (
	MaxInteger      = 1<<53 - 1 // of versions and numbers of changes: the integers that a double holds
	MaxStateNumber  = 1<<31 - 1 // of the number of a state on a connection
	MaxIndex        = 1<<31 - 1 // of an index in a path
	IdentifierBytes = 256       // of a state's identifier and of a clientIdentifier
	MinSession      = 16        // characters of a session
	MaxSession      = 64
	MaxEpoch        = 64     // characters of an epoch
	ReasonBytes     = 1024   // of a reason; a longer one is cut when it is sent
	MaxNesting      = 10_000 // levels of arrays and objects in a message; beyond, the text counts as no JSON
)

// fill returns l with its zero fields taken from defaults.
func (l Limits) fill(defaults Limits) Limits {
	for _, field := range []struct {
		value    *int
		fallback int
	}{
		{&l.Bytes, defaults.Bytes},
		{&l.Operations, defaults.Operations},
		{&l.Depth, defaults.Depth},
		{&l.KeyBytes, defaults.KeyBytes},
	} {
		if *field.value <= 0 {
			*field.value = field.fallback
		}
	}
	return l
}

// document returns the limits of a value.
func (l Limits) document() document.Limits {
	return document.Limits{Bytes: l.Bytes, Depth: l.Depth, KeyBytes: l.KeyBytes}
}

func defaultClientLimits() Limits {
	return Limits{Bytes: DefaultBytes, Operations: DefaultOperations, Depth: DefaultDepth, KeyBytes: DefaultKeyBytes}
}

func defaultServerLimits() Limits {
	return Limits{Bytes: ServerBytes, Operations: ServerOperations, Depth: ServerDepth, KeyBytes: ServerKeyBytes}
}
