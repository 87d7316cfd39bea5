package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/bench/process"
	"github.com/server-state-sync/server-state-sync/bench/report"
)

// hotPaths are the Go benchmarks of the results: apply, encode, carry, fan-out, join, resume, and the client.
var hotPaths = []string{
	"Append", "Merge", "Carry", "AppendEntries", "AppendSharedEntries", "DecodeMerge", "DecodePatch", "FanOut", "FanOutBurst", "Join", "Resume", "Write", "OwnChange", "RemoteAppends",
}

// goBenchmarks runs them in the repository.
func (r *runner) goBenchmarks(ctx context.Context) ([]report.Benchmark, error) {
	out, err := r.goTest(ctx, "^Benchmark("+strings.Join(hotPaths, "|")+")$", "100ms", "./document", "./protocol", "./server", "./internal/transport", "./internal/core")
	if err != nil {
		return nil, err
	}
	return parseAll(out)
}

// parseAll reads what the benchmarks print, which must be all of them.
func parseAll(out string) (list []report.Benchmark, err error) {
	pkg := ""
	for line := range strings.Lines(out) {
		if path, ok := strings.CutPrefix(line, "pkg: github.com/server-state-sync/server-state-sync/"); ok {
			pkg = strings.TrimSpace(path)
		}
		if x, ok := parse(line); ok {
			x.Package = pkg
			list = append(list, x)
		}
	}
	for _, name := range hotPaths {
		if !slices.ContainsFunc(list, func(x report.Benchmark) bool { return x.Name == name || strings.HasPrefix(x.Name, name+"/") }) {
			return nil, fmt.Errorf("there is no Go benchmark %s any more: %s", name, out)
		}
	}
	return list, nil
}

// goTest runs benchmarks and returns what they print.
func (r *runner) goTest(ctx context.Context, which, long string, packages ...string) (string, error) {
	command := process.Command(ctx, "go", append([]string{"test", "-run", "^$", "-bench", which, "-benchmem", "-benchtime", long}, packages...)...)
	command.Dir = r.root
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := r.cores.Anywhere(command.Start)
	if err == nil {
		err = command.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("go test -bench: %w: %s", err, out.String())
	}
	return out.String(), nil
}

// parse reads a line such as "BenchmarkFanOut/100-2  100  9000 ns/op  5 B/op  1 allocs/op".
func parse(line string) (x report.Benchmark, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return x, false
	}
	name := strings.TrimPrefix(fields[0], "Benchmark")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	x.Name = name
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return x, false
		}
		switch fields[i+1] {
		case "ns/op":
			x.Nanoseconds = value
		case "B/op":
			x.Bytes = value
		case "allocs/op":
			x.Allocations = value
		}
	}
	return x, true
}

// logRounds is how often the durable log is measured.
const logRounds = 3

// durableLog measures the log alone with 512 writers: acknowledged records a second.
func (r *runner) durableLog(ctx context.Context) error {
	for range logRounds {
		out, err := r.goTest(ctx, "BenchmarkAcknowledged/synced/512_writers/1_states", "1s", "./stores/disk")
		if err != nil {
			return err
		}
		before, _, ok := strings.Cut(out, " acked/s")
		fields := strings.Fields(before)
		if !ok || len(fields) == 0 {
			return fmt.Errorf("the durable log's benchmark prints no acknowledged records: %s", out)
		}
		rate, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return fmt.Errorf("the durable log's benchmark: %w", err)
		}
		r.table.Add("log-512", "ours", map[string]float64{"per second": rate})
	}
	fmt.Printf("log-512\n  %s\n", r.table.Line("log-512", "ours"))
	return nil
}

// versions returns the versions of the peers: those of this program's modules, and of the installed packages.
func versions(root string) map[string]string {
	found := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			switch module.Path {
			case "github.com/centrifugal/centrifuge":
				found["centrifuge"] = strings.TrimPrefix(module.Version, "v")
			case "github.com/gorilla/websocket":
				found["gorilla"] = strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	for _, name := range []string{"ws", "socket.io"} {
		text, err := os.ReadFile(filepath.Join(root, "bench/node/node_modules", name, "package.json"))
		var manifest struct{ Version string }
		if err == nil && json.NewDecoder(bytes.NewReader(text)).Decode(&manifest) == nil {
			found[name] = manifest.Version
		}
	}
	return found
}
