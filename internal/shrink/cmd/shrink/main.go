// Command shrink FILE makes the browser's module smaller, in its place: see package shrink.
package main

import (
	"fmt"
	"os"

	"github.com/server-state-sync/server-state-sync/internal/shrink"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: shrink FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "shrink %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func run(file string) error {
	wasm, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	small, err := shrink.Module(wasm)
	if err != nil {
		return err
	}
	return os.WriteFile(file, small, 0o644)
}
