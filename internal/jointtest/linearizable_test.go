//go:build !js

package jointtest

import (
	"flag"
	"fmt"
	"hash/maphash"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var historySeeds = flag.Uint64("history.seeds", 0, "how many histories porcupine checks; 0: 300, and 30 under the race detector")

const (
	historyOperations = 500
	searchTimeout     = time.Minute
)

// Whatever the network does, there is an order of all accepted changes and server reads, in which each stands between
// its call and its return, that makes every answer true. Porcupine looks for it. A change with an unknown outcome may
// stand anywhere after its call, but before later ones of its writer; or it was not applied. The order of the versions
// is tried first, because a search without any hint may take minutes; an order that porcupine accepts there is right
// without it. When none is, porcupine searches once more and knows nothing of versions.
//
// A failing seed is printed; -history.seed N draws the same changes and faults again, though the machine interleaves them
// anew, so repeat it with -count. With -artifacts a page shows the history.
func TestHistoriesAreLinearizable(t *testing.T) {
	seeds := *historySeeds
	if seeds == 0 {
		seeds = 300
		if raceEnabled {
			seeds = 30
		}
	}
	eachHistory(t, seeds, 1, historyOperations, func(t *testing.T, h *history) {
		if porcupine.CheckOperationsTimeout(linearModel, hinted(h.events, h.sights), searchTimeout) == porcupine.Ok {
			return
		}
		operations := porcupineOperations(h.events)
		result := porcupine.CheckOperationsTimeout(linearModel, operations, searchTimeout)
		if result == porcupine.Ok {
			return
		}
		t.Errorf("seed %d (replay: go test ./internal/jointtest -run TestHistoriesAreLinearizable -history.seed %d -count 20): %s",
			h.seed, h.seed, result)
		_, found := porcupine.CheckOperationsVerbose(linearModel, operations, 10*time.Second)
		page := filepath.Join(t.ArtifactDir(), "history.html")
		if err := porcupine.VisualizePath(linearModel, found, page); err != nil {
			t.Error(err)
		}
		t.Logf("the history, if -artifacts is given: %s", page)
	})
}

// Porcupine is asked about histories that are wrong, so that a model that allows everything does not pass.
func TestPorcupineFindsWhatIsWrong(t *testing.T) {
	for _, test := range wrongHistories() {
		if got := porcupine.CheckOperations(linearModel, porcupineOperations(test.events)); got != test.linear {
			t.Errorf("%s: linearizable is %v, want %v", test.name, got, test.linear)
		}
		if porcupine.CheckOperations(linearModel, hinted(test.events, test.sights)) && !test.linear {
			t.Errorf("%s: linearizable with the versions as a hint, and not without", test.name)
		}
	}
}

// porcupineOperations returns what took effect or may have, and what the server's program read. Versions are left out.
func porcupineOperations(events []event) []porcupine.Operation {
	var operations []porcupine.Operation
	for i := range events {
		e := &events[i]
		if e.confirmed || e.change != nil && e.outcome == refused {
			continue
		}
		back := e.back * tick
		if e.change != nil && e.outcome == unknown {
			back = math.MaxInt64
		}
		operations = append(operations, porcupine.Operation{ClientId: e.writer, Input: e, Call: e.call * tick, Return: back})
	}
	narrow(operations)
	return operations
}

// linearState is what porcupine takes a step from.
type linearState struct {
	content
	over bool // the last read has come: what was not applied will not be
}

var (
	linearSeed  = maphash.MakeSeed()
	linearModel = porcupine.Model{
		Init:              func() any { return linearState{} },
		Step:              func(state, input, _ any) (bool, any) { return step(state.(linearState), input.(*event)) },
		Hash:              func(state any) uint64 { return maphash.Comparable(linearSeed, state.(linearState)) },
		DescribeOperation: func(input, _ any) string { return input.(*event).String() },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
)

// step reports whether the event can come next, and what it makes of the state.
func step(on linearState, e *event) (bool, linearState) {
	if e.change == nil {
		ok := e.read == on.content
		on.over = on.over || e.last
		return ok, on
	}
	if on.over {
		return e.outcome == unknown, on
	}
	if e.change.number < on.tags[e.change.writer] {
		return false, on // changes of one writer take effect in the order in which they were made
	}
	next, ok := e.change.apply(on.content)
	return ok, linearState{content: next}
}

func (e *event) String() string {
	if e.change == nil {
		return fmt.Sprintf("read %+v", e.read)
	}
	c := e.change
	switch c.kind {
	case merging:
		return fmt.Sprintf("%v a=%d clears=%v", c.tag, c.value, c.clears)
	case adding:
		return fmt.Sprintf("%v sum+=%d", c.tag, c.value)
	case appending:
		return fmt.Sprintf("%v append", c.tag)
	default:
		return fmt.Sprintf("%v saw a=%d b=%d, b=%d", c.tag, c.seenA, c.seenB, c.computed())
	}
}
