// Command matrix installs the packed npm package in a project and uses it there as people do: under Node, in bundlers,
// a framework and test runners, and in pages of a real Chromium that talk to the built server. It prints a line for each
// and fails where one fails.
//
// It is run in the folder npm, by make matrix, with the tarball as its first argument. Further arguments are words of the
// rows to run; without any it runs all.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// A row is one way to use the package.
type row struct {
	tool string // with its version
	what string
	run  func(context.Context, *matrix) error
}

// perRow is how long a row may take; only one that hangs takes so long.
const perRow = 3 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("the first argument is the tarball")
	}
	m, err := prepare(ctx, args[0])
	if err != nil {
		return err
	}
	defer m.close()
	failed := 0
	for _, r := range rows(m) {
		if !wanted(r, args[1:]) {
			continue
		}
		if err := m.try(ctx, r); err != nil {
			failed++
		}
	}
	for _, w := range m.weights {
		fmt.Printf("a default Vite build, %s: %d bytes with brotli, %d bytes with gzip\n", w.what, w.brotli, w.gzip)
	}
	if failed > 0 {
		return fmt.Errorf("%d rows failed", failed)
	}
	return m.quoted()
}

func wanted(r row, words []string) bool {
	for _, word := range words {
		if !strings.Contains(r.tool+" "+r.what, word) {
			return false
		}
	}
	return true
}

// try runs a row and prints its line; what tools have said is printed where it fails.
func (m *matrix) try(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(ctx, perRow)
	defer cancel()
	began := time.Now()
	m.said.Reset()
	err := r.run(ctx, m)
	verdict := "ok"
	if err != nil {
		verdict = "FAILED"
	}
	fmt.Printf("%-24s %-52s %-6s %5.1f s\n", r.tool, r.what, verdict, time.Since(began).Seconds())
	if err != nil {
		fmt.Printf("%v\n%s\n", err, m.said.String())
	}
	return err
}
