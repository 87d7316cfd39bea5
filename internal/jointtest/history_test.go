//go:build !js

package jointtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/transport/transporttest"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

var historySeed = flag.Uint64("history.seed", 0, "run the history with this seed alone")

const (
	mostClients    = 8  // of a history: more make the search for an order too long
	historiesAbout = 16 // histories that run side by side: each waits for its network most of the time
	longestLog     = 40 // elements, before a writer empties the log
	endName        = "end"
)

// history is what several clients did to one state, and when. What is done and where connections break comes from the
// seed; how it interleaves is the machine's.
type history struct {
	*house
	seed       uint64
	workers    int // of each client: each has one change on its way
	operations int // changes and server reads, of all writers together
	clock      atomic.Int64
	done       atomic.Int64 // operations

	mu     sync.Mutex // guards what follows
	events []event
	sights []sight
	ended  chan struct{} // closed when the follower has heard of the end
}

// historyCounts are what histories have met. Many that never meet one of them test less than they say.
type historyCounts struct {
	accepted, refused, unknown, transactions, cuts, repeated, forgotten atomic.Int64
}

func (c *historyCounts) check(t *testing.T, seeds uint64) {
	t.Helper()
	text := ""
	for _, count := range []struct {
		name string
		n    *atomic.Int64
	}{
		{"accepted", &c.accepted}, {"refused", &c.refused}, {"unknown", &c.unknown}, {"transactions", &c.transactions},
		{"cuts", &c.cuts}, {"repeated", &c.repeated}, {"verdicts forgotten", &c.forgotten},
	} {
		text += fmt.Sprintf(" %s %d,", count.name, count.n.Load())
		if count.n.Load() == 0 && seeds >= 8 {
			t.Errorf("no history has met: %s", count.name)
		}
	}
	t.Log("met:" + strings.TrimSuffix(text, ","))
}

// eachHistory runs the histories with the seeds from 1 on, several at a time, and has each checked.
func eachHistory(t *testing.T, seeds uint64, workers, operations int, check func(t *testing.T, h *history)) {
	t.Helper()
	var counts historyCounts
	var next atomic.Uint64
	run := func(seed uint64) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { check(t, runHistory(t, seed, workers, operations, &counts)) })
	}
	if *historySeed != 0 {
		run(*historySeed)
		return
	}
	began := time.Now()
	var all sync.WaitGroup
	for range historiesAbout {
		all.Go(func() {
			for seed := next.Add(1); seed <= seeds; seed = next.Add(1) {
				run(seed)
			}
		})
	}
	all.Wait()
	t.Logf("seeds 1 to %d, %d operations each, took %v", seeds, operations, time.Since(began).Round(time.Millisecond))
	counts.check(t, seeds)
}

// runHistory runs one history to its end.
func runHistory(t *testing.T, seed uint64, workers, operations int, counts *historyCounts) *history {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2027))
	h := &history{seed: seed, workers: workers, operations: operations, ended: make(chan struct{})}
	h.house = &house{t: t, repeats: rand.New(rand.NewPCG(seed, 1)), repeated: &counts.repeated}
	options := server.Options{
		Limits:          server.Limits{HistoryEntries: 1 << 20, HistoryBytes: 1 << 30}, // so that the follower never jumps
		TransactionTurn: 10 * time.Millisecond,
	}
	if seed%2 == 0 {
		options.Store = lateStore{stores.NewMemory()}
	}
	if seed%4 == 1 { // sessions are forgotten as soon as they are away
		options.ReconnectGrace, options.SessionExpiry = time.Microsecond, time.Microsecond
	}
	h.start("127.0.0.1:0", options, server.StateOptions{Identifier: "s", InitialValue: initialContent()})
	t.Cleanup(func() { h.server.Close() })
	patience := 5*time.Minute + time.Duration(operations)*50*time.Millisecond // others run beside it, and the machine may be busy
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)

	follower := h.join("follower", "s", wasmclient.WithListenerBacklog(1<<20))
	follower.AddStateUpdateListener("sights", h.see)
	h.house.mu.Lock()
	h.conns = nil // the follower's is not cut
	h.house.mu.Unlock()
	var clients []*wasmclient.State
	for i := range mostClients - seed%6 {
		clients = append(clients, h.join(fmt.Sprint("client", i), "s"))
	}
	var all sync.WaitGroup
	for i := range len(clients) * workers {
		w := &writer{history: h, number: i, state: clients[i%len(clients)], random: rand.New(rand.NewPCG(random.Uint64(), uint64(i))), counts: counts}
		all.Go(func() { w.run(ctx) })
	}
	all.Wait()
	h.end(ctx, clients)
	return h
}

// end waits until every change has its verdict, and until the follower has heard of all.
func (h *history) end(ctx context.Context, clients []*wasmclient.State) {
	for _, s := range clients {
		await(h.t, "all verdicts", func() bool { return s.Pending() == 0 })
	}
	h.readServer(0, true)
	version, err := h.server.UpdateStateValue(ctx, "s", map[string]any{endName: true})
	if err != nil {
		h.t.Fatal(err)
	}
	select {
	case <-h.ended:
	case <-ctx.Done():
		h.t.Fatalf("the follower has not heard of version %d", version)
	}
}

// now reads the clock of the history.
func (h *history) now() int64 { return h.clock.Add(1) }

