//go:build !mutants

package mutant

// None of the bugs is there.
const (
	// ResumeOffByOne lets a client that resumes miss the first version after its own.
	ResumeOffByOne = false
	// ApplyTwiceOnResend judges a change again that came a second time.
	ApplyTwiceOnResend = false
	// DropOnFullBuffer gives no verdict on a change for which the inbox has no room.
	DropOnFullBuffer = false
	// AuthorizationSkippedOnResume lets a client back into a state without asking AllowConnectingClient.
	AuthorizationSkippedOnResume = false
	// AnswerBeforeCommit answers when a change is handed to the log, not when the log has it.
	AnswerBeforeCommit = false
	// EpochKept gives a state that is removed and made again the epoch that it had.
	EpochKept = false
	// CarryOffByOne counts a removed element one place too far, so that a change meant for it lands on another.
	CarryOffByOne = false
	// LostDelete forgets the members that an object has no more, when a merge is reduced to operations.
	LostDelete = false
	// MissingNumberGuard lets integers beyond 2^53-1 in, which a double may round.
	MissingNumberGuard = false
	// UnboundedBuffer keeps every entry for whoever is slow.
	UnboundedBuffer = false
	// CatchupWithoutRemoval keeps what was removed while the client was behind.
	CatchupWithoutRemoval = false
	// StaleFence lets the hello of an older connection take the session from the newer one.
	StaleFence = false
)
