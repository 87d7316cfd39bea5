// Package core is the client as a state machine without I/O: events go in (connected, a frame, lost, a tick, a call),
// effects come out (dial, disconnect, settle, notify), and the frames to send are pulled. It has no goroutine, no lock,
// no clock and no source of randomness of its own, so the same code runs natively and in a browser, and is fuzzed and
// simulated in virtual time.
//
// How a driver uses it:
//
//  1. All methods of a Core and of its States are called under one lock. Values that come out are immutable and may be
//     read anywhere.
//  2. After every call the driver takes Effects and carries them out in order, outside of the lock, and sets its timer to
//     NextWake. Then it asks its writer to pull Output until that is empty.
//  3. Dial begins a connection. Connected, Received and Lost are reported for the newest connection only; after Lost, and
//     after a Disconnect effect, nothing more is reported for it.
//  4. Time is milliseconds on a clock that never goes back. 0 is no time: the clock starts above it.
package core

// Time is in milliseconds on a monotonic clock that the driver chose; it also measures durations.
type Time = int64

// Config configures a Core. Zero fields have the given defaults.
type Config struct {
	Session          string        // unguessable name of this client instance, 16 to 64 of A-Z a-z 0-9 _ -; required
	ClientIdentifier string        // the user's name for this client, told to the server
	Random           func() uint64 // uniform; for the jitter of the backoff. Required
	BackoffMin       Time          // bound of the first wait before dialing again: 500
	BackoffMax       Time          // bound of the longest wait: 20,000. What the server advises may be longer
	StableAfter      Time          // a connection that lasted so long resets the count of attempts: 10,000
	ConnectTimeout   Time          // for dialing, and again for the server's welcome: 10,000
	MaxPending       int           // changes without a verdict, per state: 10,000. Beyond, Submit fails with pending_limit
	MaxPendingBytes  int           // their size as JSON text, per state: 16 MiB
	MaxFrame         int           // bytes of a frame from the server: 64 MiB. Beyond, the connection is dropped
	MaxState         int           // bytes of a state's value as JSON text: 64 MiB. Beyond, the connection is dropped

	// OnVersion, when set, is called at every step of a state's confirmed version, in order: by one for each entry and
	// each accepted change, or a jump for a snapshot or a catch-up. It is for tests and must not call the Core.
	OnVersion func(s *State, from, to uint64, jump bool)
}

// Loss says why a connection ended or could not be made.
type Loss struct {
	Code       int    // the WebSocket close code or 0. Codes of the protocol's class of refused connections are terminal
	Reason     string // the close reason, or a sentence
	Terminal   bool   // the driver knows that trying again is useless, as after HTTP status 401
	RetryAfter Time   // the server's advice not to dial before this many milliseconds have passed; 0: none
	Err        error  // the cause, if any; its text completes an empty Reason
}
