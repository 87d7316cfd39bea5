package main_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

var (
	kills    = flag.Int("kills", 100, "how often TestKilledServerLosesNothing kills the server")
	killSeed = flag.Uint64("kill.seed", 0, "the seed of the times at which it kills; 0: a new one")
)

const (
	killWriters   = 64
	killStates    = 4
	killOnTheWay  = 4 // appends of a writer without a verdict
	killShortest  = 5 // milliseconds from the first verdict of a server's life to its end
	killLongest   = 300
	killRestarted = 30 * time.Second // for a server to answer again
)

// A real server process is killed while 64 clients append, again and again. What was acknowledged is there, once; what
// was not is there at most once; versions never go back, the states keep their lives, and the clients carry on by
// themselves.
func TestKilledServerLosesNothing(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay the times of the kills with -run '^%s$' -kill.seed=%d -kills=%d", t.Name(), seed, *kills)
	random := rand.New(rand.NewPCG(seed, 1))

	folder := t.TempDir()
	serving := []string{"--data", folder, "--states", killStatesFile(t)}
	server, address := serve(t, serving...)
	writers := make([]*killWriter, killWriters)
	for i := range writers {
		writers[i] = newKillWriter(t, address, i)
	}
	watchers := make([]*killWatcher, killStates)
	for i := range watchers {
		watchers[i] = newKillWatcher(t, address, killStateOf(i))
	}
	verdicts := make(chan struct{}, 1)
	var ended sync.WaitGroup
	var stopped atomic.Bool
	for _, w := range writers {
		ended.Go(func() { w.write(&stopped, verdicts) })
	}
	for range *kills {
		awaitVerdict(t, verdicts, server)
		time.Sleep(time.Duration(killShortest+random.IntN(killLongest-killShortest)) * time.Millisecond) // the fault: at any moment
		server.signal(syscall.SIGKILL)
		<-server.ended
		server = start(t, nil, append([]string{"serve", "--address", strings.TrimPrefix(address, "ws://")}, serving...)...)
	}
	awaitVerdict(t, verdicts, server)
	stopped.Store(true)
	ended.Wait()
	checkKilled(t, address, writers, watchers)
}

// awaitVerdict waits until the server that was started last has answered something.
func awaitVerdict(t *testing.T, verdicts <-chan struct{}, server *process) {
	t.Helper()
	addressOf(t, server)
	select { // one that was given by the server before
	case <-verdicts:
	default:
	}
	select {
	case <-verdicts:
	case <-time.After(killRestarted):
		t.Fatalf("no client was answered within %v; the server said %q", killRestarted, tail(server.stderr.text()))
	}
}

// killStatesFile has an empty array for each state.
func killStatesFile(t *testing.T) string {
	t.Helper()
	var members []string
	for i := range killStates {
		members = append(members, fmt.Sprintf(`%q: {"elements": []}`, killStateOf(i)))
	}
	return statesFile(t, "{"+strings.Join(members, ", ")+"}")
}

func killStateOf(i int) string { return "log" + strconv.Itoa(i%killStates) }

