//go:build !js

package jointtest

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

var faultRounds = flag.Int("fault.rounds", 0, "how often each network fault comes; 0: twice")

const (
	faultWriters  = 3
	faultWatchers = 2
	faultProgress = 25 // changes of each writer that get through a fault which only slows
	faultBreaks   = 6  // connections that a fault ends before it is over
)

// fault is something that a network does.
type fault struct {
	name   string
	toxic  toxic
	resets bool
	slows  bool                                                // changes get through; else connections end
	also   func(*proxy, direction)                             // when it begins
	until  func(*proxy, direction, []*faultWriter) func() bool // instead of counting
}

// faults are toxiproxy's seven toxics, and a proxy that is not there.
func faults() []fault {
	var limited atomic.Int64
	return []fault{
		{name: "latency and jitter", slows: true, toxic: func() toxics.Toxic { return &toxics.LatencyToxic{Latency: 8, Jitter: 7} }},
		{name: "bandwidth", slows: true, toxic: func() toxics.Toxic { return &toxics.BandwidthToxic{Rate: 20} }},
		{name: "slices of one byte", slows: true, toxic: func() toxics.Toxic { return &toxics.SlicerToxic{AverageSize: 1} }},
		{name: "reset", resets: true, toxic: func() toxics.Toxic { return &toxics.ResetToxic{} }},
		{name: "half close after some bytes", toxic: func() toxics.Toxic {
			return &toxics.LimitDataToxic{Bytes: 1 + limited.Add(1)*397%2503} // each time others, in the handshake and after it
		}},
		{name: "half close that is heard late", toxic: func() toxics.Toxic { return &toxics.SlowCloseToxic{Delay: 30} }, also: (*proxy).endInput, until: lateClose},
		{name: "black hole", toxic: func() toxics.Toxic { return &toxics.TimeoutToxic{} }, until: allNoticed},
		{name: "proxy down", also: func(p *proxy, d direction) {
			p.down()
			if d == downstream { // somebody answers, and there is no server behind
				p.aim("127.0.0.1:1")
				p.up()
			}
		}, until: allNoticed},
	}
}

// lateClose ends the input of all connections again and again.
func lateClose(p *proxy, d direction, _ []*faultWriter) func() bool {
	before := p.ended.Load()
	return func() bool {
		p.endInput(d)
		return p.ended.Load()-before >= faultBreaks
	}
}

// allNoticed waits until none of the connections of the beginning is left, and no client believes to have one.
func allNoticed(p *proxy, _ direction, writers []*faultWriter) func() bool {
	before := p.made.Load()
	return func() bool {
		return p.ended.Load() >= before && !slices.ContainsFunc(writers, func(w *faultWriter) bool {
			return w.client.Status().Phase == wasmclient.Connected
		})
	}
}

// TestChangesAreMadeOnceThroughEveryFault: whatever the network does, in either direction, each change is made once,
// versions are dense, and when it is over all have the same state.
func TestChangesAreMadeOnceThroughEveryFault(t *testing.T) {
	rounds := *faultRounds
	if rounds == 0 {
		rounds = 2
	}
	for _, f := range faults() {
		for _, d := range []direction{upstream, downstream} {
			t.Run(fmt.Sprint(f.name, " ", d), func(t *testing.T) { endureFault(t, f, d, rounds) })
		}
	}
}

func endureFault(t *testing.T, f fault, d direction, rounds int) {
	heartbeat := 300 * time.Millisecond
	if f.slows { // a frame that takes two heartbeats to come would be no sign of life
		heartbeat = time.Minute
	}
	direct := open(t, server.Options{Heartbeat: heartbeat},
		server.StateOptions{Identifier: "s", InitialValue: map[string]any{"messages": []any{}, "n": 0}})
	p := proxyTo(t, direct.addr)
	through := &house{t: t, server: direct.server, addr: p.addr}
	impatient := wasmclient.WithConnectTimeout(300 * time.Millisecond)
	var all []*wasmclient.State
	var chains []*chain
	for i := range faultWatchers {
		s := through.join(fmt.Sprint("watcher", i), "s", impatient, wasmclient.WithListenerBacklog(1<<20))
		c := &chain{}
		s.AddStateUpdateListener("chain", c.hear)
		chains, all = append(chains, c), append(all, s)
	}
	var writers []*faultWriter
	var writing sync.WaitGroup
	stop := make(chan struct{})
	for i := range faultWriters {
		w := &faultWriter{t: t, number: i, client: through.client(fmt.Sprint("writer", i), impatient)}
		var err error
		if w.state, err = w.client.ConnectToState(within(t), "s"); err != nil {
			t.Fatal(err)
		}
		writers, all = append(writers, w), append(all, w.state)
		writing.Go(func() { w.run(t.Context(), stop) })
	}
	t.Cleanup(writing.Wait) // where the test has failed; the context has ended
	before := p.ended.Load()
	for range rounds {
		p.strike(f, d, writers)
		p.relieve(f, d)
		progress(t, writers, 3) // without the fault
	}
	close(stop)
	writing.Wait()
	through.settle("s", all...)
	total := checkWriters(t, writers, direct.server)
	for i, c := range chains {
		await(t, "the listener", func() bool { return c.last() == uint64(total) })
		c.check(t, i)
	}
	t.Logf("%d changes, %d connections ended", total, p.ended.Load()-before)
}

