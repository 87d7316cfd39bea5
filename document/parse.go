package document

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
	"github.com/server-state-sync/server-state-sync/internal/sorting"
)

// Parse reads one JSON text (RFC 8259) that is also I-JSON (RFC 7493) and returns its value, canonical (RFC 8785). It
// keeps a copy of what it needs of text. It refuses, with an *Error that has the place and one of the codes from
// CodeInvalidJSON to CodeTooLarge, what no double holds, integers beyond 2^53-1, lone surrogates, invalid UTF-8, a key
// that is twice in an object, the key __proto__, and what is beyond l. The numbers -0 and those too small for a double
// become 0.
func Parse(text []byte, l Limits) (Value, error) {
	l = l.withDefaults()
	if len(text) > l.Bytes {
		return Value{}, fail(CodeTooLarge, overLimit("the text has", len(text), "bytes", l.Bytes))
	}
	if length, depth := canonical(text, l); length > 0 && length == len(text) {
		return newText(string(text), depth), nil
	}
	return parseAny(text, l)
}

// parseAny is Parse for a text that need not be canonical.
func parseAny(text []byte, l Limits) (Value, error) {
	if at := invalidUTF8(text); at >= 0 {
		return Value{}, fail(CodeInvalidUnicode, "invalid UTF-8 at byte "+strconv.Itoa(at))
	}
	p := parser{text: text, out: make([]byte, 0, len(text)), limits: l}
	if err := p.document(); err != nil {
		return Value{}, err
	}
	if len(p.out) > l.Bytes {
		return Value{}, fail(CodeTooLarge, overLimit("the canonical text has", len(p.out), "bytes", l.Bytes))
	}
	return newText(string(p.out), p.depth), nil
}

// invalidUTF8 returns the index of the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
}

// parser writes the canonical form of its text.
type parser struct {
	text    []byte
	at      int    // index of the next byte
	out     []byte // the canonical text so far
	parts   []part // the members so far of the objects that are open
	scratch []byte // for sorting
	limits  Limits
	depth   int // deepest level so far
}

// part is where a member is in parser.out.
type part struct {
	key        []byte // unescaped
	start, end int
}

func (p *parser) document() error {
	p.at = jsonscan.Space(p.text, 0)
	if err := p.value(0); err != nil {
		return err
	}
	p.at = jsonscan.Space(p.text, p.at)
	if p.at == len(p.text) {
		return nil
	}
	if _, err := jsonscan.End(p.text, p.at, p.limits.Depth); err != nil {
		return syntaxError(err)
	}
	return fail(CodeInvalidJSON, "there is more than one value")
}

// pass passes what end has found the end of. An error of end becomes one of this package.
func (p *parser) pass(end int, err *jsonscan.Error) *Error {
	if err != nil {
		return syntaxError(err)
	}
	p.at = end
	return nil
}

// value reads a value within level containers.
func (p *parser) value(level int) *Error {
	start := p.at
	if start < len(p.text) {
		switch p.text[start] {
		case '{':
			return p.container(level+1, '}', p.objectRest)
		case '[':
			return p.container(level+1, ']', p.arrayRest)
		}
	}
	if err := p.pass(jsonscan.Scalar(p.text, start)); err != nil {
		return err
	}
	raw := jsonscan.Value(p.text[start:p.at])
	switch raw.Kind() {
	case '"':
		return p.str(raw)
	case '0':
		return p.number(raw)
	}
	p.out = append(p.out, raw...)
	return nil
}

// container reads an array or object at a level; rest reads what is after its first byte.
func (p *parser) container(level int, end byte, rest func(level int) *Error) *Error {
	if level > p.limits.Depth {
		return fail(CodeTooDeep, "there are more than "+strconv.Itoa(p.limits.Depth)+" levels")
	}
	p.depth = max(p.depth, level)
	p.out = append(p.out, p.text[p.at])
	p.at = jsonscan.Space(p.text, p.at+1)
	if err := rest(level); err != nil {
		return err
	}
	p.at++
	p.out = append(p.out, end)
	return nil
}

