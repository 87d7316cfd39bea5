// Package jsbridge publishes the Go client as JavaScript objects. It is compiled to WebAssembly only; the program in
// cmd/client is what the browser loads, and a program of one's own may call [Publish] as well.
//
// Values cross as JSON text, which the page parses and writes: JSON.parse is many times faster than Go in WebAssembly,
// and an object made member by member would be open to a "__proto__" key. Who follows a state gets its text first, and then
// one text for everything that has come in together: steps at literal paths from the view before to the present one.
//
// Work that waits runs in a goroutine behind a Promise. What is rejected is an Error with a code, the name of a
// protocol code such as "refused", and a cause. Go cannot throw into JavaScript, so functions that do not wait return
// such an Error.
package jsbridge
