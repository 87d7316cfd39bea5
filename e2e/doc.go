// Package e2e drives the built programs in a real browser, as a user does. It is a module of its own and imports nothing
// of ours: it touches only what a user can touch, which is command lines, addresses, pages and keys.
package e2e