// killClient returns a client that comes back at once.
func killClient(t *testing.T, address, name, identifier string) *wasmclient.State {
	t.Helper()
	client, err := wasmclient.New(address, name, "", wasmclient.WithBackoff(10*time.Millisecond, 100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	client.OnError(func(err error) { // connections are lost, and nothing else
		if coded := new(wasmclient.Error); !errors.As(err, &coded) || coded.Code.Sentence() != "" {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(func() { _ = client.Close() })
	state, err := client.ConnectToState(t.Context(), identifier)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// killWriter appends "number-0", "number-1" and so on to its state, some at a time.
type killWriter struct {
	t         *testing.T
	number    int
	state     *wasmclient.State
	submitted int
	versions  []uint64 // of the elements, as they were acknowledged
}

func newKillWriter(t *testing.T, address string, number int) *killWriter {
	name := "writer" + strconv.Itoa(number)
	w := &killWriter{t: t, number: number, state: killClient(t, address, name, killStateOf(number))}
	// Of a session without an accepted change a new server knows nothing: its first change would be outcome_unknown.
	w.settle(w.submit())
	return w
}

func (w *killWriter) submit() *wasmclient.Pending {
	pending, err := w.state.SubmitAppend(w.t.Context(), "elements", fmt.Sprintf("%d-%d", w.number, w.submitted))
	if err != nil {
		w.t.Errorf("writer %d: element %d: %v", w.number, w.submitted, err)
		return nil
	}
	w.submitted++
	return pending
}

// settle waits for the verdict on the next element.
func (w *killWriter) settle(pending *wasmclient.Pending) bool {
	if pending == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	version, err := pending.Wait(ctx)
	if err != nil {
		w.t.Errorf("writer %d: element %d: %v", w.number, len(w.versions), err)
		return false
	}
	w.versions = append(w.versions, version)
	return true
}

// write appends until it is stopped, and waits for every verdict.
func (w *killWriter) write(stopped *atomic.Bool, verdicts chan<- struct{}) {
	var way []*wasmclient.Pending
	for !stopped.Load() || len(way) > 0 {
		for !stopped.Load() && len(way) < killOnTheWay {
			way = append(way, w.submit())
		}
		if len(way) == 0 || !w.settle(way[0]) {
			return
		}
		way = way[1:]
		select {
		case verdicts <- struct{}{}:
		default:
		}
	}
}

// killWatcher follows a state and holds its versions against going back.
type killWatcher struct {
	identifier string
	state      *wasmclient.State
}

func newKillWatcher(t *testing.T, address, identifier string) *killWatcher {
	w := &killWatcher{identifier, killClient(t, address, "watcher-"+identifier, identifier)}
	last := w.state.Version()
	w.state.AddStateUpdateListener("versions", func(update wasmclient.Update) {
		if update.From != last || update.To < update.From {
			t.Errorf("%s: an update leads from version %d to %d after version %d", identifier, update.From, update.To, last)
		}
		last = update.To
	})
	return w
}

// checkKilled compares what the writers were told with what the server has, and with what the watchers see.
func checkKilled(t *testing.T, address string, writers []*killWriter, watchers []*killWatcher) {
	t.Helper()
	total := 0
	for i, watcher := range watchers {
		identifier := killStateOf(i)
		state := killClient(t, address, "reader", identifier)
		value, version := state.Confirmed()
		want := uint64(0)
		for _, w := range writers {
			if killStateOf(w.number) == identifier {
				want += uint64(w.submitted)
				checkWriter(t, w, value, version)
			}
		}
		if version != want {
			t.Errorf("%s is at version %d after %d appends", identifier, version, want)
		}
		if elements := value.Get("elements").Len(); uint64(elements) != want {
			t.Errorf("%s has %d elements after %d appends", identifier, elements, want)
		}
		awaitView(t, watcher, value)
		total += int(want)
	}
	t.Logf("%d kills, %d appends acknowledged, 0 lost, 0 doubled", *kills, total)
}

// checkWriter looks for every acknowledged element once and in order, with versions that grow.
func checkWriter(t *testing.T, w *killWriter, value document.Value, version uint64) {
	t.Helper()
	next := 0
	for _, element := range value.Get("elements").Elements() {
		writer, nth, _ := strings.Cut(element.Text(), "-")
		if writer != strconv.Itoa(w.number) {
			continue
		}
		if nth != strconv.Itoa(next) {
			t.Fatalf("writer %d: element %s stands where %d is due: something was lost or doubled", w.number, nth, next)
		}
		next++
	}
	if next != w.submitted || len(w.versions) != w.submitted {
		t.Errorf("writer %d: %d elements submitted, %d acknowledged, %d there", w.number, w.submitted, len(w.versions), next)
	}
	for i, v := range w.versions {
		if i > 0 && v <= w.versions[i-1] || v > version {
			t.Errorf("writer %d: element %d became version %d after %d of %d", w.number, i, v, w.versions[max(i-1, 0)], version)
		}
	}
}

// awaitView waits until the watcher has what the server has.
func awaitView(t *testing.T, watcher *killWatcher, want document.Value) {
	t.Helper()
	changed := make(chan struct{}, 1)
	watcher.state.AddStateUpdateListener("changed", func(wasmclient.Update) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	for deadline := time.After(patience); !watcher.state.GetState().Equal(want); {
		select {
		case <-changed:
		case <-deadline:
			t.Errorf("the watcher of %s does not see what the server has", watcher.identifier)
			return
		}
	}
}
