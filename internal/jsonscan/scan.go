// Package jsonscan finds its way in JSON text (RFC 8259) without making anything of it: where values end, what is wrong
// and where, what a string says. It is strict about the grammar and leaves duplicate keys, lone surrogates, invalid
// UTF-8 and the range of numbers to its callers, which have codes for them.
package jsonscan

import (
	"strconv"
	"unicode/utf8"
)

// Error says where a text stops being JSON.
type Error struct {
	At     int    // index of the first byte that does not fit
	Reason string // a clause in lower case; empty where the text ends too early
}

// Error returns the reason and the place.
func (e *Error) Error() string {
	if e.Reason == "" {
		return "the text ends too early"
	}
	return e.Reason + " at byte " + strconv.Itoa(e.At)
}

// Unexpected is the error of the character at text[i], or of the text's end there. where says what it follows or stands
// in, such as "after array element (expecting ',' or ']')".
func Unexpected(text []byte, i int, where string) *Error {
	if i >= len(text) {
		return &Error{At: len(text)}
	}
	r, _ := utf8.DecodeRune(text[i:])
	return &Error{i, "invalid character " + strconv.QuoteRune(r) + " " + where}
}

// Space returns the index of the first byte from text[i] on that is no white space.
func Space(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// End returns the index after the value that starts at text[i], where no white space is. It refuses more levels of arrays
// and objects than the given.
func End(text []byte, i, levels int) (int, *Error) {
	var few [32]byte
	for ends := few[:0]; ; { // the last bytes of the arrays and objects that are open
		if i < len(text) && (text[i] == '[' || text[i] == '{') {
			if len(ends) == levels {
				return i, &Error{i, "there are more than " + strconv.Itoa(levels) + " levels"}
			}
			ends = append(ends, text[i]+2)
			i = Space(text, i+1)
			if i >= len(text) || text[i] != ends[len(ends)-1] {
				var err *Error
				if i, err = first(text, i, ends); err != nil {
					return i, err
				}
				continue
			}
		} else {
			var err *Error
			if i, err = Scalar(text, i); err != nil {
				return i, err
			}
		}
		var err *Error
		if i, ends, err = after(text, i, ends); err != nil || len(ends) == 0 {
			return i, err
		}
	}
}

// first passes what comes before a value in the innermost of the open arrays and objects: a name and a colon, or nothing.
func first(text []byte, i int, ends []byte) (int, *Error) {
	if ends[len(ends)-1] == ']' {
		return i, nil
	}
	i, err := Name(text, i)
	if err != nil {
		return i, err
	}
	return Colon(text, i)
}

// after passes the ends of arrays and objects, and then the comma before the next value and what else comes before it.
func after(text []byte, i int, ends []byte) (int, []byte, *Error) {
	for len(ends) > 0 {
		i = Space(text, i)
		end := ends[len(ends)-1]
		if i < len(text) && text[i] == end {
			i++
			ends = ends[:len(ends)-1]
			continue
		}
		i, err := Comma(text, i, end)
		if err == nil {
			i, err = first(text, i, ends)
		}
		return i, ends, err
	}
	return i, ends, nil
}

// Comma passes the comma after a value, and white space, in an array or object with the last byte end.
func Comma(text []byte, i int, end byte) (int, *Error) {
	switch {
	case i < len(text) && text[i] == ',':
		return Space(text, i+1), nil
	case end == ']':
		return i, Unexpected(text, i, "after array element (expecting ',' or ']')")
	}
	return i, Unexpected(text, i, "after object value (expecting ',' or '}')")
}

// Name passes the name of a member.
func Name(text []byte, i int) (int, *Error) {
	if i < len(text) && text[i] != '"' {
		return i, &Error{i, "object member name must be a string"}
	}
	return Scalar(text, i)
}

// Colon passes the colon between the name and the value of a member, with the white space around.
func Colon(text []byte, i int) (int, *Error) {
	if i = Space(text, i); i >= len(text) || text[i] != ':' {
		return i, Unexpected(text, i, "after object name (expecting ':')")
	}
	return Space(text, i+1), nil
}

// Scalar returns the index after the string, number or literal that starts at text[i].
func Scalar(text []byte, i int) (int, *Error) {
	if i < len(text) {
		switch c := text[i]; c {
		case '"':
			return stringEnd(text, i+1)
		case 't':
			return literalEnd(text, i, "true")
		case 'f':
			return literalEnd(text, i, "false")
		case 'n':
			return literalEnd(text, i, "null")
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			return numberEnd(text, i)
		}
	}
	return i, Unexpected(text, i, "at start of value")
}

func literalEnd(text []byte, i int, word string) (int, *Error) {
	for n := range len(word) {
		if i+n >= len(text) || text[i+n] != word[n] {
			return i + n, Unexpected(text, i+n, "in literal "+word)
		}
	}
	return i + len(word), nil
}

func numberEnd(text []byte, i int) (int, *Error) {
	if text[i] == '-' {
		i++
	}
	var err *Error
	if i < len(text) && text[i] == '0' {
		i++
	} else if i, err = digitsEnd(text, i); err != nil {
		return i, err
	}
	if i < len(text) && text[i] == '.' {
		if i, err = digitsEnd(text, i+1); err != nil {
			return i, err
		}
	}
	if i >= len(text) || text[i]|0x20 != 'e' {
		return i, nil
	}
	if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	return digitsEnd(text, i)
}

// digitsEnd passes one digit or more.
func digitsEnd(text []byte, i int) (int, *Error) {
	start := i
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	if i == start {
		return i, Unexpected(text, i, "in number (expecting digit)")
	}
	return i, nil
}

// stringEnd passes the rest of a string after its first quote.
func stringEnd(text []byte, i int) (int, *Error) {
	for i < len(text) {
		switch c := text[i]; {
		case Escaped[c] == 1:
			i++
		case c == '"':
			return i + 1, nil
		case c != '\\':
			return i, Unexpected(text, i, "in string (expecting non-control character)")
		default:
			n := escapeLength(text[i:])
			if n > len(text)-i {
				return len(text), &Error{At: len(text)}
			}
			if n == 0 {
				return i, &Error{i, "invalid escape sequence `" + string(text[i:min(i+2, len(text))]) + "` in string"}
			}
			i += n
		}
	}
	return i, &Error{At: len(text)}
}

// escapeLength returns the length of the escape at the start of text, also where it is cut off, or 0 if it is none.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 2
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		for _, c := range text[2:min(6, len(text))] {
			if c-'0' > 9 && c|0x20-'a' > 5 {
				return 0
			}
		}
		return 6
	}
	return 0
}
