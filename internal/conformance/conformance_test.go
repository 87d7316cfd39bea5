//go:build !js

package conformance

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	seed = flag.Uint64("conformance.seed", 0, "draw where connections are cut by this seed; 0: by a random one")
	only = flag.String("conformance.only", "", "run the cases whose name contains this")
)

// end is one of the three clients, as two connections: one whose joins are early, one whose joins are late. A change
// that is refused has a code.
type end interface {
	join(ctx context.Context, key, identifier string, late bool) (view string, err error)
	change(ctx context.Context, key string, s step) (code string, err error)
	fenced(ctx context.Context, key string) (view string, err error) // waits until the view has the fence
	leave(ctx context.Context, key string) error
}

// patience bounds what is waited for: no machine is so slow.
const patience = 8 * time.Minute

// atOnce is how many runs go on at the same time, over the same connections.
const atOnce = 16

// mostState bounds a state, so that a case need not be very long to go beyond it.
const mostState = 1_400_000

// TestClientsConform: whoever of the three clients makes the changes of a case, each step has the verdict that the
// corpus names, and all of them have the state that it names, byte by byte: who was there from the beginning, through a
// connection that is cut in the middle, and who joins afterwards. Of the two servers one lets clients catch up by
// entries, and the other keeps none, so that they jump.
func TestClientsConform(t *testing.T) {
	drawn := *seed
	if drawn == 0 {
		drawn = rand.Uint64()
	}
	t.Logf("replay: go test -run TestClientsConform ./internal/conformance -conformance.seed=%d", drawn)
	wasmExec, module := buildModule(t)
	cases := corpus(t)
	for _, server := range []struct {
		name  string
		limit server.Limits
		share float64 // of the runs
	}{{"entries", server.Limits{State: mostState}, 1}, {"jumps", server.Limits{State: mostState, HistoryEntries: 1}, 0.2}} {
		t.Run(server.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(drawn, 0))
			h := open(t, server.limit)
			h.ends = map[string]end{
				"native": newNative(t, h.addr), "wasm": startNode(t, "wasm", "ws://"+h.addr, wasmExec, module),
				"reference": startNode(t, "reference", "ws://"+h.addr),
			}
			var runs []*run
			for _, c := range cases {
				for _, writer := range c.Writers {
					if strings.Contains(c.Name, *only) && random.Float64() < server.share {
						runs = append(runs, &run{house: h, scenario: c, writer: writer, cut: random.IntN(len(c.Steps))})
					}
				}
			}
			random.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] }) // so that long cases do not come together
			for len(runs) > 0 {
				n := min(atOnce, len(runs))
				h.conduct(t, runs[:n], random.IntN(2) == 0)
				runs = runs[n:]
			}
		})
	}
}

// house is a server on loopback whose connections can be cut.
type house struct {
	server *server.StateSyncer
	addr   string
	ends   map[string]end

	mu    sync.Mutex
	conns []net.Conn
}

func open(t *testing.T, limits server.Limits) *house {
	t.Helper()
	syncer, err := server.New(server.Options{
		Limits: limits, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Heartbeat: patience, HandshakeTimeout: patience, WriteTimeout: patience, MessageTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{server: syncer, addr: listener.Addr().String()}
	if err := syncer.Serve(tapped{listener, h}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syncer.Close() })
	return h
}

// tapped is a listener whose connections the house knows.
type tapped struct {
	net.Listener
	house *house
}

func (l tapped) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.house.mu.Lock()
		defer l.house.mu.Unlock()
		l.house.conns = append(l.house.conns, conn)
	}
	return conn, err
}

func (h *house) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.conns {
		_ = conn.Close()
	}
	h.conns = nil
}

// conduct does some runs at once. With a cut, all connections end while each of them is at a step of its own.
func (h *house) conduct(t *testing.T, runs []*run, cut bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	each(t, runs, func(r *run) error { return r.begin(ctx) })
	each(t, runs, func(r *run) error { return r.do(ctx, 0, r.cut) })
	var cutting sync.WaitGroup
	if cut {
		cutting.Go(h.cut)
	}
	each(t, runs, func(r *run) error { return r.do(ctx, r.cut, len(r.scenario.Steps)) })
	cutting.Wait()
	each(t, runs, func(r *run) error { return r.compare(ctx) })
	each(t, runs, func(r *run) error { return r.finish(ctx) })
}

