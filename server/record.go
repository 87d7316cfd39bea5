package server

import (
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// record is what one state knows of one session: how far its changes came and what became of them. It outlives the
// connection, so that nothing is lost or done twice. The state's lock guards it.
type record struct {
	author       author
	session      *session
	subscription *subscription // of the session's connection; nil while it has none
	lost         time.Time     // when it lost its subscription
	member       bool          // the session counts as a client of the state
	mark         uint64        // the highest number received
	verdicts     verdicts
	disturbed    uint64 // the last own number that was refused or came out different
	waiting      int    // own changes that wait in the state's line

	lane   *lane   // where its changes wait
	last   *change // the last one without a verdict that was not turned away; nil: none
	turned uint64  // the last number that was turned away, for want of room

	restored bool          // a store had it, and no connection has resumed it since
	skipped  uint64        // answers up to here are known to the client alone, as it has said
	anew     bool          // the session's next change may have any number: it begins what is known of it
	logged   uint64        // the number of the last accepted change that the log was given; 0: none
	unlogged []keptRefusal // since then; those of changes that were turned away are not among them

	// An author computes the result of its own change by itself, except after a jump over entries that it would have
	// needed: then its answer carries the operations.
	jumped   uint64 // the version of the last jump: changes based below it
	jumpMark uint64 // the mark at that time: changes that were received before
	forgot   uint64 // the mark at the last fresh start: the session does not know its changes up to there any more
}

// needsOps reports whether the answer to an accepted own change carries the operations.
func (r *record) needsOps(number uint64, v verdict) bool {
	return v.has(altered) || v.has(indexed) && number <= r.jumpMark || number <= r.forgot
}

// flags returns the flags of the verdict on a change that is accepted.
func (r *record) flags(c *change, different bool) verdict {
	var flags verdict
	if c.indexed {
		flags |= indexed
	}
	if different || c.indexed && c.base < r.jumped {
		flags |= altered
	}
	return flags
}

// noteRefusal keeps a refusal for the log; at most the last of as many as the session may still ask about.
func (r *record) noteRefusal(k keptRefusal, window int) {
	if len(r.unlogged) >= 2*window {
		r.unlogged = append(r.unlogged[:0], r.unlogged[len(r.unlogged)-window:]...)
	}
	r.unlogged = append(r.unlogged, k)
}

// answers returns the verdicts after number told that stand at or before the version, and the last number among them.
func (r *record) answers(told, version uint64) (answers []protocol.Verdict, last uint64) {
	v := &r.verdicts
	for last = max(told, v.decided-uint64(v.held)); last < v.decided; last++ {
		number := last + 1
		given := v.of(number)
		if given == 0 {
			why := v.refusal(number)
			if why.position > version {
				break
			}
			answers = append(answers, protocol.Verdict{Number: number, Code: why.code, Reason: why.reason})
			continue
		}
		if given.version() > version {
			break
		}
		answers = append(answers, protocol.Verdict{Number: number, Version: given.version()})
	}
	return answers, last
}

// startOver forgets what an author knew of its own changes: it begins with a snapshot.
func (r *record) startOver(version uint64) {
	r.forgot = r.mark
	r.jump(version)
}

// jump notes that the author goes to the version without the entries before it.
func (r *record) jump(version uint64) {
	r.jumped, r.jumpMark = version, r.mark
}
