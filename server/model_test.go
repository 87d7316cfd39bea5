package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
)

var (
	modelSeed  = flag.Uint64("model.seed", 0, "replay this seed of the random model alone, with a trace")
	modelSeeds = flag.Uint64("model.seeds", 2400, "how many seeds of the random model to run")
)

// modelShards run side by side; the race detector sees what they share, which is nothing.
const modelShards = 4

// TestModel drives the real server and real client cores in one goroutine and virtual time, over a network that cuts
// connections at any byte, delivers late to dead connections, and repeats changes. Everything random comes from one
// seed. At the end, and all along, it holds the promises that users rely on:
//
//   - every client's confirmed value at a version is the server's at that version, and its views are made of what its
//     listeners were told;
//   - versions are dense and in order, a catch-up being one jump;
//   - every change gets exactly one verdict, and the verdict is true: accepted ones are in the log exactly once, at the
//     version told, with what they asked for; refused ones are not; of unknown ones there is at most one;
//   - what is addressed to an element lands on that element;
//   - nothing appended or incremented is lost;
//   - after quiet all values are equal, byte for byte.
//
// All that holds over crashes of the server too, after which any beginning of what the store was told is there that has
// everything that was reported as kept; and what a checkpoint has is what the records before it make.
//
// A failing seed is printed; go test ./server -run TestModel -model.seed N replays it.
func TestModel(t *testing.T) {
	if *modelSeed != 0 {
		newModel(t, *modelSeed, true).run()
		return
	}
	for shard := range uint64(modelShards) {
		t.Run(fmt.Sprint("shard", shard), func(t *testing.T) {
			t.Parallel()
			var total modelCounts
			for seed := 1 + shard; seed <= *modelSeeds; seed += modelShards {
				m := newModel(t, seed, false)
				m.run()
				total.add(m.counts)
			}
			total.check(t)
		})
	}
}

// modelCounts are what a run has met. A run of many seeds that never meets one of them tests less than it says.
type modelCounts struct {
	accepted, refused, unknown, rewritten, stale, conflict, tooOld, replaced, removed,
	resumed, restarted, jumps, cuts, repeated, elements, chained, lateCommits, busy, crashes, lost, checkpoints, loads, rests, lineages uint64
}

func (c *modelCounts) each() map[string]*uint64 {
	return map[string]*uint64{
		"accepted": &c.accepted, "refused": &c.refused, "unknown": &c.unknown, "rewritten": &c.rewritten, "stale": &c.stale,
		"conflict": &c.conflict, "tooOld": &c.tooOld, "replaced": &c.replaced, "removed": &c.removed, "resumed": &c.resumed,
		"restarted": &c.restarted, "jumps": &c.jumps, "cuts": &c.cuts, "repeated": &c.repeated, "elements": &c.elements,
		"chained": &c.chained, "lateCommits": &c.lateCommits, "busy": &c.busy, "crashes": &c.crashes,
		"lost": &c.lost, "checkpoints": &c.checkpoints, "loads": &c.loads, "rests": &c.rests, "lineages": &c.lineages,
	}
}

func (c *modelCounts) add(other modelCounts) {
	from := other.each()
	for name, n := range c.each() {
		*n += *from[name]
	}
}

func (c *modelCounts) check(t *testing.T) {
	for name, n := range c.each() {
		if *n == 0 && *modelSeeds >= 1000 {
			t.Errorf("no seed has met %s", name)
		}
	}
	t.Logf("met: %+v", *c)
}

// model is one run.
type model struct {
	t       *testing.T
	seed    uint64
	trace   bool
	random  *rand.Rand
	clock   *fakeClock
	start   time.Time
	server  *StateSyncer
	store   *modelStore
	audits  map[string]*audit // by epoch
	current map[string]*audit // by identifier
	clients []*modelClient
	calm    bool // nothing is disturbed any more
	late    bool // the logs commit late
	tags    uint64

	limits          Limits
	checkpointBytes int
	serverRandom    io.Reader

	rewritten map[string]bool // tags of the changes that the interceptor rewrote
	counts    modelCounts
}

