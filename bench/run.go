package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/process"
	"github.com/server-state-sync/server-state-sync/bench/report"
	"github.com/server-state-sync/server-state-sync/bench/work"
)

// runner runs works over peers, the rounds of a work interleaved over its peers.
type runner struct {
	short   bool
	only    []string
	rounds  int
	profile string
	wanted  bool // write the results in any case
	root    string

	self  string
	cores process.Cores
	table report.Table
}

func (r *runner) run(ctx context.Context) error {
	works, err := r.chosen()
	if err != nil {
		return err
	}
	if r.cores, err = process.PinSelf(r.short); err != nil {
		return err
	}
	if err := process.RaiseFiles(); err != nil {
		return err
	}
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	if !r.short {
		alone, err := process.Alone()
		if err != nil {
			return err
		}
		defer func() { _ = alone.Close() }()
	}
	debug.SetGCPercent(400) // the load's own garbage is of no account
	r.table = report.Table{}
	err = r.measure(ctx, works)
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// measure does the works, and writes the results where everything was done, or that is wanted in any case.
func (r *runner) measure(ctx context.Context, works []work.Work) error {
	began := time.Now()
	before, err := process.NewMeter()
	if err != nil {
		return err
	}
	writing := r.wanted || !r.short && len(r.only) == 0
	var benchmarks []report.Benchmark
	if writing { // first: what would be in the way of the results is told before everything is measured
		if err := report.CanWrite(r.root); err != nil {
			return err
		}
		if err := warn(); err != nil {
			return err
		}
		fmt.Println("first the Go benchmarks and the durable log, about two minutes")
		if benchmarks, err = r.goBenchmarks(ctx); err != nil {
			return err
		}
		if err := r.durableLog(ctx); err != nil {
			return err
		}
	}
	for i, w := range works {
		fmt.Printf("%d of %d, %s: %d rounds of %s\n", i+1, len(works), w.Name, r.roundsOf(w), strings.Join(w.Peers, ", "))
		r.work(ctx, w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("done in %v\n", time.Since(began).Round(time.Second))
	after, err := process.NewMeter()
	if err != nil {
		return err
	}
	if writing {
		if err := r.write(began, benchmarks, after.Others(before)); err != nil {
			return err
		}
	}
	if missing := r.table.Missing(); missing > 0 {
		return fmt.Errorf("%d rounds failed, as is told above", missing)
	}
	return nil
}

var errInterrupted = errors.New("interrupted: nothing was written, and all that was started has ended")

// chosen returns the works that were asked for, with the peers that were.
func (r *runner) chosen() ([]work.Work, error) {
	works := work.Works()
	if len(r.only) == 0 {
		return works, nil
	}
	var peers []string
	var wanted []string
	for _, name := range r.only {
		switch {
		case slices.Contains(work.Everybody, name):
			peers = append(peers, name)
		case slices.ContainsFunc(works, func(w work.Work) bool { return w.Name == name }):
			wanted = append(wanted, name)
		default:
			return nil, fmt.Errorf("there is no work and no peer %q: works are %s, and peers %s", name, names(works), strings.Join(work.Everybody, ", "))
		}
	}
	var chosen []work.Work
	for _, w := range works {
		if len(peers) > 0 {
			w.Peers = slices.DeleteFunc(slices.Clone(w.Peers), func(p string) bool { return !slices.Contains(peers, p) })
		}
		named := slices.Contains(wanted, w.Name)
		switch {
		case len(w.Peers) > 0 && (named || len(wanted) == 0):
			chosen = append(chosen, w)
		case named:
			return nil, fmt.Errorf("%s is done by none of the peers that --only names", w.Name)
		}
	}
	return chosen, nil
}

func names(works []work.Work) string {
	list := make([]string, len(works))
	for i, w := range works {
		list[i] = w.Name
	}
	return strings.Join(list, ", ")
}

// roundsOf returns how often each peer does the work.
func (r *runner) roundsOf(w work.Work) int {
	switch {
	case r.short:
		return 1
	case r.rounds > 0:
		return r.rounds
	}
	return w.Rounds
}

// warn tells at the beginning, and not only in the results, that other processes are at work.
func warn() error {
	before, err := process.NewMeter()
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	after, err := process.NewMeter()
	if err != nil {
		return err
	}
	if others := after.Others(before); others > report.Quiet {
		fmt.Printf("other processes take %.0f %% of the processors' time: what is measured now is not worth keeping\n", others)
	}
	return nil
}

// work does all rounds of a work. Each round begins with another peer.
func (r *runner) work(ctx context.Context, w work.Work) {
	began := time.Now()
	for i := range r.roundsOf(w) {
		for j := range w.Peers {
			peer := w.Peers[(i+j)%len(w.Peers)]
			r.table.Add(w.Name, peer, r.attempts(ctx, w, peer, i))
			if ctx.Err() != nil {
				return
			}
		}
	}
	fmt.Printf("%s (%v)\n", w.Name, time.Since(began).Round(100*time.Millisecond))
	for _, peer := range w.Peers {
		fmt.Printf("  %-11s %s\n", peer, r.table.Line(w.Name, peer))
	}
}

// attempts does a round, and once more where that fails; nil where that fails too. A short look forgives nothing.
func (r *runner) attempts(ctx context.Context, w work.Work, peer string, i int) work.Values {
	most := 2
	if r.short {
		most = 1
	}
	for range most {
		values, err := r.round(ctx, w, peer, i)
		if err == nil || ctx.Err() != nil {
			return values
		}
		r.table.Fail(w.Name, peer, err)
		fmt.Printf("%s, %s: FAILED: %v\n", w.Name, peer, err)
	}
	return nil
}

// round starts the peer's server, lets it work, and ends it.
func (r *runner) round(ctx context.Context, w work.Work, peer string, i int) (work.Values, error) {
	setup := w.Setup
	setup.States = max(1, setup.States)
	if setup.Durable != "" {
		folder, err := os.MkdirTemp("", "statesync-bench")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		setup.Durable = folder
	}
	if r.profile != "" {
		setup.Profile = filepath.Join(r.profile, fmt.Sprintf("%s-%d.pprof", w.Name, i))
	}
	text, err := json.Marshal(setup)
	if err != nil {
		return nil, err
	}
	name, arguments := r.program(peer, string(text))
	server, err := process.Start(ctx, r.cores.Server, name, arguments...)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	round := &work.Round{Peer: peer, Short: r.short, Server: server, Cores: r.cores, Self: r.self, Context: ctx}
	if err := round.Begin(); err != nil {
		return nil, err
	}
	defer round.End()
	if err := w.Do(round); err != nil {
		if why := server.Complaints(); why != "" {
			err = errors.Join(err, errors.New(why))
		}
		return nil, err
	}
	return round.Values, nil
}

// program returns what runs a peer's server.
func (r *runner) program(peer, setup string) (name string, arguments []string) {
	switch peer {
	case "ws":
		return "node", []string{filepath.Join(r.root, "bench/node/ws.mjs"), setup}
	case "socket.io":
		return "node", []string{filepath.Join(r.root, "bench/node/socketio.mjs"), setup}
	}
	return r.self, []string{"serve", peer, setup}
}

// write prints the results, and writes them unless rounds are missing: those of a whole run before are better.
func (r *runner) write(began time.Time, benchmarks []report.Benchmark, others float64) error {
	commit, err := exec.Command("git", "-C", r.root, "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	run := report.Run{
		Table: r.table, Peers: work.Everybody, Versions: versions(r.root), Benchmarks: benchmarks, Machine: process.Describe(), Commit: string(commit),
		Short: r.short, Partial: len(r.only) > 0, Others: others, Began: began, Took: time.Since(began),
	}
	fmt.Printf("\n%s\n", run.Results())
	if r.table.Missing() > 0 && !r.wanted {
		fmt.Println("nothing was written, since rounds are missing; scripts/bench.sh --write writes in any case")
		return nil
	}
	return report.Write(r.root, run)
}
