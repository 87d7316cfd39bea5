package wasmclient

import (
	"github.com/server-state-sync/server-state-sync/internal/driver"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Error is what the client returns for everything that has a code: a refused change, a state that is over, a connection
// that was refused. Find it with errors.As; branch on its Code, or on Code.Class, which says whether to try again.
type Error = protocol.Error

// Errors that callers branch on, with errors.Is. Each stands for every [Error] with its code.
var (
	// ErrClosed: the client was closed, or the state was left.
	ErrClosed error = &Error{Code: protocol.CodeClosed}

	// ErrNotConnectedToState: a method of Client that acts on the state connected last was called before any was, or
	// after that one was left. After the server has ended it, the error says why.
	ErrNotConnectedToState error = &Error{Code: protocol.CodeNotConnectedToState}

	// ErrOutcomeUnknown: the change may take effect or not. Either nobody waits for the verdict any longer, because the
	// context ended, while the change goes on; or the verdict was lost, because the server forgot the session.
	ErrOutcomeUnknown error = &Error{Code: protocol.CodeOutcomeUnknown}

	// ErrConflict: what the change addresses was removed or replaced by another, or a transaction was refused too often.
	ErrConflict error = &Error{Code: protocol.CodeConflict}

	// ErrRefused: the server's rules refused the change; the Reason is theirs.
	ErrRefused error = &Error{Code: protocol.CodeRefused}

	// ErrUnauthorized: the server did not accept the access token, and the client has given up.
	ErrUnauthorized error = &Error{Code: protocol.CodeUnauthorized}

	// ErrStateNotFound: there is no state with this identifier.
	ErrStateNotFound error = &Error{Code: protocol.CodeStateNotFound}

	// ErrNotAllowed: this client may not connect to the state.
	ErrNotAllowed error = &Error{Code: protocol.CodeNotAllowed}

	// ErrStateRemoved: the state was removed while the client was connected to it.
	ErrStateRemoved error = &Error{Code: protocol.CodeStateRemoved}

	// ErrStateReplaced: the state was made anew while the client was away, as by a server that was started without its
	// data. Changes without a verdict are refused with it, and OnError hears it; the client follows the new state.
	ErrStateReplaced error = &Error{Code: protocol.CodeStateReplaced}
)

// PanicError reports to OnError that a function of the user panicked. The client goes on. Its fields are In, what
// panicked (such as the listener "chat", or the token source); Value, what was given to panic; and Stack, the stack of
// the goroutine, cut at 16 KiB.
type PanicError = driver.PanicError