func newModel(t *testing.T, seed uint64, trace bool) *model {
	m := &model{
		t: t, seed: seed, trace: trace, random: rand.New(rand.NewPCG(seed, 2026)), clock: newFakeClock(),
		audits: map[string]*audit{}, current: map[string]*audit{}, rewritten: map[string]bool{},
	}
	m.start = m.clock.now
	m.late = m.random.IntN(4) == 0
	pick := func(values ...int) int { return values[m.random.IntN(len(values))] }
	var chacha [32]byte
	chacha[0], chacha[1] = byte(seed), byte(seed>>8)
	m.limits = Limits{
		HistoryEntries: pick(4, 16, 64, 4096), Window: pick(2, 8, 512), WindowBytes: pick(600, 1<<20),
		Sessions: pick(8, 100), Inbox: pick(6, 65_536),
	}
	m.checkpointBytes = pick(1, 300, checkpointBytes)
	m.serverRandom = rand.NewChaCha8(chacha)
	m.store = m.newStore(nil, "first")
	m.startServer()
	return m
}

// failf stops the run with the seed.
func (m *model) failf(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d (replay: go test ./server -run TestModel -model.seed %d): %s\n%s",
		m.seed, m.seed, fmt.Sprintf(format, args...), debug.Stack())
}

func (m *model) logf(format string, args ...any) {
	if m.trace {
		m.t.Logf("%6d "+format, append([]any{m.now()}, args...)...)
	}
}

// now returns the time of the cores: milliseconds.
func (m *model) now() int64 { return 1 + m.clock.now.Sub(m.start).Milliseconds() }

// oneIn is true once in n times, and never after the end of disturbances.
func (m *model) oneIn(n int) bool { return !m.calm && m.random.IntN(n) == 0 }

// modelRest is how long a state is unused before it leaves memory.
const modelRest = 2 * time.Minute

var modelStates = []string{"chat", "board"}

func (m *model) run() {
	m.t.Helper()
	for _, identifier := range modelStates {
		m.create(identifier)
	}
	for i := range 2 + m.random.IntN(7) {
		m.addClient(i)
	}
	for range 200 + m.random.IntN(500) {
		m.step()
	}
	m.quiet()
	m.compare()
	for _, c := range m.clients {
		c.close()
	}
	for _, state := range m.server.allStates() {
		checkState(m.t, state)
	}
	if err := m.server.Close(); err != nil {
		m.failf("close: %v", err)
	}
}

// create makes a state with its rule: an interceptor that refuses and rewrites at random.
func (m *model) create(identifier string) {
	list := []any{}
	for range m.random.IntN(5) {
		list = append(list, m.element())
	}
	_, err := m.server.CreateState(StateOptions{
		Identifier: identifier,
		InitialValue: map[string]any{
			"list": list, "doc": map[string]any{"items": []any{m.element()}}, "log": []any{}, "sum": 0,
		},
		InterceptStateUpdate: m.intercept,
	})
	if err != nil {
		m.failf("create: %v", err)
	}
}

func (m *model) element() map[string]any { return map[string]any{"id": m.tag("element")} }

// tag returns a text that nothing else in this run has.
func (m *model) tag(kind string) string {
	m.tags++
	return fmt.Sprint(kind, m.tags)
}

var errNo = errors.New("the rule says no")

func (m *model) intercept(_ context.Context, u *Update) error {
	switch {
	case m.oneIn(10):
		return errNo
	case m.oneIn(10):
		updates := document.MustOf(map[string]any{"judge": m.random.IntN(100)})
		for name, value := range u.Updates().Members() {
			if keeps(name) {
				updates = updates.With(name, value)
				m.rewritten[value.Text()] = true
			}
		}
		return u.SetUpdates(updates)
	case m.oneIn(20) && !slices.Contains(u.Properties(), "sum"):
		updates := u.Updates().With("list", document.MustOf([]any{m.element()}))
		for name, value := range updates.Members() {
			m.rewritten[value.Text()] = m.rewritten[value.Text()] || keeps(name)
		}
		return u.SetUpdates(updates)
	}
	return nil
}

