package jsbridge

import (
	"runtime"
	"syscall/js"
	"unsafe"

	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// A mirror keeps JavaScript's copy of a state's view: it collects what an event brings and crosses the boundary once, at
// the event's end. There is one thread, so no lock.
type mirror struct {
	state    *driver.State
	end      func()
	follower js.Value      // called with (text, origin, version)
	teller   js.Value      // the loader's function; undefined: there is none
	made     steps         // what JavaScript lacks
	origin   driver.Origin // of that; several kinds in one are a jump
	whole    bool          // JavaScript got the state's value as a whole, and only what changed since
}

// mostKept is how many bytes of room a mirror keeps for its next steps.
const mostKept = 64 << 10

// follow begins to mirror the state.
func follow(state *driver.State, follower js.Value) *mirror {
	m := &mirror{state: state, follower: follower, teller: js.Global().Get(tellerName)}
	if view := state.GetState(); !state.Joined() { // there are only changes of one's own
		m.made = m.made.difference(view, driver.Update{View: view}.Names())
	}
	m.end = state.Follow(m.heard, m.show)
	m.show()
	return m
}

// heard makes steps of an update: its operations where they are known, and else the properties that differ.
func (m *mirror) heard(u driver.Update) {
	switch {
	case m.origin == 0:
		m.origin = u.Origin
	case m.origin != u.Origin:
		m.origin = driver.CatchUp
	}
	switch {
	case !m.whole && u.Origin == driver.CatchUp: // show tells whether it is all
	case u.Ops != nil:
		m.made = m.made.operations(u.Ops)
	default:
		m.made = m.made.difference(u.View, u.Names())
	}
}

// show brings JavaScript to the present view.
func (m *mirror) show() {
	text := ""
	switch {
	case !m.whole && m.state.Joined():
		m.whole = true
		text = m.state.GetState().String() // a snapshot's own text, which is not copied
	case len(m.made) == 0:
		return
	default:
		made := m.made.finish()
		text = unsafe.String(unsafe.SliceData(made), len(made)) // nobody keeps it
	}
	origin := max(m.origin, driver.Local)
	if m.made, m.origin = m.made[:0], 0; cap(m.made) > mostKept {
		m.made = nil
	}
	m.tell(text, origins[origin])
}

// tellerName is the name, on the program's globalThis, of a loader's function (follower, address, size, origin, version). It
// calls the follower with the text of size bytes at the address in the program's memory: a string that Go makes for
// JavaScript is a value in two tables, with a finalizer, and costs about 10 us more.
const tellerName = "serverStateSyncTell"

func (m *mirror) tell(text string, origin js.Value) {
	if m.teller.Type() != js.TypeFunction {
		m.follower.Invoke(text, origin, m.state.Version())
		return
	}
	m.teller.Invoke(m.follower, uintptr(unsafe.Pointer(unsafe.StringData(text))), len(text), origin, m.state.Version())
	runtime.KeepAlive(text)
}

// origins are the names of the origins as JavaScript has them.
var origins = func() (names [driver.CatchUp + 1]js.Value) {
	for origin := range names {
		names[origin] = js.ValueOf(driver.Origin(origin).String())
	}
	return names
}()
