// Package driver gives the client's state machine, package core, its socket, its goroutines and its callbacks. It is the
// one client under wasmclient, which is its Go API with contexts and durations, and under jsbridge, whose download has
// neither: a context's two methods are a [Bound], and the time comes by a [Clock], in milliseconds.
//
// What the methods promise is written at those of the same name in package wasmclient.
package driver
