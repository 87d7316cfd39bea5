package wasmclient

import (
	"context"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// Pending is a change on its way to its verdict.
type Pending driver.Pending

func (p *Pending) driver() *driver.Pending { return (*driver.Pending)(p) }

// Done is closed when the change has its verdict, which it gets without anybody waiting: at the latest when the state is
// left or the client closes.
func (p *Pending) Done() <-chan struct{} { return p.driver().Done() }

// Verdict returns the version that the change made, or the error with which it was refused. Before Done is closed it
// returns [ErrOutcomeUnknown].
func (p *Pending) Verdict() (version uint64, err error) { return p.driver().Verdict() }

// Wait waits for the verdict and returns it. When ctx ends first, the error is both [ErrOutcomeUnknown] and that of ctx,
// and the change goes on.
func (p *Pending) Wait(ctx context.Context) (version uint64, err error) { return p.driver().Wait(ctx) }

// UpdateState sets top-level properties of the state to the given values, and waits for the verdict: the version that
// the change made, or an error. Of two writers of one property the last in the server's order wins; other properties
// are not touched. The updates are a document.Value or whatever [document.Of] takes, such as a map[string]any.
//
// The view has the change before UpdateState waits, and listeners hear of it; a refusal takes it back. Without a
// connection the change waits for one.
//
// The error is an [Error] with a code, such as [ErrRefused]. When ctx ends before the change was taken, which happens
// while too many changes wait, the error is that of ctx and nothing was done; when it ends later, the error is also
// [ErrOutcomeUnknown] and the change goes on.
func (s *State) UpdateState(ctx context.Context, updates any) (version uint64, err error) {
	value, err := valueOf(updates)
	if err != nil {
		return 0, err
	}
	return s.driver().UpdateState(ctx, value)
}

// PatchState applies the operations, all or none, and waits for the verdict as UpdateState does. They are those of JSON
// Patch (RFC 6902) and increment. Paths are read against the view at the time of the call; an index names the element
// that stood there, wherever changes of others have moved it until the patch arrives. If one of them ended the element,
// the error is [ErrConflict].
func (s *State) PatchState(ctx context.Context, ops ...document.PatchOp) (version uint64, err error) {
	return s.driver().PatchState(ctx, ops...)
}

// Submit is UpdateState without the wait for the verdict. It blocks only while too many changes of this state have none
// (see [WithPendingLimit]), so a loop around it runs as fast as the server answers. Changes take effect in the order in
// which they were submitted. The error means that nothing was done.
func (s *State) Submit(ctx context.Context, updates any) (*Pending, error) {
	value, err := valueOf(updates)
	if err != nil {
		return nil, err
	}
	p, err := s.driver().Submit(ctx, value)
	return (*Pending)(p), err
}

// SubmitPatch is PatchState without the wait for the verdict; see Submit.
func (s *State) SubmitPatch(ctx context.Context, ops ...document.PatchOp) (*Pending, error) {
	p, err := s.driver().SubmitPatch(ctx, ops...)
	return (*Pending)(p), err
}

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
	return s.driver().Transact(ctx, reads, valued(update))
}

// TransactReading is [State.Transact] for a function of which nobody knows beforehand what it looks at: it returns the
// top-level properties that it has read with its updates, nil for all of them.
func (s *State) TransactReading(ctx context.Context, update func(previous document.Value) (updates any, reads []string, err error)) (version uint64, err error) {
	return s.driver().TransactReading(ctx, func(previous document.Value) (document.Value, []string, error) {
		updates, reads, err := update(previous)
		if err != nil || updates == nil {
			return document.Value{}, nil, err
		}
		value, err := valueOf(updates)
		return value, reads, err
	})
}

// valueOf is document.Of with the client's errors.
func valueOf(v any) (document.Value, error) {
	value, err := document.Of(v)
	if err != nil {
		return document.Value{}, driver.Coded(err)
	}
	return value, nil
}

// valued returns the update as the driver takes it: none is the absent value.
func valued(update func(document.Value) (any, error)) func(document.Value) (document.Value, error) {
	return func(previous document.Value) (document.Value, error) {
		updates, err := update(previous)
		if err != nil || updates == nil {
			return document.Value{}, err
		}
		return valueOf(updates)
	}
}
