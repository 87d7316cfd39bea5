// Package shrink makes a WebAssembly module smaller after the Go linker has made it: the same program in fewer bytes on
// the wire. It does three things.
//
//  1. The linker ends a data segment at each run of more than eight zeros, which makes tens of thousands of them.
//     Their headers compress worse than the zeros would. They are joined.
//  2. It clears the tables that tell which line of which file an instruction is of. Stack traces have the names of
//     functions and a "?" for the rest; build without shrink to see lines.
//  3. It drops the sections that only tools read.
package shrink
