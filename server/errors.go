package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Error is the error of an operation that was refused: a code for programs, a reason for people. Two errors with the
// same code are the same to errors.Is.
type Error = protocol.Error

// What callers branch on, with errors.Is.
var (
	ErrStateExists    = errors.New("a state with this identifier exists")
	ErrStateNotFound  = &Error{Code: protocol.CodeStateNotFound}
	ErrReentrant      = &Error{Code: protocol.CodeReentrant}
	ErrOutcomeUnknown = &Error{Code: protocol.CodeOutcomeUnknown}
	ErrClosed         = errors.New("the server is closed or shutting down")
)

// errRested says that a state has left memory: look for it again.
var errRested = &Error{Code: protocol.CodeStateUnavailable, Reason: "the state is at rest"}

// errDeadline is the answer in place of a callback that did not answer in time.
var errDeadline = errors.New("no answer in time")

// panicError is the answer in place of a callback that panicked.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// unknownOutcome is what a caller gets that stopped waiting for a verdict; cause is why it did.
type unknownOutcome struct{ cause error }

func (e *unknownOutcome) Error() string {
	return "the change was submitted and may be accepted or refused later: " + e.cause.Error()
}

func (e *unknownOutcome) Is(target error) bool { return target == error(ErrOutcomeUnknown) }

func (e *unknownOutcome) Unwrap() error { return e.cause }

// outcomeUnknown wraps the end of a context that a caller waited with.
func outcomeUnknown(ctx context.Context) error { return &unknownOutcome{cause: context.Cause(ctx)} }

// Refuse returns an error whose reason reaches the client, for callbacks.
func Refuse(reason string) error { return &Error{Code: protocol.CodeRefused, Reason: reason} }

// refused returns the protocol's error for an error of a callback or of package document; a reason is always kept.
func refused(err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *document.Error
	if errors.As(err, &theirs) {
		reason := theirs.Reason
		if theirs.Path != "" {
			reason += " (at " + theirs.Path + ")"
		}
		return &Error{Code: protocol.CodeOf(theirs.Code), Reason: reason}
	}
	return &Error{Code: protocol.CodeRefused, Reason: err.Error()}
}

// failure builds an Error with a formatted reason.
func failure(code protocol.Code, format string, arguments ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, arguments...)}
}