// more reports whether there is another value before the end of a container, of which i were read, and passes the comma.
func (p *parser) more(i int, end byte) (bool, *Error) {
	if i > 0 {
		p.at = jsonscan.Space(p.text, p.at)
	}
	if p.at < len(p.text) && p.text[p.at] == end {
		return false, nil
	}
	if i == 0 {
		return true, nil
	}
	return true, p.pass(jsonscan.Comma(p.text, p.at, end))
}

func (p *parser) arrayRest(level int) *Error {
	for i := 0; ; i++ {
		more, err := p.more(i, ']')
		if !more {
			return nil
		}
		p.out = appendComma(p.out, i)
		if err == nil {
			err = p.value(level)
		}
		if err != nil {
			return within(err, strconv.Itoa(i))
		}
	}
}

func (p *parser) objectRest(level int) *Error {
	mark, begin := len(p.parts), len(p.out)
	for i := 0; ; i++ {
		more, err := p.more(i, '}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		start := len(p.out)
		key, err := p.key()
		if err != nil {
			return err
		}
		p.out = append(p.out, ':')
		if err = p.pass(jsonscan.Colon(p.text, p.at)); err == nil {
			err = p.value(level)
		}
		if err != nil {
			return within(err, string(key))
		}
		p.out = append(p.out, ',')
		p.parts = append(p.parts, part{key, start, len(p.out)})
	}
	err := p.sort(p.parts[mark:], begin)
	p.parts = p.parts[:mark]
	if len(p.out) > begin {
		p.out = p.out[:len(p.out)-1] // the last comma
	}
	return err
}

// key reads a key and returns it, unescaped.
func (p *parser) key() ([]byte, *Error) {
	from, start := p.at, len(p.out)
	if err := p.pass(jsonscan.Name(p.text, from)); err != nil {
		return nil, err
	}
	if err := p.str(p.text[from:p.at]); err != nil {
		return nil, err
	}
	key := p.out[start+1 : len(p.out)-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		key = []byte(unescape(string(key)))
	}
	if err := checkKey(string(key), p.limits.KeyBytes); err != nil {
		return nil, err
	}
	return key, nil
}

// checkKey refuses a key that no value may have, or that is too long. The limit 0 means none.
func checkKey(key string, limit int) *Error {
	if key == reservedKey {
		return fail(CodeReservedKey, "the key __proto__ is reserved")
	}
	if limit > 0 && len(key) > limit {
		return fail(CodeKeyTooLong, overLimit("a key has", len(key), "bytes", limit))
	}
	return nil
}

// sort puts the members of an object, which are in p.out from begin on, in order.
func (p *parser) sort(parts []part, begin int) *Error {
	byKey := func(a, b part) int { return compareKeys(a.key, b.key) }
	sorted := slices.IsSortedFunc(parts, byKey)
	if !sorted {
		sorting.Func(parts, byKey)
	}
	for i := 1; i < len(parts); i++ {
		if bytes.Equal(parts[i-1].key, parts[i].key) {
			return fail(CodeDuplicateKey, "the key "+strconv.Quote(string(parts[i].key))+" is there twice")
		}
	}
	if sorted {
		return nil
	}
	p.scratch = append(p.scratch[:0], p.out[begin:]...)
	p.out = p.out[:begin]
	for _, member := range parts {
		p.out = append(p.out, p.scratch[member.start-begin:member.end-begin]...)
	}
	return nil
}

func (p *parser) str(raw []byte) *Error {
	if bytes.IndexByte(raw, '\\') < 0 {
		p.out = append(p.out, raw...)
		return nil
	}
	text, ok := jsonscan.Unquote(raw)
	if !ok {
		return fail(CodeInvalidUnicode, "a string has a lone surrogate")
	}
	p.out = appendQuoted(p.out, string(text))
	return nil
}

func (p *parser) number(raw []byte) *Error {
	f, ok := parseNumber(string(raw))
	if !ok {
		return fail(CodeNumberOutOfRange, "the number "+excerpt(string(raw))+" is beyond what a double holds exactly")
	}
	p.out = appendNumber(p.out, f)
	return nil
}

// syntaxError gives an error of the syntax its code.
func syntaxError(err *jsonscan.Error) *Error { return fail(CodeInvalidJSON, err.Error()) }
