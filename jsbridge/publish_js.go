package jsbridge

import "syscall/js"

// The names under which a loader and this program meet on the globalThis that the program was given.
const (
	hostName = "serverStateSyncHost"
	pageName = "serverStateSync"
)

// Publish hands the client over to JavaScript and returns; the program must go on running.
//
// A loader that gives the program a globalThis of its own puts there an object serverStateSyncHost with the members
// arguments, those of one client as [Constructor] takes them, and ready, a function: it is called once, with the client
// or with an Error. Then nothing is published anywhere. Such a loader may put two functions more there, serverStateSyncFeed
// and serverStateSyncTell, by which frames and texts cross faster: see internal/transport/feed_js.go and
// mirror_js.go. Without it the page's globalThis gets one name,
// serverStateSync, an object whose connect is [Constructor].
func Publish() {
	global := js.Global()
	host := global.Get(hostName)
	if typeOf(host) != js.TypeObject {
		page := global.Get("Object").New()
		page.Set("connect", Constructor())
		global.Set(pageName, page)
		return
	}
	list := host.Get("arguments")
	arguments := make([]js.Value, list.Length())
	for i := range arguments {
		arguments[i] = list.Index(i)
	}
	host.Call("ready", connect(arguments))
}

// Constructor returns the JavaScript function (endpoint, clientIdentifier, accessToken, options) that makes a client
// object, or returns an Error that says which argument is wrong. The token is a string, or a function that returns one
// or a Promise of one, and may be left out. So may the options, an object: tokenInQuery sends the token in the URL, where
// logs see it; backoff {shortestMs, longestMs}, connectTimeoutMs and pendingLimit {changes, bytes} are those of package
// wasmclient.
func Constructor() js.Value {
	return js.FuncOf(func(_ js.Value, args []js.Value) any { return connect(args) }).Value
}

func connect(args []js.Value) js.Value {
	made, err := newClient(args)
	if err != nil {
		return toJSError(err)
	}
	return made.publish()
}
