package document

import "strings"

// This file reads text that is canonical already, so it checks nothing. It never sees text that did not pass Parse or
// was not written by this package.

// stringEnd returns the index after the string that starts at text[i].
func stringEnd(text string, i int) int {
	for j := i + 1; ; j++ {
		j += strings.IndexByte(text[j:], '"')
		first := j
		for text[first-1] == '\\' {
			first--
		}
		if (j-first)%2 == 0 {
			return j + 1
		}
	}
}

// valueEnd returns the index after the value that starts at text[i], and its depth.
func valueEnd(text string, i int) (end, depth int) {
	switch text[i] {
	case '"':
		return stringEnd(text, i), 0
	case '{', '[':
		return containerEnd(text, i)
	}
	for i < len(text) && text[i] != ',' && text[i] != ']' && text[i] != '}' {
		i++
	}
	return i, 0
}

func containerEnd(text string, i int) (end, depth int) {
	for level := 0; ; i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i) - 1
		case '{', '[':
			level++
			depth = max(depth, level)
		case '}', ']':
			level--
			if level == 0 {
				return i + 1, depth
			}
		}
	}
}

// scanElements calls yield with the text and depth of each element of an array's text from index i on, which is 1 for
// the first element, until yield returns false.
func scanElements(text string, i int, yield func(text string, depth int) bool) {
	for text[i] != ']' {
		end, depth := valueEnd(text, i)
		if !yield(text[i:end], depth) {
			return
		}
		i = end
		if text[i] == ',' {
			i++
		}
	}
}

// scanMembers calls yield with the key (as text between its quotes), and the value's text and depth, of each member of
// an object's text, until yield returns false.
func scanMembers(text string, yield func(key, text string, depth int) bool) {
	for i := 1; text[i] != '}'; {
		colon := stringEnd(text, i)
		end, depth := valueEnd(text, colon+1)
		if !yield(text[i+1:colon-1], text[colon+1:end], depth) {
			return
		}
		i = end
		if text[i] == ',' {
			i++
		}
	}
}

// unescape returns what canonical text between quotes means. It is a part of text where nothing is escaped.
func unescape(text string) string {
	i := strings.IndexByte(text, '\\')
	if i < 0 {
		return text
	}
	b := make([]byte, 0, len(text))
	for i >= 0 {
		b = append(b, text[:i]...)
		var n int
		b, n = appendUnescaped(b, text[i:])
		text = text[i+n:]
		i = strings.IndexByte(text, '\\')
	}
	return string(append(b, text...))
}

// appendUnescaped appends what the escape at the start of text means, and returns its length.
func appendUnescaped(dst []byte, text string) ([]byte, int) {
	c := text[1]
	switch c {
	case 'b':
		c = '\b'
	case 't':
		c = '\t'
	case 'n':
		c = '\n'
	case 'f':
		c = '\f'
	case 'r':
		c = '\r'
	case 'u':
		return append(dst, hexValue(text[4])<<4|hexValue(text[5])), 6
	}
	return append(dst, c), 2
}

// hexValue returns the value of a hexadecimal digit in lower case.
func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}