func (h *history) note(e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// see is the follower's listener.
func (h *history) see(u wasmclient.Update) {
	seen := sight{from: u.From, version: u.To, view: contentOf(u.View)}
	over := false
	for name, value := range u.Updates.Members() {
		var w int
		if _, err := fmt.Sscanf(name, "w%d", &w); err == nil {
			seen.tags = append(seen.tags, tag{w, uint32(value.Number())})
		}
		over = over || name == endName
	}
	if over {
		close(h.ended)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sights = append(h.sights, seen)
}

// readServer notes what the server's program reads.
func (h *history) readServer(writer int, last bool) {
	e := event{writer: writer, last: last, call: h.now()}
	value, _ := h.server.GetValueOfState("s")
	e.back = h.now()
	e.read = contentOf(value)
	h.note(e)
}

// disturb lets one of the connections break soon: at once, or after some bytes in one direction, so that changes or
// their answers are lost on the way.
func (h *history) disturb(random *rand.Rand) bool {
	h.house.mu.Lock()
	defer h.house.mu.Unlock()
	if len(h.conns) == 0 {
		return false
	}
	i := random.IntN(len(h.conns))
	conn := h.conns[i]
	h.conns = append(h.conns[:i], h.conns[i+1:]...)
	fault := transporttest.Fault{Kind: transporttest.Cut, After: random.Int64N(400), Slice: random.IntN(8)}
	switch random.IntN(5) {
	case 0:
		conn.Cut()
	case 1:
		conn.Set(transporttest.Faults{Read: fault})
	default: // the server hears and applies, and its answers are lost
		conn.Set(transporttest.Faults{Write: fault})
	}
	return true
}

// writer does one thing after another to the state.
type writer struct {
	*history
	number int
	state  *wasmclient.State
	random *rand.Rand
	counts *historyCounts
	made   uint32 // changes
}

func (w *writer) run(ctx context.Context) {
	for w.done.Add(1) <= int64(w.operations) && !w.t.Failed() {
		if w.random.IntN(60) == 0 && w.disturb(w.random) {
			w.counts.cuts.Add(1)
		}
		if w.random.IntN(8) == 0 {
			w.readConfirmed() // besides
		}
		if w.random.IntN(10) < 4 {
			w.readServer(w.number, false)
		} else {
			w.change(ctx)
		}
	}
}

// readConfirmed notes what the client knows. One client's workers share it, so none of them may see it go back.
func (w *writer) readConfirmed() {
	e := event{writer: w.number, confirmed: true, call: w.now()}
	value, version := w.state.Confirmed()
	e.back = w.now()
	e.version, e.read = version, contentOf(value)
	w.note(e)
}

// oftenKinds has a kind as often as it is drawn. Transactions that contend wait for each other.
var oftenKinds = []kind{merging, merging, adding, adding, appending, appending, appending, transaction}

// change makes a random change and notes what became of it.
func (w *writer) change(ctx context.Context) {
	w.made++
	c := &change{tag: tag{w.number, w.made}, kind: oftenKinds[w.random.IntN(len(oftenKinds))], value: 1 + w.random.Int64N(1000)}
	c.clears = c.kind == merging && w.state.GetState().Get("log").Len() > longestLog
	if w.random.IntN(50) == 0 { // whoever waits for it does not wait long
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(w.random.IntN(1000))*time.Microsecond)
		defer cancel()
	}
	e := event{writer: w.number, change: c, call: w.now()}
	version, err := w.submit(ctx, c)
	e.back, e.version = w.now(), version
	switch {
	case err == nil:
		w.counts.accepted.Add(1)
		if c.kind == transaction {
			w.counts.transactions.Add(1)
		}
	case errors.Is(err, wasmclient.ErrOutcomeUnknown):
		e.outcome = unknown
		w.counts.unknown.Add(1)
		if !errors.Is(err, context.DeadlineExceeded) {
			w.counts.forgotten.Add(1)
		}
	case errors.Is(err, wasmclient.ErrConflict), errors.Is(err, context.DeadlineExceeded):
		e.outcome = refused
		w.counts.refused.Add(1)
	default:
		w.t.Errorf("change %v: %v", c.tag, err)
		return
	}
	w.note(e)
}

// submit asks for the change and waits for the verdict.
func (w *writer) submit(ctx context.Context, c *change) (version uint64, err error) {
	mine := tagName(c.writer)
	op := func(kind document.OpKind, path string, value any) document.PatchOp {
		return document.PatchOp{Kind: kind, Path: path, Value: document.MustOf(value)}
	}
	switch c.kind {
	case merging:
		updates := map[string]any{"a": c.value, mine: c.number}
		if c.clears {
			updates["log"] = []any{}
		}
		return w.state.UpdateState(ctx, updates)
	case adding:
		return w.state.PatchState(ctx, op(document.Increment, "/sum", c.value), op(document.Add, "/"+mine, c.number))
	case appending:
		return w.state.PatchState(ctx, op(document.Add, "/log/-", c.String()), op(document.Add, "/"+mine, c.number))
	default:
		return w.state.Transact(ctx, []string{"a"}, func(previous document.Value) (any, error) {
			c.seenA, c.seenB = int64(previous.Get("a").Number()), int64(previous.Get("b").Number())
			return map[string]any{"b": c.computed(), mine: c.number}, nil
		})
	}
}
