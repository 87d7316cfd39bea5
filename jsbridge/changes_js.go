package jsbridge

import (
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// A subject is what changes act on: a state, or a client for the state that it connected to last.
type subject interface {
	UpdateState(b driver.Bound, updates document.Value) (version uint64, err error)
	PatchState(b driver.Bound, ops ...document.PatchOp) (version uint64, err error)
	Transact(b driver.Bound, reads []string, update func(document.Value) (document.Value, error)) (version uint64, err error)
	GetState() document.Value
	AddStateUpdateListener(identifier string, call func(driver.Update), properties ...string)
	RemoveStateUpdateListener(identifier string) bool
}

// changes are the methods of the original package that act on a state.
func changes(of subject) []method {
	s := changer{of}
	return []method{
		{"updateState", s.updateState},
		{"patchState", s.patchState},
		{"getState", s.getState},
		{"addStateUpdateListener", s.addStateUpdateListener},
		{"removeStateUpdateListener", s.removeStateUpdateListener},
	}
}

type changer struct{ of subject }

// updateState(updates) and updateState(previous => updates) resolve with the version.
func (s changer) updateState(args []js.Value) js.Value {
	if len(args) < 1 {
		return rejected(argumentError("updateState takes an object of updates, or a function that returns one"))
	}
	if typeOf(args[0]) == js.TypeFunction {
		return promise(func() (js.Value, error) { return s.transact(args[0]) })
	}
	updates, err := fromJS(args[0])
	if err != nil {
		return rejected(err)
	}
	return promise(func() (js.Value, error) {
		version, err := s.of.UpdateState(driver.Forever, updates)
		return js.ValueOf(float64(version)), err
	})
}

func (s changer) transact(update js.Value) (js.Value, error) {
	version, err := s.of.Transact(driver.Forever, nil, func(previous document.Value) (updates document.Value, err error) {
		defer thrown(&err)
		return fromJS(update.Invoke(toJS(previous)))
	})
	return js.ValueOf(float64(version)), err
}

// patchState(operations) takes RFC 6902's operations and increment. How long they may be is a matter of their message,
// which is shorter than their text.
func (s changer) patchState(args []js.Value) js.Value {
	if len(args) < 1 {
		return rejected(argumentError("patchState takes an array of operations"))
	}
	text, err := stringify(args[0])
	if err != nil {
		return rejected(err)
	}
	ops, err := document.ParsePatch(text, document.Limits{Bytes: document.MaxBytes})
	if err != nil {
		return rejected(err)
	}
	return promise(func() (js.Value, error) {
		version, err := s.of.PatchState(driver.Forever, ops...)
		return js.ValueOf(float64(version)), err
	})
}

func (s changer) getState([]js.Value) js.Value { return toJS(s.of.GetState()) }

// addStateUpdateListener(listenerIdentifier, (updates, previous) => ..., properties).
func (s changer) addStateUpdateListener(args []js.Value) js.Value {
	if len(args) < 2 || typeOf(args[0]) != js.TypeString || typeOf(args[1]) != js.TypeFunction {
		return toJSError(argumentError("addStateUpdateListener takes an identifier, a function, and a list of properties or nothing"))
	}
	call := args[1]
	var properties []string
	if len(args) > 2 && isArray(args[2]) {
		properties = texts(args[2])
	}
	s.of.AddStateUpdateListener(args[0].String(), func(u driver.Update) {
		call.Invoke(toJS(u.Updates()), toJS(u.Previous()))
	}, properties...)
	return js.Undefined()
}

func (s changer) removeStateUpdateListener(args []js.Value) js.Value {
	return js.ValueOf(len(args) > 0 && typeOf(args[0]) == js.TypeString && s.of.RemoveStateUpdateListener(args[0].String()))
}
