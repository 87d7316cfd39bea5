package stores

import "errors"

// Durability is what it means that a write is kept.
type Durability string

const (
	// Memory: it is lost with the process.
	Memory Durability = "memory"
	// Written: the operating system has it. It survives the end of the process, and is lost with the machine's power.
	Written Durability = "written"
	// Synced: the storage device has confirmed it. It survives a loss of power.
	Synced Durability = "synced"
)

var (
	// ErrExists: Create was called for a state that is kept already.
	ErrExists = errors.New("the state is kept already")
	// ErrNotFound: there is no such state in the store.
	ErrNotFound = errors.New("the store has no such state")
	// ErrCorrupt: what was kept of a state is not what was written. Nothing of it is returned. Errors wrap it and name the state.
	ErrCorrupt = errors.New("what was kept is damaged")
	// ErrFailed: the store could not write, and so takes no more writes until it is opened anew; reading goes on. Errors
	// wrap it and the cause.
	ErrFailed = errors.New("the store has failed, and takes no more writes")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// Store keeps states and sessions. After a write has failed, each write returns an error that wraps ErrFailed.
type Store interface {
	// Durability tells what it means that something is kept; it does not change.
	Durability() Durability

	// Lineage is a random name that changes when the store is opened after an end in which it may have lost writes that
	// it had reported as kept: after a Close, or with Synced, it stays. Versions of another lineage cannot be compared.
	Lineage() string

	// States calls visit with the header of every state that is kept; one whose header is damaged has err set and wrapping
	// ErrCorrupt. Create and Remove calls meanwhile may or may not be seen. visit must not keep the header.
	// An error that wraps ErrCorrupt says that something is damaged of which not even the name is known; all that can be read
	// was visited.
	States(visit func(identifier string, header []byte, err error)) error

	// Sessions calls visit with every session that is kept. visit must not keep the text. Errors as of States.
	Sessions(visit func(id string, text []byte)) error

	// Create begins to keep a state and returns when that is kept: its header, and its checkpoint, which is that of
	// version. The first record will be that of version+1. Errors: ErrExists, ErrFailed, ErrClosed.
	Create(identifier string, header []byte, version uint64, checkpoint []byte, committed Committed) (Log, error)

	// Open reads what is kept of a state, and goes on with it. At most one Log of a state is open at a time. Errors:
	// ErrNotFound, ErrCorrupt, ErrClosed, or what reading said. A store that has failed can be read: the Log that it
	// returns refuses appends.
	Open(identifier string, committed Committed) (Log, Kept, error)

	// Read reads what is kept of a state, whether it is open or not, without opening it. Errors as of Open.
	Read(identifier string) (Kept, error)

	// Remove forgets states, damaged ones too, and returns when that is kept. Their logs must be closed. It is no error
	// when there is no such state.
	Remove(identifiers ...string) error

	// KeepSession keeps a text under a session's id, in place of an earlier one. It does not wait for storage: a record
	// that is appended afterwards is not kept without it.
	KeepSession(id string, text []byte) error

	// ForgetSessions forgets sessions. It does not wait for storage.
	ForgetSessions(ids ...string) error

	// Close waits until what it was told is kept, and ends the store. Logs that are open take nothing any more.
	Close() error
}

// Committed is told the highest version of a state that is kept; one call may tell of many. With an error the log has
// failed for good, and what was appended after the versions reported before is not kept, as far as is known.
type Committed func(version uint64, err error)

// Log takes the accepted changes of one state, in order and each once.
type Log interface {
	// Append hands over the record of the next version; it is valid during the call only. committed tells that it, and so
	// every one before it, is kept already; otherwise that is reported later. An error fails the log for good.
	Append(version uint64, record []byte) (committed bool, err error)

	// Checkpoint hands over the state's header and checkpoint as of a version that was reported as kept, in place of the
	// former ones. Records below version keep may be forgotten then, and those of later versions than the checkpoint's
	// must not; keep is at most version+1. Both texts are valid during the call only. It is not reported.
	Checkpoint(header []byte, version uint64, checkpoint []byte, keep uint64) error

	// Close ends the log of the state; what was appended will be kept, but is not reported any more.
	Close() error
}

// Kept is what a store has of a state.
type Kept struct {
	Header     []byte
	Version    uint64   // of the checkpoint
	Checkpoint []byte   // at Version
	First      uint64   // the version of Records[0]; at most Version+1
	Records    [][]byte // of consecutive versions, up to the last that is kept, at least to Version
}

// Last returns the version up to which the state is kept.
func (k *Kept) Last() uint64 { return k.First + uint64(len(k.Records)) - 1 }