// each does something for all runs that have not failed, and waits for it.
func each(t *testing.T, runs []*run, do func(*run) error) {
	t.Helper()
	var all sync.WaitGroup
	for _, r := range runs {
		all.Go(func() {
			if r.failed {
				return
			}
			if err := do(r); err != nil {
				r.failed = true
				t.Errorf("%s, written by %s: %v", r.scenario.Name, r.writer, err)
			}
		})
	}
	all.Wait()
}

// run is one case with one writer.
type run struct {
	house    *house
	scenario scenario
	writer   string
	cut      int // the step at which the connections may be cut
	failed   bool
}

func (r *run) identifier() string { return r.writer + ": " + r.scenario.Name }

// late is the key of the join that comes afterwards.
func (r *run) late() string { return "late " + r.identifier() }

func (r *run) begin(ctx context.Context) error {
	base, err := document.Parse([]byte(r.scenario.Base), document.Limits{Bytes: document.MaxBytes})
	if err != nil {
		return fmt.Errorf("the base of the case: %w", err)
	}
	if _, err := r.house.server.CreateState(server.StateOptions{Identifier: r.identifier(), InitialValue: base}); err != nil {
		return err
	}
	for name, e := range r.house.ends {
		if view, err := e.join(ctx, r.identifier(), r.identifier(), false); err != nil || view != base.String() {
			return fmt.Errorf("%s joins and has %.500s, %w", name, view, err)
		}
	}
	return nil
}

// do makes the changes of some steps, and holds each verdict.
func (r *run) do(ctx context.Context, from, to int) error {
	name := r.writer
	if name == "raw" {
		name = "reference"
	}
	for i, s := range r.scenario.Steps[from:to] {
		s.Raw = r.writer == "raw"
		want := s.Refused
		s.Refused = ""
		code, err := r.house.ends[name].change(ctx, r.identifier(), s)
		if err != nil {
			return fmt.Errorf("step %d, %s %.200s: %w", from+i, s.Do, s.Text, err)
		}
		if got := codeName(code); got != want {
			return fmt.Errorf("step %d, %s %.200s: the verdict is %q, want %q", from+i, s.Do, s.Text, got, want)
		}
	}
	return nil
}

// compare holds that all have the state that is wanted.
func (r *run) compare(ctx context.Context) error {
	put := document.PatchOp{Kind: document.Add, Path: "/" + fence, Value: document.MustOf(1)}
	if _, err := r.house.server.PatchState(ctx, r.identifier(), []document.PatchOp{put}); err != nil {
		return err
	}
	want := fenced(r.scenario.State)
	if value, _ := r.house.server.GetValueOfState(r.identifier()); value.String() != want {
		return fmt.Errorf("the server has %s", difference(value.String(), want))
	}
	for name, e := range r.house.ends {
		if view, err := e.fenced(ctx, r.identifier()); err != nil || view != want {
			return fmt.Errorf("%s, there from the beginning, has %s, %v", name, difference(view, want), err)
		}
		if _, err := e.join(ctx, r.late(), r.identifier(), true); err != nil {
			return fmt.Errorf("%s joins late: %w", name, err)
		}
		if view, err := e.fenced(ctx, r.late()); err != nil || view != want { // a snapshot may be older, with the rest behind it
			return fmt.Errorf("%s, late, has %s, %v", name, difference(view, want), err)
		}
	}
	return nil
}

func (r *run) finish(ctx context.Context) error {
	for name, e := range r.house.ends {
		for _, key := range []string{r.identifier(), r.late()} {
			if err := e.leave(ctx, key); err != nil {
				return fmt.Errorf("%s leaves: %w", name, err)
			}
		}
	}
	r.house.server.RemoveState(r.identifier())
	return nil
}

// difference shows two texts from where they differ on.
func difference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := max(0, i-30)
	return fmt.Sprintf("%.200q and not %.200q, from byte %d on", got[min(from, len(got)):], want[from:], from)
}
