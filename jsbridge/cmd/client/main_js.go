// Command client is the WebAssembly module of the npm package: it hands the client to its loader, or to the page that
// loaded it without one, and stays.
package main

import "github.com/server-state-sync/server-state-sync/jsbridge"

func main() {
	jsbridge.Publish()
	select {}
}
