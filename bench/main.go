// Command bench measures our server and what a user would pick instead, each a process of its own that does the same
// work, and writes RESULTS.md and chart.svg. See RESULTS.md for how it measures; `make bench` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/server-state-sync/server-state-sync/bench/hub"
	"github.com/server-state-sync/server-state-sync/bench/listen"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
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
	flags.BoolVar(&r.wanted, "write", false, "write the results of --short, of --only and where rounds are missing, too")
	flags.IntVar(&r.rounds, "rounds", 0, "rounds of each work; 0: as many as it needs")
	flags.StringVar(&r.profile, "profile", "", "write CPU profiles of our server to files in this folder; with --only")
	flags.StringVar(&r.root, "root", "..", "the repository, where the results are written and the Go benchmarks run")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? Works and peers are named by --only", flags.Arg(0))
	}
	if r.rounds < 0 {
		return fmt.Errorf("--rounds is %d: it must be a number of rounds, or 0", r.rounds)
	}
	if r.profile != "" {
		if folder, err := os.Stat(r.profile); err != nil || !folder.IsDir() {
			return fmt.Errorf("--profile %s: there is no such folder; make it first", r.profile)
		}
	}
	if *only != "" {
		r.only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return r.run(ctx)
}
