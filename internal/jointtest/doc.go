// Package jointtest tests the server and the client together, over real sockets on loopback. It has tests only: the two
// ends import each other nowhere else.
package jointtest
