package protocol

import (
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
)

// Code says for machines how something ended: a connection, a connection to a state, or a change. The same numbers are
// WebSocket close codes. The range tells what to do, so that a code that is newer than its reader is still understood.
type Code uint16

// The codes. CodeTable has the names and sentences.
const (
	CodeShuttingDown     Code = 4000
	CodeHeartbeatTimeout Code = 4001
	CodeSlowWrite        Code = 4002
	CodeOverloaded       Code = 4003
	CodeHandshakeTimeout Code = 4004
	CodeMessageTimeout   Code = 4005
	CodeRateLimited      Code = 4006
	CodeInternalError    Code = 4007

	CodeUnauthorized        Code = 4100
	CodeOriginRefused       Code = 4101
	CodeProtocolUnsupported Code = 4102
	CodeBadMessage          Code = 4103
	CodeMessageTooLarge     Code = 4104
	CodeWindowExceeded      Code = 4105
	CodeSessionTaken        Code = 4106
	CodeSessionMismatch     Code = 4107
	CodeTooManyFragments    Code = 4108
	CodeInvalidUTF8         Code = 4109
	CodeTooManyPings        Code = 4110

	CodeStateNotFound     Code = 4200
	CodeNotAllowed        Code = 4201
	CodeStateRemoved      Code = 4202
	CodeTooManyStates     Code = 4203
	CodeIdentifierInvalid Code = 4204
	CodeStateUnavailable  Code = 4205

	CodeRefused           Code = 4300
	CodeInterceptTimeout  Code = 4301
	CodeInterceptPanic    Code = 4302
	CodeInvalidJSON       Code = 4303
	CodeInvalidUnicode    Code = 4304
	CodeDuplicateKey      Code = 4305
	CodeReservedKey       Code = 4306
	CodeNumberOutOfRange  Code = 4307
	CodeTooDeep           Code = 4308
	CodeKeyTooLong        Code = 4309
	CodeTooLarge          Code = 4310
	CodeStateTooLarge     Code = 4311
	CodeInvalidPatch      Code = 4312
	CodePathNotFound      Code = 4313
	CodePatchFailed       Code = 4314
	CodeTestFailed        Code = 4315
	CodeTooManyOperations Code = 4316
	CodeStorageFailed     Code = 4317
	CodeReentrant         Code = 4318
	CodeStateBusy         Code = 4319

	CodePendingLimit        Code = 4350
	CodeStateReplaced       Code = 4351
	CodeOutcomeUnknown      Code = 4352
	CodeClosed              Code = 4353
	CodeNotConnectedToState Code = 4354

	CodeConflict   Code = 4400
	CodeStale      Code = 4401
	CodeBaseTooOld Code = 4402
)

// CodeRow is a row of CodeTable.
type CodeRow struct {
	Code     Code
	Name     string
	Sentence string // what it means, and what to do
}

