package server

import "time"

// line makes transactions fair. Run against busy writers, the same transaction could be stale every time. So the first
// session that is refused as stale has the turn until its next transaction is judged, it goes away, or a short time is
// over. Meanwhile the transactions of other sessions, and what those sessions sent behind them, wait in order; they are
// judged before the same session can have another turn. No change waits for longer than one turn may take, whoever had
// turns meanwhile, and no other change is delayed. The state's lock guards it.
type line struct {
	turn    *record   // who has the turn; nil: nobody
	waiting []*change // those that wait longest first
	timer   func()    // stops the clock of the turn
	turns   uint64    // how many turns there were, so that an old clock does nothing
}

// holds reports whether the change has to wait, and keeps it if so.
func (s *state) holds(c *change) bool {
	l := &s.line
	if l.turn == nil || c.record == nil || c.record == l.turn {
		return false
	}
	if !c.transaction && c.record.waiting == 0 {
		return false
	}
	if now := s.server.options.clock.Now(); c.held.IsZero() {
		c.held = now
	} else if s.turnLeft(c, now) <= 0 {
		return false
	}
	c.record.waiting++
	l.waiting = append(l.waiting, c)
	return true
}

// leave ends the turn of the session, or of anybody for nil; what waited goes back before the rest. It reports whether
// anything did.
func (l *line) leave(r *record, inbox *inbox) (others bool) {
	if l.turn == nil || r != nil && l.turn != r {
		return false
	}
	l.turn = nil
	l.timer()
	for _, c := range l.waiting {
		c.record.waiting = 0
	}
	others = len(l.waiting) > 0
	inbox.putBefore(l.waiting)
	l.waiting = nil
	return others
}

// turnLeft returns for how long a change may go on waiting that was held.
func (s *state) turnLeft(c *change, now time.Time) time.Duration {
	return s.server.options.TransactionTurn - now.Sub(c.held)
}

// giveTurn gives the turn to a session whose transaction was refused as stale, if nobody has it: for as long as the
// first of those may wait that have waited already.
func (s *state) giveTurn(r *record) {
	if s.line.turn != nil || r == nil || r.subscription == nil {
		return
	}
	most := s.server.options.TransactionTurn
	if first := s.inbox.before; !first.empty() {
		if most = s.turnLeft(first.items[first.head], s.server.options.clock.Now()); most <= 0 {
			return
		}
	}
	s.line.turn = r
	s.line.turns++
	turn := s.line.turns
	s.line.timer = s.server.options.clock.AfterFunc(most, func() { s.endTurn(turn) })
}

// endTurn ends a turn whose time is over.
func (s *state) endTurn(turn uint64) {
	s.mu.Lock()
	defer s.unlock()
	if s.line.turns == turn {
		s.line.leave(nil, &s.inbox)
		s.judgeAll()
	}
}
