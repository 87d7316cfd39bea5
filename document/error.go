package document

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// Code says to machines why a text, a patch or an operation was refused. The codes are part of the wire protocol.
type Code string

// The codes of this package.
const (
	CodeInvalidJSON      Code = "invalid_json"        // the text is not JSON (RFC 8259), or a Go value has no JSON form
	CodeInvalidUnicode   Code = "invalid_unicode"     // invalid UTF-8 or a lone surrogate (RFC 7493 section 2.1)
	CodeDuplicateKey     Code = "duplicate_key"       // an object has a key twice (RFC 7493 section 2.3)
	CodeReservedKey      Code = "reserved_key"        // the key __proto__, which no JavaScript object can hold safely
	CodeNumberOutOfRange Code = "number_out_of_range" // no double, or an integer beyond 2^53-1 (RFC 7493 section 2.2)
	CodeTooDeep          Code = "too_deep"            // arrays and objects are nested deeper than the limit
	CodeKeyTooLong       Code = "key_too_long"        // a key has more bytes than the limit
	CodeTooLarge         Code = "too_large"           // a text has more bytes than the limit
	CodeStateTooLarge    Code = "state_too_large"     // the value that an operation makes has more bytes than the limit
	CodeInvalidPatch     Code = "invalid_patch"       // the patch breaks the form of RFC 6902 or RFC 6901
	CodePathNotFound     Code = "path_not_found"      // an operation names a place that is not there
	CodePatchFailed      Code = "patch_failed"        // an operation does not fit the value that it meets
	CodeTestFailed       Code = "test_failed"         // a test operation found another value
	CodeConflict         Code = "conflict"            // an operation names an element that was ended meanwhile
)

// Error is every error of this package. Code is for machines, Reason is for people and nobody may parse it.
type Error struct {
	Code   Code
	Path   string // JSON Pointer (RFC 6901) of the place in question; empty for the root or for none
	Reason string // a clause in lower case, without a full stop
}

// Error returns the code, the reason and the place: `path_not_found: the object has no member "b" (at /a/b)`.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Reason
	if e.Path == "" {
		return text
	}
	return text + " (at " + e.Path + ")"
}

// Is reports whether target is an *Error with the same code, so that errors.Is finds &Error{Code: c} in a chain.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// CodeOf returns the code of the first *Error in err's chain, or "" when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// within puts the token in front of the path of an error that is being returned through a container.
func within(err *Error, token string) *Error {
	err.Path = string(appendPointerToken(nil, token)) + err.Path
	return err
}

func fail(code Code, reason string) *Error { return &Error{Code: code, Reason: reason} }

func failAt(code Code, path Path, reason string) *Error {
	return &Error{Code: code, Path: path.String(), Reason: reason}
}

// overLimit phrases the refusal of a count beyond its limit: "the text has 12 bytes, and 10 are allowed".
func overLimit(what string, got int, unit string, limit int) string {
	return what + " " + strconv.Itoa(got) + " " + unit + ", and " + strconv.Itoa(limit) + " are allowed"
}

// excerpt returns the text, or the beginning of a long one, for an error.
func excerpt(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	end := most - len("...")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

// quote is excerpt in quotes.
func quote(text string) string { return strconv.Quote(excerpt(text)) }

// brief returns the canonical text of a value, or the beginning of a long one, for an error.
func brief(v Value) string {
	if v.n != nil && v.n.text == "" && v.Size() > 1<<10 {
		return article(v.Kind()) + " of " + strconv.Itoa(v.Size()) + " bytes"
	}
	return excerpt(v.String())
}

// article returns the kind as it stands in a sentence.
func article(k Kind) string {
	switch k {
	case Array, Object:
		return "an " + k.String()
	case Null, Absent:
		return k.String()
	default:
		return "a " + k.String()
	}
}
