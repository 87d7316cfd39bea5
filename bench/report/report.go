package report

import "time"

// Run is everything that is written.
type Run struct {
	Table      Table
	Benchmarks []Benchmark
	Machine    string
	Commit     string
	Began      time.Time
	Took       time.Duration
}

// Benchmark is a line of `go test -bench`.
type Benchmark struct {
	Package, Name             string
	Nanoseconds, Bytes, Count float64 // Count: allocations
}

// Write writes the results.
func Write(root string, run Run) error { return nil }
