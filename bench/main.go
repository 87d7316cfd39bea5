// Command bench measures our server and what a user would pick instead, each a process of its own that does the same
// work, and writes RESULTS.md and chart.svg. See RESULTS.md for how it measures; `make bench` runs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/bench/hub"
	"github.com/server-state-sync/server-state-sync/bench/listen"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 3 && arguments[0] == "serve":
		return hub.Serve(arguments[1], arguments[2])
	case len(arguments) == 4 && arguments[0] == "listen":
		changes, err := strconv.Atoi(arguments[3])
		if err != nil {
			return err
		}
		return listen.Run(arguments[1], arguments[2], changes)
	}
	var r runner
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&r.short, "short", false, "everything once and little of it: only to see that it works; nothing is written without --write")
	only := flags.String("only", "", "works and peers to run, separated by commas, such as burst-100,ours,floor; nothing is written without --write")
	flags.BoolVar(&r.wanted, "write", false, "write the results of --short and --only, too")
	flags.IntVar(&r.rounds, "rounds", 0, "rounds of each work; 0: as many as it needs")
	flags.StringVar(&r.profile, "profile", "", "write CPU profiles of our server to files in this folder; with --only")
	flags.StringVar(&r.root, "root", "..", "the repository, where the results are written and the Go benchmarks run")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *only != "" {
		r.only = strings.Split(*only, ",")
	}
	return r.run()
}
