package server

// Log keeps the accepted changes of one state, in order and each once. The state judges changes on what it has
// appended, and tells nobody of a change before the log has committed it.
type Log interface {
	// Append hands over the record of the next version. It must not wait for storage. committed tells that the record,
	// and so every one before it, is kept already; otherwise the log reports it later through the function that OpenLog
	// was given. The record is valid during the call only: JSON text [session, number, operations], with an empty
	// session and number 0 for a change by the program. The session is a secret of its client: who reads it in the log
	// and is authorized as the same client can take the session over while it lasts. An error fails the log for good.
	Append(version uint64, record []byte) (committed bool, err error)

	// Close ends the log; records that are not committed may be lost. Nothing is appended or reported afterwards.
	Close() error
}

// OpenLog opens the log of a state that is being made. It is called without a lock, once at a time for an identifier,
// and must not make a state of the same identifier; nobody finds the state before it has returned. An error refuses the
// state. The log calls committed, from a goroutine of its own and never from inside OpenLog, Append or Close, with the
// highest version that is kept; one call may commit many versions. With an error it has failed for good: what was
// appended and is not committed is discarded, its changes are refused, so is every later one, and reading goes on.
type OpenLog func(identifier, epoch string, committed func(version uint64, err error)) (Log, error)

// memoryLog is the log of a state that lives as long as the process: what is appended is committed.
type memoryLog struct{}

func (memoryLog) Append(uint64, []byte) (bool, error) { return true, nil }
func (memoryLog) Close() error                        { return nil }