// strike lets the fault be until it has had its effect.
func (p *proxy) strike(f fault, d direction, writers []*faultWriter) {
	before := p.ended.Load()
	over := func() bool { return p.ended.Load()-before >= faultBreaks }
	if f.until != nil {
		over = f.until(p, d, writers)
	}
	if f.toxic != nil {
		p.afflict(d, f.toxic, f.resets)
	}
	if f.also != nil {
		f.also(p, d)
	}
	if f.slows {
		progress(p.t, writers, faultProgress)
		return
	}
	await(p.t, "the effect of "+f.name, over)
}

// relieve ends the fault.
func (p *proxy) relieve(f fault, d direction) {
	if f.toxic != nil {
		p.afflict(d, nil, false)
		return
	}
	p.down()
	p.aim(p.server)
	p.up()
}

// progress waits until each writer has so many more verdicts.
func progress(t *testing.T, writers []*faultWriter, more int64) {
	t.Helper()
	before := make([]int64, len(writers))
	for i, w := range writers {
		before[i] = w.answered.Load()
	}
	await(t, "verdicts", func() bool {
		for i, w := range writers {
			if w.answered.Load() < before[i]+more {
				return false
			}
		}
		return true
	})
}

// faultWriter appends and counts until it is told to stop.
type faultWriter struct {
	t        *testing.T
	number   int
	client   *wasmclient.Client
	state    *wasmclient.State
	answered atomic.Int64
	versions []uint64
}

func (w *faultWriter) run(ctx context.Context, stop <-chan struct{}) {
	var pending []*wasmclient.Pending
	for made := 0; ; made++ {
		select {
		case <-stop:
			w.wait(ctx, pending)
			return
		case <-time.After(time.Millisecond): // so that the state stays small
		}
		p, err := w.state.SubmitPatch(ctx,
			document.PatchOp{Kind: document.Add, Path: "/messages/-", Value: document.MustOf(strconv.Itoa(w.number) + ":" + strconv.Itoa(made))},
			document.PatchOp{Kind: document.Increment, Path: "/n", Value: document.MustOf(1)})
		if err != nil {
			w.fail(ctx, err)
			return
		}
		if pending = append(pending, p); len(pending) == 4 {
			w.wait(ctx, pending)
			pending = nil
		}
	}
}

func (w *faultWriter) wait(ctx context.Context, pending []*wasmclient.Pending) {
	for _, p := range pending {
		version, err := p.Wait(ctx)
		if err != nil {
			w.fail(ctx, err)
		}
		w.versions = append(w.versions, version)
		w.answered.Add(1)
	}
}

// fail reports an error, unless the test has ended.
func (w *faultWriter) fail(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.t.Errorf("writer %d: %v", w.number, err)
	}
}

// checkWriters holds that every change has a version of its own, that there are no others, and that all are in the
// value, in order. It returns how many there are.
func checkWriters(t *testing.T, writers []*faultWriter, syncer *server.StateSyncer) (total int) {
	t.Helper()
	var versions []uint64
	for _, w := range writers {
		if !slices.IsSorted(w.versions) {
			t.Errorf("the versions of writer %d go back", w.number)
		}
		versions = append(versions, w.versions...)
	}
	slices.Sort(versions)
	for i, version := range versions {
		if version != uint64(i+1) {
			t.Fatalf("version %d has no change of its own: got %d", i+1, version)
		}
	}
	value, _ := syncer.GetValueOfState("s")
	if n, messages := value.Get("n").Number(), value.Get("messages"); int(n) != len(versions) || messages.Len() != len(versions) {
		t.Errorf("the counter is %v and there are %d messages, of %d changes", n, messages.Len(), len(versions))
	}
	var next [faultWriters]int
	for _, message := range value.Get("messages").Elements() {
		var writer, number int
		if _, err := fmt.Sscanf(message.Text(), "%d:%d", &writer, &number); err != nil || number != next[writer] {
			t.Fatalf("got message %s where number %d is due", message, next[writer])
		}
		next[writer]++
	}
	return len(versions)
}

// chain is what a listener heard.
type chain struct {
	mu    sync.Mutex
	steps [][2]uint64
}

func (c *chain) hear(u wasmclient.Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.steps = append(c.steps, [2]uint64{u.From, u.To})
}

func (c *chain) last() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.steps) == 0 {
		return 0
	}
	return c.steps[len(c.steps)-1][1]
}

// check holds that every version was heard of once, in order.
func (c *chain) check(t *testing.T, watcher int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, step := range c.steps {
		if step != [2]uint64{uint64(i), uint64(i + 1)} {
			t.Fatalf("watcher %d went from version %d to %d, after %d", watcher, step[0], step[1], i)
		}
	}
}
