package jsbridge

import (
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// A mirror keeps JavaScript's copy of a state's view. It collects what the callbacks bring and crosses once when Go has
// nothing else to do, which is at the end of a frame or of a call. There is one thread, so no lock.
type mirror struct {
	state    *driver.State
	follower js.Value        // called with (steps, origin, version)
	shown    document.Value  // what JavaScript has
	whole    bool            // it got the state's value as a whole, and only differences since
	before   document.Value  // the view before the oldest update that waits
	waiting  []driver.Update // in order, each from the view of the one before
}

// follow begins to mirror the state. The name is the identifier of the mirror's listener.
func follow(state *driver.State, name string, follower js.Value) *mirror {
	m := &mirror{state: state, follower: follower, shown: document.EmptyObject, before: state.GetState()}
	state.AddStateUpdateListener(name, m.heard)
	m.flush()
	return m
}

func (m *mirror) heard(u driver.Update) {
	if len(m.waiting) == 0 {
		go m.flush() // it runs when the goroutine of the callbacks has nothing more to do
	}
	m.waiting = append(m.waiting, u)
}

// flush brings JavaScript to the present view.
func (m *mirror) flush() { m.show(m.state.GetState()) }

// show brings JavaScript to the view, which is the present one.
func (m *mirror) show(view document.Value) {
	updates := m.waiting
	m.waiting = nil
	made := m.stepsTo(view, updates)
	if len(updates) > 0 {
		m.before = updates[len(updates)-1].View
	}
	m.shown = view
	if len(made) > 0 {
		m.follower.Invoke(made.text(), originOf(updates).String(), m.state.Version())
	}
}

// originOf returns the origin of the updates taken together: several kinds in one are a jump. What is shown ahead of its
// update is a change of this client.
func originOf(updates []driver.Update) driver.Origin {
	if len(updates) == 0 {
		return driver.Local
	}
	for _, u := range updates {
		if u.Origin != updates[0].Origin {
			return driver.CatchUp
		}
	}
	return updates[0].Origin
}

// stepsTo returns what leads from what JavaScript has to the view: the operations of the updates where these are known
// from the one to the other, and else the difference.
func (m *mirror) stepsTo(view document.Value, updates []driver.Update) (made steps) {
	if !m.whole && m.state.Joined() {
		m.whole = true
		return made.whole(view)
	}
	if !m.chained(view, updates) {
		return made.difference(m.shown, view)
	}
	for _, u := range updates {
		made = made.operations(u.Ops)
	}
	return made
}

// chained reports whether the operations of the updates lead from shown to the view.
func (m *mirror) chained(view document.Value, updates []driver.Update) bool {
	if len(updates) == 0 || !m.before.Equal(m.shown) || updates[len(updates)-1].View != view {
		return false
	}
	for _, u := range updates {
		if u.Ops == nil {
			return false
		}
	}
	return true
}
