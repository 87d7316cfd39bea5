// Package conformance holds three clients to one corpus against a real server: the Go client natively, the same client
// as the browser's module under Node with plain JavaScript values, and a client in plain JavaScript that was written from
// PROTOCOL.md alone (testdata/reference), which the golden vectors are held against as well. It has tests only.
package conformance
