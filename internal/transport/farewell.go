package transport

import "unicode/utf8"

// farewell follows the payload of a close frame: two bytes of code and a reason,
// which must be valid UTF-8 (RFC 6455, section 5.5.1).
type farewell struct {
	begun bool
	key   [4]byte // zero where the frame is not masked
	at    int     // bytes of the payload that have come
	char  [utf8.UTFMax]byte
	have  int // bytes of a character that has not ended
}

// follow takes the next bytes, and reports whether the reason is valid so far,
// or as a whole when they are the last.
func (f *farewell) follow(p []byte, last bool) bool {
	for _, b := range p {
		b ^= f.key[f.at&3]
		f.at++
		if f.at <= 2 {
			continue
		}
		f.char[f.have] = b
		f.have++
		if char := f.char[:f.have]; utf8.FullRune(char) {
			if !utf8.Valid(char) {
				return false
			}
			f.have = 0
		}
	}
	return !last || f.have == 0
}
