package jsonscan

// Value is the text of a value, without white space around it.
type Value []byte

// Kind returns the first byte of a value, and '0' for all numbers; 0 for no value.
func (v Value) Kind() byte {
	if len(v) == 0 {
		return 0
	}
	if c := v[0]; c != '-' && c-'0' > 9 {
		return c
	}
	return '0'
}

// Scanner goes through a text that is one array, into those of its elements that are arrays too, and passes the others
// whole. The zero Scanner has nothing to read; Reset gives it a text.
type Scanner struct {
	text   []byte
	at     int // after what was read last
	levels int // how many may be open
	depth  int // how many arrays are open
	comma  bool
}

// Reset begins with a text, of which no more levels are read than the given.
func (s *Scanner) Reset(text []byte, levels int) { *s = Scanner{text: text, levels: levels} }

// At returns the index after what was read last.
func (s *Scanner) At() int { return s.at }

// Depth returns how many arrays are open.
func (s *Scanner) Depth() int { return s.depth }

// next returns the index of the next value or of the end of the array.
func (s *Scanner) next() (int, *Error) {
	i := Space(s.text, s.at)
	switch {
	case i == len(s.text) && s.depth == 0:
		return s.at, &Error{At: s.at}
	case !s.comma || i < len(s.text) && s.text[i] == ']':
		return i, nil
	}
	i, err := Comma(s.text, i, ']')
	if err == nil && i < len(s.text) && s.text[i] == ']' {
		err = Unexpected(s.text, i, "at start of value")
	}
	return i, err
}

// Kind returns the Kind of the next value, or ']' before the end of an array. Before what is not JSON it is 0 or the byte
// that is wrong; reading on says so.
func (s *Scanner) Kind() byte {
	i, err := s.next()
	if err != nil {
		return 0
	}
	return Value(s.text[i:]).Kind()
}

// Ended reports whether nothing but white space is left.
func (s *Scanner) Ended() bool { return Space(s.text, s.at) == len(s.text) }

// Value reads a value whole. It refers to the text.
func (s *Scanner) Value() (Value, *Error) {
	i, err := s.next()
	if err != nil {
		return nil, err
	}
	end, err := End(s.text, i, s.levels-s.depth)
	if err != nil {
		return nil, err
	}
	s.at, s.comma = end, s.depth > 0
	return s.text[i:end], nil
}

// Rest returns the text from the next value on; nil when there is none.
func (s *Scanner) Rest() []byte {
	i, err := s.next()
	if err != nil {
		return nil
	}
	return s.text[i:]
}

// Pass goes on after a value that the caller has read from Rest; left is the text behind it.
func (s *Scanner) Pass(left []byte) {
	s.at, s.comma = len(s.text)-len(left), s.depth > 0
}

// Bracket reads the beginning or the end of an array, whichever is next: Kind is '[' or ']'.
func (s *Scanner) Bracket() *Error {
	i, err := s.next()
	switch {
	case err != nil:
		return err
	case i < len(s.text) && s.text[i] == '[':
		s.depth++
		s.comma = false
	case i < len(s.text) && s.text[i] == ']' && s.depth > 0:
		s.depth--
		s.comma = s.depth > 0
	default:
		return Unexpected(s.text, i, "at start of value")
	}
	s.at = i + 1
	return nil
}
