package document

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
