package protocol

// Class says what to do about a code.
type Class uint8

// The classes.
const (
	Reconnect     Class = iota + 1 // the connection is lost for now: connect again, with backoff, and resume
	GiveUp                         // the connection is refused for good: do not connect again without a change
	StateOver                      // one state is over for this client; the connection goes on
	ChangeRefused                  // one change is refused: do not send it again as it is
	RunAgain                       // one change is refused because the state moved on: make it again on the current value
)

var classNames = [...]string{
	Reconnect:     "reconnect",
	GiveUp:        "give_up",
	StateOver:     "state_over",
	ChangeRefused: "change_refused",
	RunAgain:      "run_again",
}

// String returns the name of the class, such as "give_up".
func (c Class) String() string {
	if c < Reconnect || c > RunAgain {
		return "no class"
	}
	return classNames[c]
}

// Close codes of WebSocket itself (RFC 6455 section 7.4.1) that would come again on every attempt.
const (
	closeUnsupportedData Code = 1003
	closeInvalidPayload  Code = 1007
	closePolicyViolation Code = 1008
	closeMessageTooBig   Code = 1009
)

// Class classifies by range, so a code that is not in the table has a class as well: 4000-4099 Reconnect, 4100-4199
// GiveUp, 4200-4299 StateOver, 4300-4399 ChangeRefused, 4400-4499 RunAgain. Of WebSocket's own close codes 1003, 1007,
// 1008 and 1009 are GiveUp. Everything else is Reconnect.
func (c Code) Class() Class {
	switch {
	case c >= 4000 && c < 4500:
		return Reconnect + Class((c-4000)/100)
	case c == closeUnsupportedData, c == closeInvalidPayload, c == closePolicyViolation, c == closeMessageTooBig:
		return GiveUp
	default:
		return Reconnect
	}
}
