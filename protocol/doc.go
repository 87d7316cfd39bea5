// Package protocol is the wire between a client and a server: a closed set of messages, the codes with which things
// end, the limits, and the codec. PROTOCOL.md at the root of the repository describes all of it in words, and the
// golden vectors in testdata/vectors hold every implementation to it.
//
// A frame is a WebSocket text frame with one message or more, separated by a newline. A message is a JSON array whose
// first element is its tag. Encoding appends to a byte slice and decoding yields one struct per message; neither looks
// at state, so the order of messages is the business of the two ends.
//
// Input is not trusted. A frame is measured before it is read, and reading it allocates at most a small multiple of
// its length. What is wrong falls in one of two kinds:
//
//   - a fault of the envelope: text that is not JSON, an unknown tag, a wrong number of elements, an element of a wrong
//     type or out of range. Decoding ends with an [*Error], in most cases [CodeBadMessage], and so must the connection;
//   - a fault of the content: the updates, operations or reads of a change, or the identifier of a join. The message is
//     yielded with its Fault set and with everything that identifies it, so that it alone is refused.
//
// Everything here is safe for use by several goroutines at once; messages and operations are not changed after they
// were made.
package protocol
