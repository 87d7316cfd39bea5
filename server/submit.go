package server

import (
	"context"
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Change is what the program itself wants to change: Updates, or Patch where that is set.
type Change struct {
	// Updates are top-level properties to set: anything that document.Of takes and that makes an object.
	Updates any
	// Patch are operations, applied all or not at all to the value that they meet.
	Patch []document.PatchOp
	// ClientInformation is what the state's interceptor is told of the author. Default: nothing.
	ClientInformation any
}

// Handle is a submitted change, of which the verdict may be awaited. It may be used by several goroutines.
type Handle struct {
	done    chan struct{}
	version uint64
	refusal *Error
}

// Done is closed when the change has its verdict.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Wait returns the version that the change became, or why it was refused, an *Error. When ctx ends before, the error is
// ErrOutcomeUnknown and wraps the cause: the change may still be accepted. A verdict that has come goes before ctx.
func (h *Handle) Wait(ctx context.Context) (version uint64, err error) {
	select {
	case <-h.done:
	case <-ctx.Done():
	}
	select {
	case <-h.done: // also when both have come
		return h.verdict()
	default:
		return 0, outcomeUnknown(ctx)
	}
}

func (h *Handle) verdict() (uint64, error) {
	if h.refusal != nil {
		return 0, h.refusal
	}
	return h.version, nil
}

func (h *Handle) settle(version uint64, refusal *Error) {
	h.version, h.refusal = version, refusal
	close(h.done)
}

// UpdateStateValue sets top-level properties of a state, through its interceptor, and returns the version that came of
// it. updates is anything that document.Of takes and that makes an object. clientInformation, if given, is what the
// interceptor is told of the author. The errors are those of Submit and Handle.Wait.
func (s *StateSyncer) UpdateStateValue(ctx context.Context, identifier string, updates any, clientInformation ...any) (version uint64, err error) {
	return s.submitAndWait(ctx, identifier, Change{Updates: updates, ClientInformation: first(clientInformation)})
}

// PatchState applies operations to a state, all or none, as UpdateStateValue sets properties.
func (s *StateSyncer) PatchState(ctx context.Context, identifier string, patch []document.PatchOp, clientInformation ...any) (version uint64, err error) {
	if patch == nil {
		patch = []document.PatchOp{}
	}
	return s.submitAndWait(ctx, identifier, Change{Patch: patch, ClientInformation: first(clientInformation)})
}

func first(given []any) any {
	if len(given) == 0 {
		return nil
	}
	return given[0]
}

func (s *StateSyncer) submitAndWait(ctx context.Context, identifier string, change Change) (uint64, error) {
	handle, err := s.Submit(ctx, identifier, change)
	if err != nil {
		return 0, err
	}
	return handle.Wait(ctx)
}

// Submit puts a change in line and returns when it has its place: changes submitted one after the other are judged in
// that order. It waits while Limits.Window changes by the program wait for their verdict, as long as ctx allows.
//
// Errors, after which nothing was submitted: ErrStateNotFound, ErrReentrant, ErrClosed, the end of ctx, and an *Error
// for updates that are no object of JSON, or with state_unavailable for a state that the store cannot give back.
func (s *StateSyncer) Submit(ctx context.Context, identifier string, change Change) (*Handle, error) {
	c, err := newOwnChange(ctx, change)
	if err != nil {
		return nil, err
	}
	for {
		state, err := s.find(ctx, identifier)
		switch {
		case err == nil:
		case s.draining.Load():
			return nil, ErrClosed // the states have ended with it
		default:
			return nil, err
		}
		if state.reenters(ctx) {
			return nil, ErrReentrant
		}
		handle, err := state.submitOwn(ctx, c)
		if err != errRested {
			return handle, err
		}
	}
}

func newOwnChange(ctx context.Context, from Change) (*change, error) {
	c := &change{handle: &Handle{done: make(chan struct{})}, ctx: ctx, client: from.ClientInformation}
	c.patch = slices.Clone(from.Patch) // the caller may change its own
	if c.patch != nil {
		return c, nil
	}
	var err error
	c.updates, err = objectOf(from.Updates)
	return c, err
}

// submitOwn waits for a slot, and puts the change in line.
func (s *state) submitOwn(ctx context.Context, c *change) (*Handle, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-s.server.ctx.Done():
		return nil, ErrClosed
	}
	s.mu.Lock()
	defer s.unlock()
	switch {
	case s.server.draining.Load():
		<-s.slots
		return nil, ErrClosed
	case s.removed:
		<-s.slots
		return nil, &Error{Code: protocol.CodeStateRemoved}
	case s.rested:
		<-s.slots
		return nil, errRested
	}
	s.used = true
	s.submit(c)
	return c.handle, nil
}
