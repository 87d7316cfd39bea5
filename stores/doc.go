// Package stores is the seam between states and what keeps them when the process ends: the interfaces, and a store in
// memory that shows them at their simplest. Package stores/storestest holds every store to the contract that is written
// here; stores/disk keeps states in a folder.
//
// A state is kept as a header, a checkpoint, and the records of the changes since. All three are bytes that a store keeps
// and does not read. What it is told takes effect in the order of the calls, over all states and sessions: when one write
// is kept, so is every earlier one, and after a crash what is found is a prefix of what was told.
//
// Concurrency:
//
//  1. The methods of a Store may be called from several goroutines; for one identifier, Create, Open and Remove are called
//     one at a time.
//  2. The methods of one Log are called one at a time. Append and Checkpoint do not wait for storage.
//  3. Committed is called from the store's own goroutine, one call at a time for a state, with versions that only grow, and
//     never from inside a call of the Log or Store. It must not wait for anything that waits for the store.
package stores
