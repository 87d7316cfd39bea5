// Package typed lets a program use a client's state as a Go type. It converts by encoding/json, with its field tags; for
// that reason the browser's build does without it.
//
//	type Game struct {
//		Round  int            `json:"round"`
//		Scores map[string]int `json:"scores"`
//	}
//	game := typed.Of[Game](state)
//	_, err := game.Update(ctx, func(g *Game) error { g.Round++; return nil })
//
// A State may be used by several goroutines at once, as the one below it.
package typed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// State is a state whose value is a T: a struct, or a map with string keys. Properties of the state that T has no field
// for are left alone.
type State[T any] struct{ state *wasmclient.State }

// Of returns the state as one of T.
func Of[T any](state *wasmclient.State) State[T] { return State[T]{state} }

// State returns the state without its type, for everything that needs none: Append, Increment, Leave and such.
func (s State[T]) State() *wasmclient.State { return s.state }

// Get returns the state as this client sees it. The error says which part of it does not fit into T.
func (s State[T]) Get() (T, error) { return Decode[T](s.state.GetState()) }

// Put sets the properties to those of the value; see [wasmclient.State.UpdateState]. Of two writers the last wins.
func (s State[T]) Put(ctx context.Context, value T) (version uint64, err error) {
	updates, err := Encode(value)
	if err != nil {
		return 0, err
	}
	return s.state.UpdateState(ctx, updates)
}

// Update changes the state as if nobody else did meanwhile: change gets a copy of its own and may alter it; the top-level
// properties that come out different are set. It may run several times; see [wasmclient.State.Transact], also for the
// errors. A property that is left out of the JSON text after the change, as by omitempty, is set to null.
//
// reads lists the top-level properties that change looks at; none means all.
func (s State[T]) Update(ctx context.Context, change func(value *T) error, reads ...string) (version uint64, err error) {
	return s.state.Transact(ctx, reads, func(previous document.Value) (any, error) {
		value, err := Decode[T](previous)
		if err != nil {
			return nil, err
		}
		before, err := Encode(value)
		if err != nil {
			return nil, err
		}
		if err := change(&value); err != nil {
			return nil, err
		}
		after, err := Encode(value)
		if err != nil {
			return nil, err
		}
		return difference(before, after), nil
	})
}

// AddStateUpdateListener calls the listener with the state after every update that touches one of the properties, or
// any; see [wasmclient.State.AddStateUpdateListener]. The error says which part of the state does not fit into T.
func (s State[T]) AddStateUpdateListener(listenerIdentifier string, listener func(value T, err error), properties ...string) {
	s.state.AddStateUpdateListener(listenerIdentifier, func(u wasmclient.Update) {
		listener(Decode[T](u.View))
	}, properties...)
}

// difference returns the properties of after that before has not, or has otherwise, and null for those that are gone;
// nil when there are none.
func difference(before, after document.Value) any {
	updates := document.EmptyObject
	for name, v := range after.Members() {
		if !v.Equal(before.Get(name)) {
			updates = updates.With(name, v)
		}
	}
	for name := range before.Members() {
		if !after.Get(name).Exists() {
			updates = updates.With(name, document.MustOf(nil))
		}
	}
	if updates.Len() == 0 {
		return nil
	}
	return updates
}

// Decode returns the value as a T.
func Decode[T any](v document.Value) (T, error) {
	var decoded T
	if err := json.Unmarshal(v.AppendJSON(nil), &decoded); err != nil {
		return decoded, fmt.Errorf("decode the state as %T: %w", decoded, err)
	}
	return decoded, nil
}

// Encode returns the document of a T.
func Encode[T any](value T) (document.Value, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return document.Value{}, fmt.Errorf("encode a %T: %w", value, err)
	}
	v, err := document.Parse(text, document.Limits{})
	if err != nil {
		return document.Value{}, fmt.Errorf("encode a %T: %w", value, err)
	}
	return v, nil
}
