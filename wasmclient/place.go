package wasmclient

import (
	"context"
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
)

// The methods of this file are patches of one place. The place is a JSON Pointer (RFC 6901), such as "/chat/messages/3",
// or the name of a top-level property, such as "messages", when it does not begin with "/". They wait for the verdict and
// return errors as PatchState does.

// Set puts the value at the place: a property of an object that exists, or, in the place of an index, a new element
// before the one that stands there.
func (s *State) Set(ctx context.Context, place string, value any) (version uint64, err error) {
	return s.change(ctx, document.Add, pointer(place), value)
}

// Append adds the values, in order and side by side, at the end of the array at the place. Appends of several clients
// never lose each other. Without values it does nothing.
func (s *State) Append(ctx context.Context, place string, values ...any) (version uint64, err error) {
	ops, err := appends(place, values)
	if err != nil || len(ops) == 0 {
		return s.Version(), err
	}
	return s.PatchState(ctx, ops...)
}

// SubmitAppend is Append without the wait for the verdict; see Submit. Without values the Pending is nil.
func (s *State) SubmitAppend(ctx context.Context, place string, values ...any) (*Pending, error) {
	ops, err := appends(place, values)
	if err != nil || len(ops) == 0 {
		return nil, err
	}
	return s.SubmitPatch(ctx, ops...)
}

// Insert adds the values, in order and side by side, before the element with the given index of the array at the place;
// an index equal to the array's length is its end. Without values it does nothing.
func (s *State) Insert(ctx context.Context, place string, index int, values ...any) (version uint64, err error) {
	ops, err := inserts(pointer(place), func(i int) string { return strconv.Itoa(index + i) }, values)
	if err != nil || len(ops) == 0 {
		return s.Version(), err
	}
	return s.PatchState(ctx, ops...)
}

// Increment adds by to the number at the place. Increments of several clients add up.
func (s *State) Increment(ctx context.Context, place string, by float64) (version uint64, err error) {
	return s.change(ctx, document.Increment, pointer(place), by)
}

// Remove takes the property or the element at the place away.
func (s *State) Remove(ctx context.Context, place string) (version uint64, err error) {
	return s.PatchState(ctx, document.PatchOp{Kind: document.Remove, Path: pointer(place)})
}

func (s *State) change(ctx context.Context, kind document.OpKind, path string, value any) (uint64, error) {
	v, err := valueOf(value)
	if err != nil {
		return 0, err
	}
	return s.PatchState(ctx, document.PatchOp{Kind: kind, Path: path, Value: v})
}

func appends(place string, values []any) ([]document.PatchOp, error) {
	return inserts(pointer(place), func(int) string { return "-" }, values)
}

// inserts returns one add operation for each value, at the token of its number in the array at the path.
func inserts(path string, token func(i int) string, values []any) ([]document.PatchOp, error) {
	ops := make([]document.PatchOp, len(values))
	for i, value := range values {
		v, err := valueOf(value)
		if err != nil {
			return nil, err
		}
		ops[i] = document.PatchOp{Kind: document.Add, Path: path + "/" + token(i), Value: v}
	}
	return ops, nil
}

var escapeToken = strings.NewReplacer("~", "~0", "/", "~1")

// pointer returns the JSON Pointer of the place.
func pointer(place string) string {
	if strings.HasPrefix(place, "/") {
		return place
	}
	return "/" + escapeToken.Replace(place)
}
