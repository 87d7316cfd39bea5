// Command client is the WebAssembly module: it hands the client's constructor to its loader and stays.
//
// The loader runs the module in a scope of its own, whose globalThis has a function serverStateSyncReady. Nothing is put
// on the page's globalThis.
package main

import (
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/jsbridge"
)

func main() {
	js.Global().Call("serverStateSyncReady", jsbridge.Constructor())
	select {}
}
