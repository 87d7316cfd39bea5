package transport

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Errors that callers branch on, by errors.Is.
var (
	// ErrClosed: this end was closed, or the peer has closed and nothing can be
	// written any more.
	ErrClosed = errors.New("connection is closed")

	// ErrLost: the connection ended without a close handshake.
	ErrLost = errors.New("connection lost")

	// ErrWriteTimeout: the peer does not take what is written.
	ErrWriteTimeout = errors.New("peer does not read: write timed out")
)

// CloseError is returned by Read when the peer has closed the connection.
type CloseError struct {
	Code   int    // 1005 when the peer gave none
	Reason string // for people; at most 123 bytes
}

// Error returns the code and the reason as a sentence.
func (e *CloseError) Error() string {
	text := "peer closed the connection with code " + strconv.Itoa(e.Code)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// Closed returns what the peer reads of a Close with code and reason.
func Closed(code int, reason string) *CloseError {
	return &CloseError{Code: sendableCode(code), Reason: cutReason(reason)}
}

// HandshakeError is returned by Dial when the server answered the handshake
// with an HTTP response of its own. A page is never told, so there it does not
// occur.
type HandshakeError struct {
	Status int    // HTTP status code
	Body   string // up to 1024 bytes of the response's body
}

// Error returns the status and the first line of the body as a sentence.
func (e *HandshakeError) Error() string {
	text := "server refused the connection with HTTP status " + strconv.Itoa(e.Status)
	if line := firstLine(e.Body); line != "" {
		text += ": " + line
	}
	return text
}

// firstLine returns the first line that is not blank, without the blanks around it.
func firstLine(text string) string {
	begin := 0
	for begin < len(text) && text[begin] <= ' ' {
		begin++
	}
	end := begin
	for end < len(text) && text[end] != '\n' {
		end++
	}
	for end > begin && text[end-1] <= ' ' {
		end--
	}
	return text[begin:end]
}

// Violation names the rule that a peer broke.
type Violation string

// The rules, each with the close code that RFC 6455 provides for it.
const (
	FrameTooLarge     Violation = "frame_too_large"    // 1009
	FrameTooSlow      Violation = "frame_too_slow"     // 1008
	TooManyFragments  Violation = "too_many_fragments" // 1008
	TooManyPings      Violation = "too_many_pings"     // 1008
	NotText           Violation = "not_text"           // 1003
	InvalidUTF8       Violation = "invalid_utf8"       // 1007
	ProtocolViolation Violation = "protocol_violation" // 1002
)

// Code returns the close code for v.
func (v Violation) Code() int {
	switch v {
	case FrameTooLarge:
		return codeTooLarge
	case NotText:
		return codeNotText
	case InvalidUTF8:
		return codeNotUTF8
	case ProtocolViolation:
		return codeProtocol
	}
	return codePolicy
}

// ViolationError is returned by Read when the peer broke a rule. Nothing more
// is read from that peer. The caller closes the connection, with
// Violation.Code and Reason or with words of its own.
type ViolationError struct {
	Violation Violation
	Reason    string // a sentence for the peer
}

// Error returns the reason.
func (e *ViolationError) Error() string { return "peer broke a rule: " + e.Reason }

// lostError is ErrLost with its cause.
type lostError struct{ cause error }

func (e *lostError) Error() string        { return ErrLost.Error() + ": " + e.cause.Error() }
func (e *lostError) Is(target error) bool { return target == ErrLost }
func (e *lostError) Unwrap() error        { return e.cause }

// checkFrame holds a whole frame to the rules about its content.
func checkFrame(frame []byte, limit int) error {
	if len(frame) > limit {
		return tooLarge(int64(len(frame)), limit)
	}
	if !utf8.Valid(frame) {
		return &ViolationError{InvalidUTF8, "text frame is not valid UTF-8"}
	}
	return nil
}

func tooLarge(size int64, limit int) error {
	return &ViolationError{FrameTooLarge, "frame of " + strconv.FormatInt(size, 10) + " bytes is larger than " + strconv.Itoa(limit)}
}

// sendableCode returns code if an endpoint may send it, else 1011.
func sendableCode(code int) int {
	switch {
	case code >= 3000 && code <= 4999:
	case code >= 1000 && code <= 1014 && code != 1004 && code != CodeNoStatus && code != 1006:
	default:
		return codeInternal
	}
	return code
}

// cutReason returns as much of reason as a close frame can carry, as valid
// UTF-8.
func cutReason(reason string) string {
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if len(reason) <= maxCloseReason {
		return reason
	}
	end := maxCloseReason
	for !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end]
}
