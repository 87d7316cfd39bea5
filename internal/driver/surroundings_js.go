//go:build js

package driver

import "syscall/js"

// watchSurroundings calls back when the page's network returns or the page comes to the front: a hidden page's timers
// are throttled, and a suspended one's have stood still. The call must not block. In Node there are no such events.
func watchSurroundings(call func()) (stop func()) {
	page, document := js.Global(), js.Global().Get("document")
	if page.Get("addEventListener").Type() != js.TypeFunction {
		return func() {}
	}
	handler := js.FuncOf(func(js.Value, []js.Value) any {
		call()
		return nil
	})
	each := func(method string) {
		page.Call(method, "online", handler)
		page.Call(method, "pageshow", handler)
		if document.Truthy() { // a worker has none
			document.Call(method, "visibilitychange", handler)
		}
	}
	each("addEventListener")
	return func() {
		each("removeEventListener")
		handler.Release()
	}
}
