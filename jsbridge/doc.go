// Package jsbridge publishes the Go client as a JavaScript object. It is compiled to WebAssembly only; the program in
// cmd/client is what the browser loads.
//
// Values cross as JSON text, which the page parses and writes: JSON.parse is many times faster than Go in WebAssembly,
// and an object made member by member would be open to a "__proto__" key. Work that waits runs in a goroutine behind a
// Promise. What is rejected is an Error with a code, the name of a wasmclient code such as "refused", and a cause.
package jsbridge
