package document

// Limits bounds a text that Parse reads. A field that is zero or negative means its default in DefaultLimits.
type Limits struct {
	Bytes    int // bytes of the text, and of its canonical form; more than MaxBytes counts as MaxBytes
	Depth    int // levels of arrays and objects; a scalar has none. more than MaxDepth counts as MaxDepth
	KeyBytes int // bytes of a key in UTF-8, unescaped
}

// DefaultLimits are the limits of a message: 1 MiB, 64 levels and keys of 768 bytes.
var DefaultLimits = Limits{Bytes: 1 << 20, Depth: 64, KeyBytes: 768}

// StateLimits bounds the value that every single operation of Apply makes. A field that is zero or negative is not
// checked; MaxBytes and MaxDepth always hold. An operation that makes no larger (no deeper) what was beyond its limit
// before is let through, so that a state which outlived a lowered limit can shrink.
type StateLimits struct {
	Bytes    int // bytes of the canonical text
	Depth    int // levels of arrays and objects
	KeyBytes int // bytes of a key that an operation's path creates
}

// DefaultStateLimits are the limits of a state: 8 MiB, 64 levels and keys of 768 bytes.
var DefaultStateLimits = StateLimits{Bytes: 8 << 20, Depth: 64, KeyBytes: 768}

// NoLimits checks nothing but MaxBytes and MaxDepth: for entries that a server has accepted.
var NoLimits = StateLimits{}

// The bounds that hold without any limit: operations that share what they copy could pass them within microseconds.
const (
	MaxBytes = 1<<31 - 1 // bytes of a canonical text
	MaxDepth = 10_000    // levels of arrays and objects
)

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = DefaultLimits.Bytes
	}
	if l.Depth <= 0 {
		l.Depth = DefaultLimits.Depth
	}
	if l.KeyBytes <= 0 {
		l.KeyBytes = DefaultLimits.KeyBytes
	}
	l.Bytes = min(l.Bytes, MaxBytes)
	l.Depth = min(l.Depth, MaxDepth)
	return l
}

// check refuses next when it is beyond a limit and prev was not worse.
func (l StateLimits) check(prev, next Value) *Error {
	if size, limit := next.Size(), bound(l.Bytes, MaxBytes); size > limit && size > prev.Size() {
		return fail(CodeStateTooLarge, overLimit("the state would have", size, "bytes", limit))
	}
	if depth, limit := next.Depth(), bound(l.Depth, MaxDepth); depth > limit && depth > prev.Depth() {
		return fail(CodeTooDeep, overLimit("the state would have", depth, "levels", limit))
	}
	return nil
}

func bound(limit, most int) int {
	if limit <= 0 {
		return most
	}
	return min(limit, most)
}
