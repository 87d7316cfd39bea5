package driver

import (
	"slices"
)

// turns lets the transactions of one state run side by side, and one that was refused run alone. Side by side each
// builds on those before it, so the refusal of one refuses them all; run again alone, at most the changes of other
// clients can refuse it. First come, first served. It is guarded by Client.mu.
type turns struct {
	running int
	alone   bool // the one that runs must run alone
	waiting []*turn
}

type turn struct {
	alone   bool
	granted chan struct{}
}

// free reports whether a turn could begin now.
func (t *turns) free(alone bool) bool { return t.running == 0 || !alone && !t.alone }

func (t *turns) begin(alone bool) {
	t.running++
	t.alone = alone
}

// end ends a turn and grants those that can begin now.
func (t *turns) end() {
	t.running--
	t.grant()
}

func (t *turns) grant() {
	for len(t.waiting) > 0 && t.free(t.waiting[0].alone) {
		next := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.begin(next.alone)
		close(next.granted)
	}
}

// takeTurn waits for a turn; the caller ends it by endTurn.
func (s *State) takeTurn(b Bound, alone bool) error {
	c := s.client
	c.mu.Lock()
	if len(s.turns.waiting) == 0 && s.turns.free(alone) {
		s.turns.begin(alone)
		c.mu.Unlock()
		return nil
	}
	mine := &turn{alone: alone, granted: make(chan struct{})}
	s.turns.waiting = append(s.turns.waiting, mine)
	c.mu.Unlock()
	select {
	case <-mine.granted:
		return nil
	case <-b.Done():
		s.giveUpTurn(mine)
		return waitEnded(b, "other transactions of this client run")
	}
}

func (s *State) giveUpTurn(mine *turn) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	if i := slices.Index(s.turns.waiting, mine); i >= 0 {
		s.turns.waiting = slices.Delete(s.turns.waiting, i, i+1)
		s.turns.grant()
		return
	}
	s.turns.end() // it was granted meanwhile
}

func (s *State) endTurn() {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	s.turns.end()
}
