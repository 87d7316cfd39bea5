package jsbridge

import "syscall/js"

// functions owns the js.Funcs of one object: a Func stays in Go's and in JavaScript's tables until it is released.
// There is one thread, and nothing here waits, so it needs no lock.
type functions struct{ made []js.Func }

// function makes a JavaScript function that lives until release. What it calls must not wait.
func (f *functions) function(call func(args []js.Value) js.Value) js.Value {
	made := js.FuncOf(func(_ js.Value, args []js.Value) any { return call(args) })
	f.made = append(f.made, made)
	return made.Value
}

// A method is one function of an object. All of them stand in the tables of this package, which a test holds against the
// TypeScript declarations.
type method struct {
	name string
	call func(args []js.Value) js.Value
}

// object makes a JavaScript object of the methods.
func (f *functions) object(methods []method) js.Value {
	object := js.Global().Get("Object").New()
	for _, m := range methods {
		object.Set(m.name, f.function(m.call))
	}
	return object
}

func (f *functions) release() {
	for _, function := range f.made {
		function.Release()
	}
	f.made = nil
}