// CodeTable lists every code, ascending. It must not be changed.
var CodeTable = []CodeRow{
	{CodeShuttingDown, "shutting_down", "The server is shutting down; connect again after the advised time."},
	{CodeHeartbeatTimeout, "heartbeat_timeout", "Nothing came for two heartbeats, so the connection counts as dead; connect again."},
	{CodeSlowWrite, "slow_write", "The peer did not read what was sent within the write timeout; connect again and resume."},
	{CodeOverloaded, "overloaded", "The server has as many connections as it may; connect again later."},
	{CodeHandshakeTimeout, "handshake_timeout", "The first message did not come in time; connect again."},
	{CodeMessageTimeout, "message_timeout", "A message began and did not end in time; connect again."},
	{CodeRateLimited, "rate_limited", "The client sent more per second than the server allows; connect again after the advised time and send less."},
	{CodeInternalError, "internal_error", "The server failed at this connection through no fault of the client; connect again."},

	{CodeUnauthorized, "unauthorized", "The access token was not accepted; get a new one before connecting again."},
	{CodeOriginRefused, "origin_refused", "The page's origin is not on the server's list; add it to the server's allowed origins."},
	{CodeProtocolUnsupported, "protocol_unsupported", "The server does not speak this version of the protocol; update the older side."},
	{CodeBadMessage, "bad_message", "A message was not as this protocol says; the sender has a defect."},
	{CodeMessageTooLarge, "message_too_large", "A frame was longer than the server reads; send less at once or raise the server's limit."},
	{CodeWindowExceeded, "window_exceeded", "More changes were sent unanswered than the window allows; the sender has a defect."},
	{CodeSessionTaken, "session_taken", "A newer connection of the same session took over; this one is no longer needed."},
	{CodeSessionMismatch, "session_mismatch", "The session belongs to another client; begin a new session."},
	{CodeTooManyFragments, "too_many_fragments", "A message came in more fragments than the server reads; the sender has a defect."},
	{CodeInvalidUTF8, "invalid_utf8", "A text frame was not valid UTF-8; the sender has a defect."},
	{CodeTooManyPings, "too_many_pings", "More WebSocket pings came than the server answers; the sender has a defect."},

	{CodeStateNotFound, "state_not_found", "There is no state with this identifier; create it or check the identifier."},
	{CodeNotAllowed, "not_allowed", "The client may not connect to this state; the server's rule decides."},
	{CodeStateRemoved, "state_removed", "The state was removed or its time ended; connect again only if it is made again."},
	{CodeTooManyStates, "too_many_states", "The connection has joined as many states as it may; leave one first."},
	{CodeIdentifierInvalid, "identifier_invalid", "The identifier is empty, too long, or has control characters or invalid UTF-8; use another."},
	{CodeStateUnavailable, "state_unavailable", "The server could not load or make the state; try again later."},

	{CodeRefused, "refused", "The server's rules refused the change; the reason is theirs."},
	{CodeInterceptTimeout, "intercept_timeout", "The server's rules did not decide in time, and the change was not made; try again later."},
	{CodeInterceptPanic, "intercept_panic", "The server's rules failed, and the change was not made; the server has a defect."},
	{CodeInvalidJSON, "invalid_json", "The text is not JSON; correct it."},
	{CodeInvalidUnicode, "invalid_unicode", "A string has invalid UTF-8 or a lone surrogate; correct it."},
	{CodeDuplicateKey, "duplicate_key", "An object has the same key twice; send each once."},
	{CodeReservedKey, "reserved_key", "The key __proto__ is not allowed at any depth; use another."},
	{CodeNumberOutOfRange, "number_out_of_range", "A number overflows a double or is an integer beyond 2^53-1; send it as a string."},
	{CodeTooDeep, "too_deep", "A value is nested deeper than allowed; flatten it."},
	{CodeKeyTooLong, "key_too_long", "A key is longer than allowed; shorten it."},
	{CodeTooLarge, "too_large", "A value is larger than allowed; split it."},
	{CodeStateTooLarge, "state_too_large", "The change would make the state larger than allowed; remove something first."},
	{CodeInvalidPatch, "invalid_patch", "The content of the change has a wrong form; correct it."},
	{CodePathNotFound, "path_not_found", "An operation names a place that is not there; look at the current value."},
	{CodePatchFailed, "patch_failed", "An operation does not fit the value that it met; look at the current value."},
	{CodeTestFailed, "test_failed", "A test operation met another value; look at the current value."},
	{CodeTooManyOperations, "too_many_operations", "A change has more operations than allowed; split it."},
	{CodeStorageFailed, "storage_failed", "The server could not keep the change, and took it back where its storage still let it; look before you make it again."},
	{CodeReentrant, "reentrant", "A rule of a state tried to change that same state; let it rewrite the change instead."},
	{CodeStateBusy, "state_busy", "More changes to the state wait to be decided than the server holds, and the change was not made; try again later."},

	{CodePendingLimit, "pending_limit", "Too many changes wait for an answer; wait for some before making more."},
	{CodeStateReplaced, "state_replaced", "The state was removed and made again before the change was answered; look at the new value."},
	{CodeOutcomeUnknown, "outcome_unknown", "The change was sent and its answer was lost, so it may have been made or not; look at the current value."},
	{CodeClosed, "closed", "The client was closed or left the state before the change was answered."},
	{CodeNotConnectedToState, "not_connected_to_state", "The client is not connected to a state; connect to one first."},

	{CodeConflict, "conflict", "What the change addresses was removed or changed by another; make it again on the current value."},
	{CodeStale, "stale", "A property that the transaction read or wrote was changed by another; run it again on the current value."},
	{CodeBaseTooOld, "base_too_old", "The change addresses a position in a version too old to carry it forward; make it again on the current value."},
}

// rowOf returns the row of c, or nil.
func rowOf(c Code) *CodeRow {
	for i := range CodeTable {
		if CodeTable[i].Code == c {
			return &CodeTable[i]
		}
	}
	return nil
}

// String returns the name of the code, such as "bad_message", and "code 4999" for one that is not in the table.
func (c Code) String() string {
	if row := rowOf(c); row != nil {
		return row.Name
	}
	return "code " + strconv.Itoa(int(c))
}

// Sentence says what the code means and what to do about it. It is empty for a code that is not in the table.
func (c Code) Sentence() string {
	if row := rowOf(c); row != nil {
		return row.Sentence
	}
	return ""
}

// CodeByName returns the code with the given name.
func CodeByName(name string) (Code, bool) {
	for i := range CodeTable {
		if CodeTable[i].Name == name {
			return CodeTable[i].Code, true
		}
	}
	return 0, false
}

// CodeOf returns the code under which the wire speaks of a code of package document. The two have the same name.
func CodeOf(c document.Code) Code {
	if code, ok := CodeByName(string(c)); ok {
		return code
	}
	return CodePatchFailed
}
