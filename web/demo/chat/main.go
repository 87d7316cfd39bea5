// Command chat is the chat's page in Go: go-app draws it, and the same client connects it that Go programs have
// natively. It is compiled to WebAssembly; build says how large that is.
//
// What go-app asks of a page: everything that is drawn is changed on its one goroutine, and ctx.Dispatch brings a
// function there and has the component drawn again. The client calls its listeners on another one, so each of them
// dispatches (see refresh in link.go), and many that come together are drawn once. Functions that handle events are told
// apart by their code, not by what they have captured: in a list each needs app.EventScope.
package main

import "github.com/maxence-charriere/go-app/v10/pkg/app"

func main() {
	app.RouteWithRegexp("^/go/[^/]+$", func() app.Composer { return &page{} })
	app.RunWhenOnBrowser()
}
