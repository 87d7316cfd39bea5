// Package document holds JSON values and the operations that change them. It is the ground that both ends stand on: the
// same input gives the same bytes on every machine.
//
// A Value comes from Parse, from Of, or from Apply, and is canonical JSON (RFC 8785) within I-JSON (RFC 7493). People
// write changes as a JSON Patch (ParsePatch, Resolve) or as a shallow merge (Merge); Apply carries them out and returns
// the entry that a log keeps: normalized operations. Carry moves a change over the entries that were accepted before it.
//
// # Promises
//
//  1. Values are immutable. A write returns a new Value which shares with the old one all that it did not touch, so
//     keeping an older version costs next to nothing and rollback is keeping it.
//  2. Values are canonical from entry on. Two values are equal when their texts are, on every machine.
//  3. Everything may be called by several goroutines at once, without a lock, on the same values and operations. Nothing
//     in this package waits, starts a goroutine, reads a clock or draws a random number.
//  4. No input makes this package panic, and none makes it use more memory than a small multiple of the limits. Limits
//     hold on the result of every single operation. Only MustOf panics, and says so.
//  5. Apply applies all operations or none.
//  6. The entry that Apply returns makes, applied to the same value, the same value again, and is its own entry.
//  7. What Parse refuses, no operation can build: the String of a value that Apply made under limits is a text that Parse
//     accepts under the same limits.
//  8. A value keeps no text in memory that is not its own, except one that was read out of a text and not yet written
//     anywhere.
package document
