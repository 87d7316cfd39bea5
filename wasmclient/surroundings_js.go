//go:build js

package wasmclient

import "syscall/js"

// watchSurroundings calls back when the page's network returns or the page comes to the front: a hidden page's timers
// are throttled, and a suspended one's have stood still. The call must not block. In Node there are no such events.
func watchSurroundings(call func()) (stop func()) {
	handler := js.FuncOf(func(js.Value, []js.Value) any {
		call()
		return nil
	})
	events := []struct{ target, name string }{{"", "online"}, {"", "pageshow"}, {"document", "visibilitychange"}}
	each := func(method string) {
		for _, e := range events {
			target := js.Global()
			if e.target != "" {
				target = target.Get(e.target)
			}
			if target.Type() == js.TypeObject && target.Get(method).Type() == js.TypeFunction {
				target.Call(method, e.name, handler)
			}
		}
	}
	each("addEventListener")
	return func() {
		each("removeEventListener")
		handler.Release()
	}
}
