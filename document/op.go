package document

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/internal/sorting"
)

// OpKind names what an operation does: the six operations of JSON Patch (RFC 6902 section 4) and increment.
type OpKind uint8

// The kinds of operation.
const (
	Add       OpKind = iota + 1 // sets a member, or inserts an element before an index
	Remove                      // removes a member or an element
	Replace                     // sets a member that must exist, or puts a new element in the place of one
	Move                        // removes the value at From and adds it at Path
	Copy                        // adds the value at From at Path
	Test                        // requires the value at Path to equal Value
	Increment                   // adds the number Value to the number at Path
)

// opNames are the names of the kinds in JSON Patch.
var opNames = [...]string{"", "add", "remove", "replace", "move", "copy", "test", "increment"}

// String returns the kind's name in JSON Patch: "add", "remove" and so on; "unknown" for another number.
func (k OpKind) String() string {
	if k < Add || k > Increment {
		return "unknown"
	}
	return opNames[k]
}

// ParseOpKind returns the kind with a name in JSON Patch, and whether there is one.
func ParseOpKind(name string) (OpKind, bool) {
	i := slices.Index(opNames[1:], name)
	return OpKind(i + 1), i >= 0
}

// HasFrom reports whether operations of the kind have a From.
func (k OpKind) HasFrom() bool { return k == Move || k == Copy }

// HasValue reports whether operations of the kind have a Value.
func (k OpKind) HasValue() bool { return k == Add || k == Replace || k == Test || k == Increment }

// nameToken is the Index of a token that is a member name.
const nameToken = -1

// Token is one step of a Path: the name of an object's member, or the index of an array's element. RFC 6901 leaves
// open which of the two "3" is; here it is decided when a path is made, so that positions can be carried without
// the value at hand. The name "-" stands for an array's end where the value is an array (RFC 6901 section 4).
type Token struct {
	Name  string // the member's name; empty for an index
	Index int    // the element's index, or -1 for a name
}

// Key returns the token for the member with the given name.
func Key(name string) Token { return Token{Name: name, Index: nameToken} }

// Elem returns the token for the element at index i, which must not be negative.
func Elem(i int) Token { return Token{Index: i} }

// IsIndex reports whether the token is an array index.
func (t Token) IsIndex() bool { return t.Index != nameToken }

// Path leads from the root of a value to a place in it. The empty path is the root.
type Path []Token

// Op is an operation with typed paths. From is used by Move and Copy; Value by Add, Replace and Test, and by
// Increment, where it is a number. An Op is never changed after it was made, so it may be shared.
type Op struct {
	Kind  OpKind
	From  Path
	Path  Path
	Value Value
}

// HasIndex reports whether a path of an operation has an array index, so that the operations depend on the version
// that they were made for. Names, and "-", do not.
func HasIndex(ops []Op) bool {
	return slices.ContainsFunc(ops, func(op Op) bool {
		return slices.ContainsFunc(op.Path, Token.IsIndex) || slices.ContainsFunc(op.From, Token.IsIndex)
	})
}

// Properties returns the top-level properties that the operations write to, each once, in the order of Members. all is
// true, and names is nil, when the root itself is written, so that any property may have changed. What Test and Copy
// only read does not count; what Move takes away does.
func Properties(ops []Op) (names []string, all bool) {
	for _, op := range ops {
		if op.Kind == Test {
			continue
		}
		if len(op.Path) == 0 || (op.Kind == Move && len(op.From) == 0) {
			return nil, true
		}
		names = append(names, op.Path[0].String())
		if op.Kind == Move {
			names = append(names, op.From[0].String())
		}
	}
	sorting.Func(names, compareKeys[string, string])
	return slices.Compact(names), false
}
