package document

import (
	"math"
	"strconv"
	"strings"
)

// Pointer returns the JSON Pointer (RFC 6901) of the tokens: Pointer("a", "b/c") is "/a/b~1c".
func Pointer(tokens ...string) string {
	var dst []byte
	for _, token := range tokens {
		dst = appendPointerToken(dst, token)
	}
	return string(dst)
}

// ParsePointer returns the tokens of a JSON Pointer (RFC 6901 section 3), unescaped; none for "", the root. A pointer
// that does not begin with a slash, or has a ~ that is not ~0 or ~1, is an *Error with CodeInvalidPatch.
func ParsePointer(pointer string) ([]string, error) {
	tokens, err := parsePointer(pointer)
	if err != nil {
		return nil, err
	}
	return tokens, nil
}

func parsePointer(pointer string) ([]string, *Error) {
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, fail(CodeInvalidPatch, "the pointer "+quote(pointer)+" does not begin with a slash")
	}
	count := 0
	for i := range len(pointer) {
		if pointer[i] == '/' {
			count++
		}
	}
	if count > MaxDepth {
		return nil, fail(CodeInvalidPatch, overLimit("the pointer has", count, "tokens", MaxDepth))
	}
	tokens := make([]string, count)
	for i, rest := 0, pointer[1:]; i < count; i++ {
		token := rest
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			token, rest = rest[:slash], rest[slash+1:]
		}
		unescaped, ok := unescapeToken(token)
		if !ok {
			return nil, fail(CodeInvalidPatch, "the pointer "+quote(pointer)+" has a ~ that is neither ~0 nor ~1")
		}
		tokens[i] = unescaped
	}
	return tokens, nil
}

func unescapeToken(token string) (unescaped string, ok bool) {
	i := strings.IndexByte(token, '~')
	if i < 0 {
		return token, true
	}
	b := make([]byte, 0, len(token))
	for ; i >= 0; i = strings.IndexByte(token, '~') {
		b = append(b, token[:i]...)
		switch {
		case strings.HasPrefix(token[i:], "~0"):
			b = append(b, '~')
		case strings.HasPrefix(token[i:], "~1"):
			b = append(b, '/')
		default:
			return "", false
		}
		token = token[i+2:]
	}
	return string(append(b, token...)), true
}

// appendPointerToken appends a slash and the escaped token.
func appendPointerToken(dst []byte, token string) []byte {
	dst = append(dst, '/')
	for i := range len(token) {
		switch token[i] {
		case '~':
			dst = append(dst, "~0"...)
		case '/':
			dst = append(dst, "~1"...)
		default:
			dst = append(dst, token[i])
		}
	}
	return dst
}

// parseIndex reads an array index as RFC 6901 section 4 writes it: digits without a leading zero. It is no larger than
// an index may be in a message.
func parseIndex(token string) (i int, ok bool) {
	if token == "" || (token[0] == '0' && len(token) > 1) {
		return 0, false
	}
	for _, c := range []byte(token) {
		digit := int(c) - '0'
		if digit < 0 || digit > 9 || i > (math.MaxInt32-digit)/10 {
			return 0, false
		}
		i = i*10 + digit
	}
	return i, true
}

// String returns the token as it stands in a JSON Pointer, unescaped.
func (t Token) String() string {
	if t.IsIndex() {
		return strconv.Itoa(t.Index)
	}
	return t.Name
}

// String returns the path as a JSON Pointer (RFC 6901). Which tokens are indexes is lost.
func (p Path) String() string {
	var dst []byte
	for _, token := range p {
		dst = appendPointerToken(dst, token.String())
	}
	return string(dst)
}

// At returns the value at a JSON Pointer (RFC 6901); absent when it is not there or when the pointer is invalid.
func (v Value) At(pointer string) Value {
	if pointer == "" {
		return v
	}
	if pointer[0] != '/' {
		return Value{}
	}
	for v.Exists() && pointer != "" {
		token, rest := pointer[1:], ""
		if i := strings.IndexByte(token, '/'); i >= 0 {
			token, rest = token[:i], token[i:]
		}
		v, pointer = v.child(token), rest
	}
	return v
}

// child returns the value at one token of a JSON Pointer.
func (v Value) child(token string) Value {
	name, ok := unescapeToken(token)
	switch {
	case !ok:
	case v.Kind() == Object:
		return v.Get(name)
	case v.Kind() == Array:
		if i, ok := parseIndex(name); ok {
			return v.Index(i)
		}
	}
	return Value{}
}

// Lookup returns the value at a path; absent when it is not there. A name never finds an element and an index never
// finds a member.
func (v Value) Lookup(path Path) Value {
	for _, token := range path {
		if token.IsIndex() {
			v = v.Index(token.Index)
		} else {
			v = v.Get(token.Name)
		}
	}
	return v
}

// ParsePath types the tokens of a JSON Pointer (RFC 6901) by walking base: indexes in arrays, names elsewhere. The place
// need not be there, except that a token for an array must be an index or "-", which stays a name.
func ParsePath(base Value, pointer string) (Path, error) {
	path, _, err := typePath(base, pointer)
	if err != nil {
		return nil, err
	}
	return path, nil
}

// typePath is ParsePath. Where the last token is "-" and base has an array there, end is the array's length, else -1.
func typePath(base Value, pointer string) (path Path, end int, err *Error) {
	tokens, err := parsePointer(pointer)
	if err != nil {
		return nil, -1, err
	}
	path, end = make(Path, 0, len(tokens)), -1
	for i, token := range tokens {
		switch {
		case base.Kind() != Array:
			path = append(path, Key(token))
		case token == "-":
			path = append(path, Key(token))
			if i == len(tokens)-1 {
				end = base.Len()
			}
		default:
			index, ok := parseIndex(token)
			if !ok {
				return nil, -1, failAt(CodePatchFailed, append(path, Key(token)), quote(token)+" is no index of an array")
			}
			path = append(path, Elem(index))
		}
		base = base.Lookup(path[i:])
	}
	return path, end, nil
}
