package server

import (
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Update is a change on its way into a state, as InterceptStateUpdate sees it. Looking costs what is looked at: an
// interceptor that looks at nothing costs nothing. It may be used until the interceptor returns, by one goroutine at a
// time.
type Update struct {
	state    *state
	change   *change
	previous document.Value
	next     document.Value
	entry    []document.Op

	rewritten bool
	updates   document.Value     // of SetUpdates
	patch     []document.PatchOp // of SetOps
}

// Identifier returns the state's identifier.
func (u *Update) Identifier() string { return u.state.identifier }

// ClientInformation returns what the authorization said of the client, at its last handshake, or what the program gave
// with its own change.
func (u *Update) ClientInformation() any { return u.change.clientInformation() }

// ClientIdentifier returns the identifier that the client gave itself; "" for a change by the program.
func (u *Update) ClientIdentifier() string {
	if u.change.record == nil {
		return ""
	}
	return u.change.record.session.clientIdentifier
}

// State returns the value that the change would make.
func (u *Update) State() document.Value { return u.next }

// PreviousState returns the value before the change.
func (u *Update) PreviousState() document.Value { return u.previous }

// Value returns a top-level property as the change would make it; absent when it would not be there.
func (u *Update) Value(property string) document.Value { return u.next.Get(property) }

// Previous returns a top-level property before the change; absent when it is not there.
func (u *Update) Previous(property string) document.Value { return u.previous.Get(property) }

// Properties returns the top-level properties that the change touches, sorted.
func (u *Update) Properties() []string { return touchedBy(u.entry, u.previous, u.next) }

// Updates returns an object of the touched top-level properties with the values that the change would give them;
// properties that it would remove are not in it.
func (u *Update) Updates() document.Value {
	updates := document.EmptyObject
	for _, name := range u.Properties() {
		updates = updates.With(name, u.next.Get(name))
	}
	return updates
}

// Ops returns the change as normalized operations on the previous value; the slices are the caller's.
func (u *Update) Ops() []document.Op {
	ops := slices.Clone(u.entry)
	for i := range ops {
		ops[i].From, ops[i].Path = slices.Clone(ops[i].From), slices.Clone(ops[i].Path)
	}
	return ops
}

// SetUpdates puts a shallow merge of the given top-level properties into the previous value in the place of the change.
// updates is anything that document.Of takes and that makes an object.
func (u *Update) SetUpdates(updates any) error {
	value, err := objectOf(updates)
	if err != nil {
		return err
	}
	u.rewritten, u.updates, u.patch = true, value, nil
	return nil
}

// SetOps puts the operations on the previous value in the place of the change.
func (u *Update) SetOps(ops []document.PatchOp) error {
	if _, err := document.Resolve(u.previous, ops); err != nil {
		return refused(err)
	}
	u.rewritten, u.updates, u.patch = true, document.Value{}, append([]document.PatchOp{}, ops...)
	return nil
}

// objectOf returns the object that a Go value makes.
func objectOf(updates any) (document.Value, error) {
	value, err := document.Of(updates)
	if err != nil {
		return value, refused(err)
	}
	if value.Kind() != document.Object {
		return value, failure(protocol.CodeInvalidPatch, "updates are an object, and this is %s", value.Kind())
	}
	return value, nil
}
