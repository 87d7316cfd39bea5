// Package serverstatesync keeps JSON states on a server in step with every client that is connected to them.
//
// It is the front door and holds no code. A Go program that serves states imports
// github.com/server-state-sync/server-state-sync/server; one that connects to them imports
// github.com/server-state-sync/server-state-sync/wasmclient, natively or compiled to WebAssembly.
// Values are those of github.com/server-state-sync/server-state-sync/document.
package serverstatesync
