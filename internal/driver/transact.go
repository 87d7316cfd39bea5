package driver

import (
	"errors"
	"slices"
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// mostRefusals is how often the server refuses a transaction before it gives up.
const mostRefusals = 8

var errStale error = &Error{Code: protocol.CodeStale}

// Transact sets top-level properties to values computed from the state, as if nobody else changed it meanwhile. The
// absent value means none. Where reads is nil the function has read all properties.
func (s *State) Transact(b Bound, reads []string, update func(previous document.Value) (updates document.Value, err error)) (version uint64, err error) {
	reads = slices.Clone(reads)
	return s.TransactReading(b, func(previous document.Value) (document.Value, []string, error) {
		updates, err := update(previous)
		return updates, reads, err
	})
}

// TransactReading is [State.Transact] for a function of which nobody knows beforehand what it looks at: it returns the
// top-level properties that it has read with its updates, nil for all of them.
func (s *State) TransactReading(b Bound, update func(previous document.Value) (updates document.Value, reads []string, err error)) (version uint64, err error) {
	for refusals, alone := 0, false; refusals < mostRefusals; alone = true {
		p, version, err := s.transactOnce(b, update, alone)
		if !errors.Is(err, errStale) {
			return version, err
		}
		if p != nil && p.sent {
			refusals++ // one that was not sent yet met a change that came in between: it is just run again
		}
	}
	return 0, &Error{
		Code:   protocol.CodeConflict,
		Reason: "the transaction was refused " + strconv.Itoa(mostRefusals) + " times because others changed what it read or wrote",
	}
}

// transactOnce runs the function on the view and waits for the verdict, alone or beside other transactions.
func (s *State) transactOnce(b Bound, update func(document.Value) (document.Value, []string, error), alone bool) (p *Pending, version uint64, err error) {
	if err := s.takeTurn(b, alone); err != nil {
		return nil, 0, err
	}
	defer s.endTurn()
	previous, version, basis := s.look()
	updates, reads, err := update(previous)
	if err != nil || !updates.Exists() {
		return nil, version, err
	}
	p, err = s.submit(b, core.Transaction{Updates: updates, Reads: reads, Basis: basis})
	version, err = s.wait(b)(p, err)
	return p, version, err
}

// look returns the view with what a transaction computed from it is judged by.
func (s *State) look() (view document.Value, version uint64, basis core.Basis) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.core.View(), s.core.Version(), s.core.Basis()
}
