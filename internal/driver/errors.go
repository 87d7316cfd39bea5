package driver

import (
	"errors"
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Error is what the client returns for everything that has a code.
type Error = protocol.Error

// Errors that the driver itself gives; package wasmclient says more of them.
var (
	ErrClosed              error = &Error{Code: protocol.CodeClosed}
	ErrNotConnectedToState error = &Error{Code: protocol.CodeNotConnectedToState}
	ErrOutcomeUnknown      error = &Error{Code: protocol.CodeOutcomeUnknown}
)

// PanicError reports to OnError that a function of the user panicked. The client goes on.
type PanicError struct {
	In    string // what panicked: `the listener "chat"`, the token source, an OnError listener
	Value any    // what was given to panic
	Stack []byte // the goroutine's stack, cut at 16 KiB
}

// Error returns what panicked and with what.
func (e *PanicError) Error() string { return e.In + " panicked: " + panicText(e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// panicText returns what the value says. An error that is JavaScript's own may panic when it is asked.
func panicText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a value that has no text"
		}
	}()
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	case interface{ String() string }:
		return v.String()
	default:
		return "a value that has no text"
	}
}

// unknownOutcome is ErrOutcomeUnknown with the cause that nobody waits for the verdict, or that there will be none.
type unknownOutcome struct{ cause error }

func (e *unknownOutcome) Error() string {
	return "the outcome of the change is unknown: " + e.cause.Error()
}
func (e *unknownOutcome) Unwrap() []error { return []error{ErrOutcomeUnknown, e.cause} }

// connectionProblem is the core's error about the connection with the cause that the transport or the token source
// gave.
type connectionProblem struct {
	coded *Error
	cause error
}

func (e *connectionProblem) Error() string   { return Text(e.coded) }
func (e *connectionProblem) Unwrap() []error { return []error{e.coded, e.cause} }

// Text returns why a connection ended as a sentence, also where only WebSocket knows the code.
func Text(e *Error) string {
	if e.Code.Sentence() != "" {
		return e.Error()
	}
	return "the connection could not be made or was lost: " + e.Reason
}

// droppedProblems stands for errors that nobody listened to in time.
type droppedProblems struct{ count int }

func (e *droppedProblems) Error() string {
	return strconv.Itoa(e.count) + " further errors were not kept: there was no OnError listener"
}

// Coded gives an error of package document the code of the same name, so that callers meet one typed error.
func Coded(err error) error {
	refused, ok := errors.AsType[*document.Error](err)
	if !ok {
		return err
	}
	reason := refused.Reason
	if refused.Path != "" {
		reason += " (at " + refused.Path + ")"
	}
	return &Error{Code: protocol.CodeOf(refused.Code), Reason: reason}
}

// waitEnded returns the error for a wait that b ended before anything was done.
func waitEnded(b Bound, what string) error {
	return &endedWait{what, b.Err()}
}

type endedWait struct {
	what  string
	cause error
}

func (e *endedWait) Error() string { return e.what + ": " + e.cause.Error() }
func (e *endedWait) Unwrap() error { return e.cause }

func quote(text string) string { return strconv.Quote(text) }
