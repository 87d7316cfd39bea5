// Package server holds states and keeps clients in step with them over WebSocket.
//
// A state is a JSON object under an identifier. Changes by clients, and by the program itself, are put in order,
// checked, kept and sent to everybody else who is connected to the state. A StateSyncer holds the states; it is an
// http.Handler, and listens by itself with Start or ListenAndServe.
//
// What callers and callbacks can rely on:
//
//  1. Every method of StateSyncer and Handle may be called from any goroutine at any time.
//  2. Each state has one total order of changes: version n is the n-th accepted change. A change is judged once, on the
//     value that all accepted changes before it have made; two changes of one session are judged in their order.
//  3. No callback of the program runs under a lock or on the goroutine that reads a connection. InterceptStateUpdate is
//     called for one change of a state at a time, in the state's order; it delays that state and no other. All other
//     callbacks may be called for several clients at once. A callback that panics refuses what it was asked for.
//  4. A callback may call every method of the StateSyncer but Shutdown and Close, which wait for it. A change by
//     InterceptStateUpdate to its own state, with the context that it was given, is ErrReentrant.
//  5. Values, and operations, that are handed out are immutable or copies: no callback can change what is shared.
//  6. What a client is told, what GetValueOfState returns and what a Handle reports has been kept by the log before.
//  7. Nothing that a client does or omits makes the server hold more than Limits allow, or delays other clients.
//  8. A session belongs to the clientIdentifier and, where the clientInformation has a method Subject() string, to the
//     subject that it was first authorized for. Without Subject, whoever knows the secret id of a session may resume it.
//  9. Shutdown and Close return when every goroutine of the StateSyncer has ended, except callbacks that ignore their
//     context.
package server
