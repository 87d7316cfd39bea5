package server

import (
	"sync"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// subscription is what one connection follows of one state: a cursor in the state's history, not a queue. It is parked
// at the head, or in its connection's list of those that have more, or on its way from the one to the other.
type subscription struct {
	peer *peer
	n    uint32        // the state's number on the connection
	join protocol.Join // what the client asked for

	state *state // set once, under the peer's lock, before the subscription enters the state

	// Guarded by the state's lock.
	record *record
	opened bool   // joined was taken
	resume bool   // the client goes on at its version
	cursor uint64 // the version up to which everything was taken
	told   uint64 // the highest own number whose verdict was taken
	place  int    // where it stands in the state's parked list, plus one; 0: not parked
	ending *Error // what closed says, when everything before was taken
	over   bool   // nothing more is to be taken
}

// drain appends messages to dst, each on its own line, until it has grown to limit bytes or nothing waits: then the
// subscription is parked and more is false.
func (sub *subscription) drain(dst []byte, limit int) (_ []byte, more bool) {
	s := sub.state
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(dst) < limit {
		switch {
		case sub.over:
			return dst, false
		case sub.record != nil && !sub.opened:
			dst = sub.open(dst)
			// The entries since the snapshot go with it: who has joined sees every change that was answered before.
			limit = max(limit, len(dst)+s.history.size(sub.cursor+1)+turnBytes)
		case sub.refusalDue():
			dst = sub.refuse(dst)
		case sub.record != nil && sub.cursor < s.committed:
			dst = sub.advance(dst, limit)
		case sub.ending != nil:
			dst = protocol.Closed{N: sub.n, Code: sub.ending.Code, Reason: sub.ending.Reason}.Append(newLine(dst))
			sub.over = true
			sub.peer.forget(sub)
		default:
			s.park(sub)
			return dst, false
		}
	}
	return dst, true
}

// newLine separates the message that follows from the one before.
func newLine(dst []byte) []byte {
	if len(dst) > 0 {
		return append(dst, '\n')
	}
	return dst
}

// open appends the answer to the join, and sets the cursor where it says.
func (sub *subscription) open(dst []byte) []byte {
	sub.opened = true
	s, r := sub.state, sub.record
	m := protocol.Joined{N: sub.n, Epoch: s.epoch, Version: sub.cursor, Mark: r.mark, Durability: s.server.durability}
	if sub.resume {
		return m.Append(newLine(dst))
	}
	snapshot := s.snapshotNow()
	m.Version = snapshot.version
	m.Verdicts, sub.told = r.answers(0, snapshot.version)
	sub.cursor = snapshot.version
	r.startOver(snapshot.version)
	dst = append(protocol.AppendJoinedHeader(newLine(dst), m), ',')
	return m.AppendEnd(append(dst, snapshot.text...))
}

// refusalDue reports whether the next own verdict is a refusal that stands here.
func (sub *subscription) refusalDue() bool {
	if sub.record == nil {
		return false
	}
	v := &sub.record.verdicts
	next := sub.told + 1
	return next <= v.decided && v.of(next) == 0 && v.refusal(next).position <= sub.cursor
}

func (sub *subscription) refuse(dst []byte) []byte {
	sub.told++
	why := sub.record.verdicts.refusal(sub.told)
	return protocol.Refused{N: sub.n, Number: sub.told, Code: why.code, Reason: why.reason}.Append(newLine(dst))
}

// advance appends the entries that come next, or the answer that stands in the place of the next one.
func (sub *subscription) advance(dst []byte, limit int) []byte {
	s, next := sub.state, sub.cursor+1
	if next < s.history.first() {
		return sub.jump(dst)
	}
	to := s.committed
	if own, accepted := sub.nextOwn(); own == next && accepted {
		return sub.answer(dst)
	} else if own > 0 {
		if accepted {
			own--
		}
		to = min(to, own)
	}
	text, last := s.history.run(next, to, limit-len(dst))
	dst = protocol.AppendEntriesHeader(newLine(dst), sub.n, next)
	sub.cursor = last
	return append(append(dst, text...), ']')
}

// nextOwn returns where the next own verdict stands: in the place of a version, or after it for a refusal; 0 when there
// is none yet.
func (sub *subscription) nextOwn() (version uint64, accepted bool) {
	v := &sub.record.verdicts
	next := sub.told + 1
	if next > v.decided {
		return 0, false
	}
	if given := v.of(next); given != 0 {
		return given.version(), true
	}
	return v.refusal(next).position, false
}

// answer appends the acceptance of the next own change, which stands in the place of its entry.
func (sub *subscription) answer(dst []byte) []byte {
	sub.cursor++
	sub.told++
	dst = protocol.AppendAcceptedHeader(newLine(dst), sub.n, sub.told, sub.cursor)
	if r := sub.record; r.needsOps(sub.told, r.verdicts.of(sub.told)) {
		dst = append(dst, ',')
		dst = append(dst, sub.state.history.ops(sub.cursor)...)
	}
	return append(dst, ']')
}

// jump appends what takes a cursor that fell out of the history close to the head in one step; entries go on from there.
func (sub *subscription) jump(dst []byte) []byte {
	s, r, from := sub.state, sub.record, sub.cursor
	catchup := s.catchupNow(from)
	to := catchup.version
	if catchup.text == nil {
		to = s.snapshotNow().version
	}
	sub.cursor = to
	var verdicts []protocol.Verdict
	verdicts, sub.told = r.answers(sub.told, to)
	r.jump(to)
	if catchup.text == nil {
		m := protocol.Snapshot{N: sub.n, Version: to, Mark: r.mark, Verdicts: verdicts}
		return protocol.AppendSnapshot(newLine(dst), m, s.snapshot.text)
	}
	m := protocol.Catchup{N: sub.n, From: from, To: to, Mark: r.mark, Verdicts: verdicts}
	return protocol.AppendCatchup(newLine(dst), m, catchup.text)
}

// end makes closed the last message. The state's lock is held.
func (sub *subscription) end(why *Error) {
	if !sub.over && sub.ending == nil {
		sub.ending = why
		sub.state.wake(sub)
	}
}

// park leaves the subscription waiting for the next version.
func (s *state) park(sub *subscription) {
	s.parked = append(s.parked, sub)
	sub.place = len(s.parked)
}

// unpark takes the subscription from the parked list, if it is there.
func (s *state) unpark(sub *subscription) bool {
	if sub.place == 0 {
		return false
	}
	last := len(s.parked) - 1
	moved := s.parked[last]
	s.parked[sub.place-1], moved.place = moved, sub.place
	s.parked[last] = nil
	s.parked = s.parked[:last]
	sub.place = 0
	return true
}

// wake tells the subscription's connection that there is more, once the state's lock is released. One that is not
// parked will see it anyway.
func (s *state) wake(sub *subscription) {
	if sub != nil && s.unpark(sub) {
		s.tell(sub)
	}
}

// tell hands the subscription to its connection once the state's lock is released.
func (s *state) tell(sub *subscription) {
	s.wakeList().subscriptions = append(s.wakeList().subscriptions, sub)
}

// wakeAll wakes every parked subscription.
func (s *state) wakeAll() {
	if len(s.parked) == 0 {
		return
	}
	for _, sub := range s.parked {
		sub.place = 0
	}
	list := s.wakeList()
	list.subscriptions = append(list.subscriptions, s.parked...)
	clear(s.parked)
	s.parked = s.parked[:0]
}

// wakeList collects subscriptions that are to be told.
type wakeList struct{ subscriptions []*subscription }

var wakeLists = sync.Pool{New: func() any { return new(wakeList) }}

func (s *state) wakeList() *wakeList {
	if s.woken == nil {
		s.woken = wakeLists.Get().(*wakeList)
	}
	return s.woken
}

func (l *wakeList) free() {
	clear(l.subscriptions)
	l.subscriptions = l.subscriptions[:0]
	wakeLists.Put(l)
}
