package server

import (
	"github.com/server-state-sync/server-state-sync/internal/mutant"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// inbox holds the changes of a state that wait for their judgment: those of one session in their order, and the
// sessions in turn, so that nobody waits behind everything that another has sent. It also counts what sessions have
// undecided, and bounds it. The state's lock guards it.
type inbox struct {
	before queue[*change] // what goes before the rest: it had its turn already
	turns  queue[*lane]   // the lanes in which something waits
	own    lane           // of the program

	maxChanges, maxBytes int
	changes, bytes       int                // of sessions, without a verdict: also those that are judged and not committed
	left                 map[*session]*lane // of sessions that have changes in here and no record
}

// lane is what one session has in the inbox. It outlives the session's record, so that leaving and joining again makes
// no room.
type lane struct {
	waiting        queue[*change]
	changes, bytes int // without a verdict
}

func (b *inbox) empty() bool { return b.before.empty() && b.turns.empty() }

// push puts a change behind the others of its session.
func (b *inbox) push(c *change) {
	l := &b.own
	if c.record != nil {
		l = c.record.lane
	}
	if l.waiting.empty() {
		b.turns.push(l)
	}
	l.waiting.push(c)
}

// pop returns the change whose turn it is; there must be one.
func (b *inbox) pop() *change {
	if !b.before.empty() {
		return b.before.pop()
	}
	l := b.turns.pop()
	c := l.waiting.pop()
	if !l.waiting.empty() {
		b.turns.push(l)
	}
	return c
}

// putBefore puts changes that were popped before all others, in their order.
func (b *inbox) putBefore(changes []*change) { b.before.putBefore(changes) }

// lane returns where the changes of a session wait.
func (b *inbox) lane(s *session) *lane {
	if l := b.left[s]; l != nil {
		return l
	}
	return new(lane)
}

// leave keeps the lane of a session whose record is dropped, as long as something is in it.
func (b *inbox) leave(r *record) {
	if r.lane.changes == 0 {
		return
	}
	if b.left == nil {
		b.left = make(map[*session]*lane)
	}
	b.left[r.session] = r.lane
}

// admit counts a change in. Not when there is no room: a session may have no more than what is free besides, so that
// those who have much are turned away before those who have little.
func (b *inbox) admit(l *lane, size int) bool {
	if l.changes >= b.maxChanges-b.changes {
		return false
	}
	if left := b.maxBytes - b.bytes; b.bytes > 0 && (size > left || l.changes > 0 && l.bytes+size > left) {
		return false
	}
	b.changes++
	b.bytes += size
	l.changes++
	l.bytes += size
	return true
}

// settle counts a change out that has its verdict.
func (b *inbox) settle(r *record, size int) {
	l := r.lane
	b.changes--
	b.bytes -= size
	l.changes--
	l.bytes -= size
	if l.changes == 0 && len(b.left) > 0 {
		delete(b.left, r.session)
	}
}

// turnAway refuses a change for which there is no room. The answer comes behind those to the session's changes before,
// and is kept as a number only.
func (s *state) turnAway(r *record, number uint64) {
	if mutant.DropOnFullBuffer {
		return
	}
	r.turned = number
	s.keeping.answered = true
	if r.last != nil {
		r.last.behind++
		return
	}
	s.sayBusy(r, 1, s.committed)
}

const busyReason = "too many changes to the state wait to be decided"

// sayBusy makes refusals visible of changes that were turned away.
func (s *state) sayBusy(r *record, count int, position uint64) {
	for range count {
		r.verdicts.pushRefusal(refusal{
			position: position, code: protocol.CodeStateBusy, reason: busyReason,
		})
	}
	s.server.counts.refused.Add(uint64(count))
	s.wake(r.subscription)
}
