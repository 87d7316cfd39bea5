//go:build !js

package jointtest

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"testing"
)

var (
	witnessSeeds      = flag.Uint64("witness.seeds", 0, "how many histories are checked by their versions; 0: 8")
	witnessOperations = flag.Int("witness.operations", 0, "changes and server reads in each of them; 0: 10,000, and 1,000 under the race detector")
)

// The versions that answers carry are a witness of the order: taking them at their word, everything that was answered,
// read or heard must be true. The check needs little time, so histories are long and each client has several changes on
// their way. A state keeps its epoch here: a change that meets another one fails.
func TestVersionsWitnessTheOrder(t *testing.T) {
	seeds, operations := *witnessSeeds, *witnessOperations
	if seeds == 0 {
		seeds = 8
	}
	if operations == 0 {
		operations = 10_000
		if raceEnabled {
			operations = 1000
		}
	}
	eachHistory(t, seeds, mostWriters/mostClients, operations, func(t *testing.T, h *history) {
		if err := checkWitness(h.events, h.sights); err != nil {
			t.Errorf("seed %d (replay: go test ./internal/jointtest -run TestVersionsWitnessTheOrder -history.seed %d -count 20): %v", h.seed, h.seed, err)
		}
	})
}

func TestTheWitnessFindsWhatIsWrong(t *testing.T) {
	for _, test := range wrongHistories() {
		got := "nothing"
		if err := checkWitness(test.events, test.sights); err != nil {
			got = err.Error()
		}
		if got != test.says {
			t.Errorf("%s: the witness says %q, want %q", test.name, got, test.says)
		}
	}
}

// witness is what the versions of a history say.
type witness struct {
	versions map[tag]uint64
	contents []content // at each version
}

// checkWitness returns what is not true:
//
//  1. the follower hears every version once, in order, with one change in it;
//  2. no change has two versions; an accepted one has the version of its answer, a refused one has none;
//  3. replayed in the order of the versions, the changes make what the follower saw at each, and a transaction is
//     applied to what it was computed from;
//  4. what the server's program read is what one version made, and so is a client's confirmed value, at its version;
//  5. if something had returned before something else was called, its version is the lower one, for a read not the
//     higher one;
//  6. what a client has confirmed does not go back, and does not lag behind answers that it gave.
func checkWitness(events []event, sights []sight) error {
	w := &witness{versions: map[tag]uint64{}, contents: make([]content, 1, len(sights)+1)}
	if err := w.order(sights); err != nil {
		return err
	}
	if err := w.replay(events, sights); err != nil {
		return err
	}
	for i := range events {
		if err := w.read(&events[i]); err != nil {
			return err
		}
	}
	if err := w.realTime(events); err != nil {
		return err
	}
	return w.confirmed(events)
}

// order holds 1 and takes down the versions.
func (w *witness) order(sights []sight) error {
	for i, s := range sights {
		want := uint64(i + 1)
		if s.version != want || s.from != want-1 {
			return fmt.Errorf("the follower went from version %d to %d, after %d", s.from, s.version, want-1)
		}
		if len(s.tags) != 1 {
			return fmt.Errorf("version %d has the changes %v, want one", want, s.tags)
		}
		if before := w.versions[s.tags[0]]; before != 0 {
			return fmt.Errorf("change %v was applied twice, as versions %d and %d", s.tags[0], before, want)
		}
		w.versions[s.tags[0]] = want
	}
	return nil
}

// replay holds 2 and 3.
func (w *witness) replay(events []event, sights []sight) error {
	changes := map[tag]*change{}
	for i := range events {
		e := &events[i]
		if e.change == nil {
			continue
		}
		changes[e.change.tag] = e.change
		version := w.versions[e.change.tag]
		if e.outcome == accepted && version != e.version || e.outcome == refused && version != 0 {
			return fmt.Errorf("change %v was answered with version %d, and is version %d", e.change.tag, e.version, version)
		}
	}
	for i, s := range sights {
		c := changes[s.tags[0]]
		if c == nil {
			return fmt.Errorf("version %d is change %v, which nobody made", i+1, s.tags[0])
		}
		next, ok := c.apply(w.contents[i])
		if !ok {
			return fmt.Errorf("version %d is a transaction computed from a=%d b=%d, and was applied to %+v", i+1, c.seenA, c.seenB, w.contents[i])
		}
		if next != s.view {
			return fmt.Errorf("version %d makes %+v, and the follower saw %+v", i+1, next, s.view)
		}
		w.contents = append(w.contents, next)
	}
	return nil
}

// read holds 4, and gives a server read its version: that of the last change in it.
func (w *witness) read(e *event) error {
	if e.change != nil {
		if e.outcome == unknown {
			e.version = w.versions[e.change.tag]
		}
		return nil
	}
	if !e.confirmed {
		for writer, number := range e.read.tags {
			if number == 0 {
				continue
			}
			version, known := w.versions[tag{writer, number}]
			if !known {
				return fmt.Errorf("a read shows change %v, which has no version", tag{writer, number})
			}
			e.version = max(e.version, version)
		}
	}
	if e.version >= uint64(len(w.contents)) {
		return fmt.Errorf("a client has confirmed version %d of %d", e.version, len(w.contents)-1)
	}
	if want := w.contents[e.version]; e.read != want {
		return fmt.Errorf("at version %d a read shows %+v, want %+v", e.version, e.read, want)
	}
	return nil
}

// realTime holds 5.
func (w *witness) realTime(events []event) error {
	var called, returned []*event
	for i := range events {
		e := &events[i]
		if e.confirmed || e.change != nil && e.version == 0 {
			continue
		}
		called = append(called, e)
		if e.change == nil || e.outcome == accepted {
			returned = append(returned, e)
		}
	}
	slices.SortFunc(called, func(a, b *event) int { return cmp.Compare(a.call, b.call) })
	slices.SortFunc(returned, func(a, b *event) int { return cmp.Compare(a.back, b.back) })
	highest := uint64(0)
	for _, e := range called {
		for len(returned) > 0 && returned[0].back < e.call {
			highest = max(highest, returned[0].version)
			returned = returned[1:]
		}
		if e.version < highest || e.change != nil && e.version == highest {
			return fmt.Errorf("what was called at %d has version %d, and version %d had returned before", e.call, e.version, highest)
		}
	}
	return nil
}

// confirmed holds 6. A writer's own events come one after another.
func (w *witness) confirmed(events []event) error {
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.call, b.call) })
	var least [mostWriters]uint64
	for i := range events {
		e := &events[i]
		switch {
		case e.confirmed && e.version < least[e.writer]:
			return fmt.Errorf("the client of writer %d has confirmed version %d, after version %d", e.writer, e.version, least[e.writer])
		case e.confirmed || e.change != nil && e.outcome == accepted:
			least[e.writer] = max(least[e.writer], e.version)
		}
	}
	return nil
}
