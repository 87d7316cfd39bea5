// Package server holds states and keeps clients in step with them over WebSocket.
//
// A state is a JSON object under an identifier. Changes by clients, and by the program itself, are put in order,
// checked, kept and sent to everybody else who is connected to the state. A StateSyncer holds the states; it is an
// http.Handler, and listens by itself with Start or ListenAndServe.
//
// States live in memory, and with Options.Store beyond the process: package stores has the contract of a store. A server
// that begins with what another one has kept goes on where that one was, also where it crashed: the states with their
// values, versions, epochs and times of creation, and the sessions that have changed them with what became of their
// changes. Clients that were connected come back by themselves and get what they missed; what they send again is
// answered, not applied twice. What the program has said about a state is not kept: its callbacks, among them who may
// join, and its TTL. So a state is there for clients when the program has named it again, by CreateState,
// OnMissingState or RestoreState. A state that nobody uses for Options.RestAfter leaves memory, and comes back when it
// is used. What a store cannot give back unharmed is not served: joins get state_unavailable, and other states go on.
// When the store cannot write any more, changes are refused with storage_failed, and reading goes on.
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
//  6. What a client is told of accepted changes, what GetValueOfState returns and what a Handle reports has been kept
//     before, in the durability of the store, which clients are told when they join.
//  7. Nothing that a client does or omits makes the server hold more than Limits allow, or delays other clients.
//  8. A session belongs to the clientIdentifier and, where the clientInformation has a method Subject() string, to the
//     subject that it was first authorized for. Without Subject, whoever knows the secret id of a session may resume it.
//  9. No store is waited for under a lock: a state that is read, made or removed delays nobody who is not after that
//     state. Checkpoints are made beside the changes.
//  10. Shutdown and Close return when every goroutine of the StateSyncer has ended, except callbacks that ignore their
//     context. Options.Store can be closed then.
package server