// step lets one random thing happen.
func (m *model) step() {
	m.clock.advance(time.Duration(m.random.IntN(30)) * time.Millisecond)
	c := m.clients[m.random.IntN(len(m.clients))]
	switch n := m.random.IntN(100); {
	case n < 22:
		c.submit()
	case n < 52:
		c.exchange()
	case n < 60:
		c.pull()
	case n < 68:
		c.deliverUp()
	case n < 74:
		c.take()
	case n < 82:
		c.deliverDown()
	case n < 85:
		c.cut()
	case n < 88:
		c.joinOrLeave()
	case n < 91:
		m.disturb(c)
	case n < 93:
		c.zombie()
	case n < 96:
		m.commitSome()
	default:
		c.tick()
	}
}

// disturb does what happens seldom.
func (m *model) disturb(c *modelClient) {
	identifier := modelStates[m.random.IntN(len(modelStates))]
	switch m.random.IntN(14) {
	case 0, 1, 2, 3:
		m.ownChange(identifier)
	case 4:
		if m.random.IntN(3) == 0 {
			m.logf("remove %s and make it again", identifier)
			m.server.RemoveState(identifier)
			m.create(identifier)
		}
	case 5:
		c.offline = !c.offline
	case 6:
		m.server.beat()
	case 7:
		m.clock.advance(time.Duration(m.random.IntN(40)) * time.Second)
	case 8:
		m.rest()
	case 12:
		m.crash()
	case 9:
		if c.line == nil {
			m.logf("everybody waits until sessions have expired")
			m.clock.advance(11 * time.Minute)
		}
	}
}

// ownChange lets the server's program change a state.
func (m *model) ownChange(identifier string) {
	if state := m.server.state(identifier); state != nil && len(state.slots) == cap(state.slots) {
		m.commitAll() // Submit would wait
	}
	tag := m.tag("own")
	handle, err := m.server.Submit(context.Background(), identifier, Change{Updates: map[string]any{"tag:server": tag}})
	if err != nil {
		m.failf("own change: %v", err)
	}
	_ = handle // its verdict is in the audit: a late log gives it later
}

// commitSome lets late logs commit a part of what they hold.
func (m *model) commitSome() {
	if n := m.store.waiting(); n > 0 {
		m.counts.lateCommits++
		m.store.commit(1 + m.random.IntN(n))
	}
}

// rest lets states leave memory that nobody has used for a while.
func (m *model) rest() {
	before := m.server.Stats().Resting
	m.server.restAll()
	m.clock.advance(modelRest)
	m.server.restAll()
	if m.server.Stats().Resting > before {
		m.counts.rests++
	}
}

// quiet ends all disturbance and lets everything settle.
func (m *model) quiet() {
	m.calm = true
	m.logf("quiet")
	for _, c := range m.clients {
		c.offline = false
		c.endZombies()
		c.core.Online(m.now())
		c.effects()
	}
	for range 3000 {
		m.clock.advance(100 * time.Millisecond)
		m.commitAll()
		busy := false
		for _, c := range m.clients {
			busy = c.settle() || busy
		}
		if !busy {
			return
		}
	}
	for _, c := range m.clients {
		m.t.Logf("%s: %+v", c.name, c.core.Status())
	}
	m.failf("it does not come to rest")
}

func (m *model) commitAll() {
	m.store.commit(m.store.waiting())
}

// compare holds every replica to the server's value, and every change to its verdict.
func (m *model) compare() {
	for _, c := range m.clients {
		for identifier, s := range c.states {
			want, _ := m.server.GetValueOfState(identifier)
			if got := s.View(); got.String() != want.String() || !got.Equal(want) {
				m.failf("%s has %s\nthe server has %s", c.name, got, want)
			}
			if a := m.current[identifier]; s.Epoch() != a.epoch || s.Version() != a.head() {
				m.failf("%s is at %d of %s, the server at %d of %s", c.name, s.Version(), s.Epoch(), a.head(), a.epoch)
			}
		}
		for _, k := range c.changes {
			m.checkVerdict(c, k)
		}
	}
	for _, a := range m.audits {
		a.checkNothingLost()
	}
}
