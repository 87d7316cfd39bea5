package core

import (
	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Effect is what an event asks of the driver. The set is closed: Dial, Disconnect, Settled, Changed, Joined, Closed,
// StatusChanged and Problem. The driver takes effects by [Core.Effects] and carries them out in their order.
type Effect interface{ effect() }

// Dial asks for a new connection. The driver answers with Connected, or with Lost when it could not be made. Attempt
// counts the attempts since the last stable connection, from 1.
type Dial struct{ Attempt int }

// Disconnect asks the driver to drop the connection, or the attempt to make one, with this close code and reason. For
// the core that connection has ended: the driver delivers no more events of it, and needs not report its loss. Code 0
// means that nothing has to be said to the server, as after a bye of its own.
type Disconnect struct {
	Code   protocol.Code
	Reason string
}

// Settled gives a change its verdict. Every submitted change gets exactly one.
type Settled struct {
	State   *State
	Ticket  Ticket
	Verdict Verdict
}

// Changed reports that the view of a state is another than before.
type Changed struct {
	State  *State
	Update Update
}

// Joined reports that the server let the client into the state: first after Join, then after each reconnect. The change
// from the view before to the view at the first join has been reported by a Changed with origin CatchUp, if there was
// any.
type Joined struct {
	State   *State
	Resumed bool // the server went on where the client had stopped; no snapshot was needed
}

// Closed reports that a state ended for this client: its join was refused, it was removed, the client is no longer
// allowed, or the client has failed or closed. Its pending changes have settled before. It is not reported after Leave.
type Closed struct {
	State  *State
	Code   protocol.Code
	Reason string
}

// StatusChanged reports that Core.Status returns another Phase, Attempt, NextRetry or LastError than before.
type StatusChanged struct{}

// Problem reports an error that no caller waits for: a lost connection, a state that was made anew, or a server that broke
// the protocol. A terminal one ends the client.
type Problem struct {
	Error    *protocol.Error
	Cause    error // what the driver gave as Loss.Err, or what was wrong with the server's message; may be nil
	Terminal bool
}

func (Dial) effect()          {}
func (Disconnect) effect()    {}
func (Settled) effect()       {}
func (Changed) effect()       {}
func (Joined) effect()        {}
func (Closed) effect()        {}
func (StatusChanged) effect() {}
func (Problem) effect()       {}

// Verdict is the answer to a change.
type Verdict struct {
	Version uint64        // the version that the change made; 0 when it was refused or its outcome is unknown
	Code    protocol.Code // 0: accepted
	Reason  string        // the server's reason, or a sentence of the core
	Sent    bool          // the change had been sent. With a code that the client gave, the server may still accept it
}

// Accepted reports whether the change was accepted.
func (v Verdict) Accepted() bool { return v.Code == 0 }

// Err returns nil for an accepted change, else a *protocol.Error with the code and the reason.
func (v Verdict) Err() error {
	if v.Accepted() {
		return nil
	}
	return &protocol.Error{Code: v.Code, Reason: v.Reason}
}

// Origin says why a view changed.
type Origin uint8

// The origins of an Update.
const (
	Local    Origin = iota + 1 // a change submitted by this client
	Remote                     // changes of others, and what the server made of own ones
	Rollback                   // an own change was refused or could not be kept, and was taken back
	CatchUp                    // a jump over many versions: the first join, a snapshot or a catch-up
)

var originNames = [...]string{Local: "local", Remote: "remote", Rollback: "rollback", CatchUp: "catch-up"}

// String returns the origin's name.
func (o Origin) String() string {
	if int(o) < len(originNames) && o != 0 {
		return originNames[o]
	}
	return "unknown"
}

// Update tells how a view changed: at least one top-level property has another value than before.
type Update struct {
	Before, View document.Value // the whole view before and after
	Touched      []string       // the top-level properties that differ, sorted; nil: Before is empty, and all of View is new
	Origin       Origin
	From, To     uint64        // versions: From is the To of the state's update before; they are equal where no version passed
	Ops          []document.Op // normalized operations from Before to View, where they are known; nil: compare
}

// Updates returns an object of the new values of the properties that changed.
func (u Update) Updates() document.Value {
	if u.Touched == nil {
		return u.View
	}
	return u.View.Pick(u.Touched)
}

// Previous returns an object of their values before; a property that was not there is absent.
func (u Update) Previous() document.Value { return u.Before.Pick(u.Touched) }

// Removed returns the changed properties that are not there any more, sorted.
func (u Update) Removed() (names []string) {
	for _, name := range u.Touched {
		if !u.View.Get(name).Exists() {
			names = append(names, name)
		}
	}
	return names
}

// Names returns the names of the properties that changed, sorted.
func (u Update) Names() []string {
	if u.Touched == nil {
		return accessOfUpdates(u.View).names
	}
	return u.Touched
}
