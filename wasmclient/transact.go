package wasmclient

import (
	"context"
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

// Transact sets top-level properties to values computed from the state, as if nobody else changed it meanwhile: update
// gets the view and returns updates as for UpdateState, or nil for none. If another changed a property that was read or
// written before the updates arrived, they are refused and update runs again on the fresh view; after eight refusals
// the error is [ErrConflict].
//
// reads lists the top-level properties that update looks at; nil means all of them, so that any change of another
// counts. An empty list that is not nil means that it looks at none.
//
// The function may run several times, so it must have no effects of its own, and it must not call the client. An error
// that it returns is returned as it is, and nothing was done. Otherwise errors are those of UpdateState.
func (s *State) Transact(ctx context.Context, reads []string, update func(previous document.Value) (updates any, err error)) (version uint64, err error) {
	reads = slices.Clone(reads)
	return s.TransactReading(ctx, func(previous document.Value) (any, []string, error) {
		updates, err := update(previous)
		return updates, reads, err
	})
}

// TransactReading is [State.Transact] for a function of which nobody knows beforehand what it looks at: it returns the
// top-level properties that it has read with its updates, nil for all of them.
func (s *State) TransactReading(ctx context.Context, update func(previous document.Value) (updates any, reads []string, err error)) (version uint64, err error) {
	for refusals, alone := 0, false; refusals < mostRefusals; alone = true {
		p, version, err := s.transactOnce(ctx, update, alone)
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
func (s *State) transactOnce(ctx context.Context, update func(document.Value) (any, []string, error), alone bool) (p *Pending, version uint64, err error) {
	if err := s.takeTurn(ctx, alone); err != nil {
		return nil, 0, err
	}
	defer s.endTurn()
	previous, version, basis := s.look()
	updates, reads, err := update(previous)
	if err != nil || updates == nil {
		return nil, version, err
	}
	value, err := document.Of(updates)
	if err != nil {
		return nil, 0, coded(err)
	}
	p, err = s.submit(ctx, core.Transaction{Updates: value, Reads: reads, Basis: basis})
	version, err = s.wait(ctx)(p, err)
	return p, version, err
}

// look returns the view with what a transaction computed from it is judged by.
func (s *State) look() (view document.Value, version uint64, basis core.Basis) {
	s.client.mu.Lock()
	defer s.client.mu.Unlock()
	return s.core.View(), s.core.Version(), s.core.Basis()
}
