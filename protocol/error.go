package protocol

// Error is an end with its code and a reason for people. Nothing may be decided on the text of the reason.
type Error struct {
	Code   Code
	Reason string // may be empty
}

// Error returns "name: reason", and the sentence of the code in place of a missing reason.
func (e *Error) Error() string {
	reason := e.Reason
	if reason == "" {
		reason = e.Code.Sentence()
	}
	if reason == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + reason
}

// Is reports whether target is an *Error with the same code, so that errors.Is finds it by its code alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
