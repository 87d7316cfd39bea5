package wasmclient

import (
	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// Origin says why a state's view changed.
type Origin uint8

// The origins of an update.
const (
	Local    Origin = iota + 1 // a change of this client, shown before its verdict
	Remote                     // a change of another client or of the server, or what the server made of a change of ours
	Rollback                   // a change of this client was refused and its effect taken back
	CatchUp                    // several changes in one atomic jump: after a reconnect, or because a reader was slow
)

var originNames = [...]string{Local: "local", Remote: "remote", Rollback: "rollback", CatchUp: "catch-up"}

// String returns the origin's name: local, remote, rollback or catch-up.
func (o Origin) String() string {
	if int(o) < len(originNames) && o != 0 {
		return originNames[o]
	}
	return "unknown"
}

// Update tells a listener how the view changed. Its values are immutable and may be kept.
type Update struct {
	Updates  document.Value // an object: the touched top-level properties with their new values
	Previous document.Value // an object: their values before; a property that is new is absent
	Removed  []string       // those of the touched properties that are gone, sorted
	View     document.Value // the whole state after the update, as GetState returned it then
	Origin   Origin
	From, To uint64        // the state's confirmed version at this listener's call before, and at this one
	Ops      []document.Op // normalized operations that lead from the view before to View, the listener's own; nil: not known, compare
}

// hearing returns the listener as the driver calls it.
func hearing(call func(Update)) func(driver.Update) {
	return func(u driver.Update) {
		call(Update{
			Updates: u.Updates(), Previous: u.Previous(), Removed: u.Removed(), View: u.View,
			Origin: Origin(u.Origin), From: u.From, To: u.To, Ops: u.Ops,
		})
	}
}
