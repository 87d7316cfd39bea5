package jsbridge

import (
	"slices"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// A state is one use of a state that the client is connected to.
type state struct {
	*driver.State
	functions
	client *client
	mirror *mirror // nil: nobody follows
}

func (s *state) methods() []method {
	return []method{
		{"ready", s.ready},
		{"ended", s.ended},
		{"follow", s.follow},
		{"transact", s.transact},
		{"leave", s.leave},
	}
}

// ready() resolves when the state's value is there, and whoever follows it has it.
func (s *state) ready([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		err := s.Ready(driver.Forever)
		if err == nil && s.mirror != nil {
			s.mirror.show()
		}
		return js.Undefined(), err
	})
}

// ended() resolves with the Error that says why the state is over.
func (s *state) ended([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		<-s.Done()
		return toJSError(s.Err()), nil
	})
}

// follow(follower) calls it with (text, origin, version) whenever the view has changed, once for all that came together.
// The text is an array of steps, or the state when there is one to begin with. It is called within Go, so it must not call
// back.
func (s *state) follow(args []js.Value) js.Value {
	if len(args) < 1 || typeOf(args[0]) != js.TypeFunction || s.mirror != nil {
		return toJSError(argumentError("follow takes a function, once"))
	}
	s.mirror = follow(s.State, args[0])
	return js.Undefined()
}

// transact(run) brings the follower to the view that the transaction is computed from and then calls run, which returns
// {updates, reads}: updates may be undefined for none, and reads lists the top-level properties that it has looked at,
// or is null for all.
// It is called again as long as others change these meanwhile. It resolves with the version.
func (s *state) transact(args []js.Value) js.Value {
	if len(args) < 1 || typeOf(args[0]) != js.TypeFunction || s.mirror == nil {
		return rejected(argumentError("transact takes a function, of a state that is followed"))
	}
	return promise(func() (js.Value, error) {
		version, err := s.TransactReading(driver.Forever, func(document.Value) (updates document.Value, reads []string, err error) {
			defer thrown(&err)
			s.mirror.show()
			made := args[0].Invoke()
			if typeOf(made) != js.TypeObject {
				return updates, nil, argumentError("the function of transact returns {updates, reads}")
			}
			if list := made.Get("reads"); !list.IsNull() {
				if !isArray(list) {
					return updates, nil, argumentError("the reads of a transaction are an array of properties, or null")
				}
				reads = texts(list)
			}
			if changed := made.Get("updates"); !changed.IsUndefined() {
				updates, err = fromJS(changed)
			}
			return updates, reads, err
		})
		return js.ValueOf(float64(version)), err
	})
}

// leave() gives this use of the state up and its functions back.
func (s *state) leave([]js.Value) js.Value {
	return promise(func() (js.Value, error) {
		if s.mirror != nil {
			s.mirror.end()
		}
		s.Leave()
		s.release()
		if i := slices.Index(s.client.states, s); i >= 0 {
			s.client.states = slices.Delete(s.client.states, i, i+1)
		}
		return js.Undefined(), nil
	})
}

// texts returns the strings of a JavaScript array; it is never nil.
func texts(array js.Value) []string {
	list := []string{}
	for i := range array.Length() {
		list = append(list, textOf(array.Index(i)))
	}
	return list
}

func isArray(v js.Value) bool { return v.InstanceOf(js.Global().Get("Array")) }
