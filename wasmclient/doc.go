// Package wasmclient connects a Go program to the states of a StateSyncer, natively or compiled to WebAssembly for the
// browser, where it uses the page's WebSocket.
//
//	client, err := wasmclient.New("ws://localhost:5000", "clientIdentifier", "accessToken")
//	...
//	defer client.Close()
//	chat, err := client.ConnectToState(ctx, "myGroupChat")
//	...
//	chat.AddStateUpdateListener("print", func(u wasmclient.Update) { fmt.Println(u.Updates) }, "messages")
//	_, err = chat.Append(ctx, "messages", "hello")
//
// Every change has a verdict: the version that it made, or an error with a code. It shows in the view of its own client
// at once, and is taken back if the server refuses it. Lost connections come back by themselves, with backoff, and go on
// where they stopped; a change is made once, however often it had to be sent.
//
// # Concurrency
//
//  1. All methods may be called from any goroutine, and from listeners. None holds a lock while it waits or while a
//     function of the program runs.
//  2. The client has four goroutines: a clock, the callbacks, and for a connection a reader and a writer. Close ends them
//     and waits for them.
//  3. All listeners of a client run on one goroutine, one call at a time. Those of a state hear its updates in order,
//     each after the view has changed. Between states, errors and status there is no order.
//  4. A verdict needs neither the callbacks nor the socket of the caller's goroutine: a listener may wait for one.
//  5. Changes made one after the other by one goroutine take effect in that order.
//  6. When a wait for a verdict has returned, GetState has the change, or no trace of it if it was refused; listeners
//     may hear of it later.
//
// # Bounds
//
// Everything that waits is bounded: changes without a verdict (WithPendingLimit; then the methods that make changes
// block), updates for slow listeners (WithListenerBacklog; then they become one), errors that nobody listens to (64; then
// they are counted), a frame of the server (64 MiB; then the connection is dropped).
package wasmclient
