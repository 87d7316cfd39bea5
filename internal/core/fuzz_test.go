package core

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// FuzzScript runs arbitrary scripts: whatever a server sends, in whatever order calls and events come, nothing panics,
// the invariants hold, every update tells the truth, and every change settles exactly once.
func FuzzScript(f *testing.F) {
	for _, group := range scriptGroups {
		for _, text := range group {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		z := newFuzzed(t)
		lines := strings.Split(text, "\n")
		for i := 0; i < len(lines); {
			verb, rest, _ := strings.Cut(strings.TrimSpace(lines[i]), " ")
			frame := []string{rest}
			for i++; verb == "<" && i < len(lines); i++ {
				next, more, _ := strings.Cut(strings.TrimSpace(lines[i]), " ")
				if next != "<" {
					break
				}
				frame = append(frame, more)
			}
			z.do(verb, rest, strings.Join(frame, "\n"))
		}
		z.core.Close(z.now)
		z.check()
		if z.core.pending != 0 || len(z.open) != 0 {
			t.Fatalf("%d changes have no verdict", len(z.open))
		}
	})
}

type fuzzed struct {
	*script
	states map[*State]*simState
	open   map[Ticket]bool
}

func newFuzzed(t *testing.T) *fuzzed {
	c, err := New(Config{
		Session: "0123456789abcdef", ClientIdentifier: "me", Random: func() uint64 { return 7 },
		MaxPending: 20, MaxPendingBytes: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &fuzzed{
		script: &script{t: t, core: c, now: 1}, states: map[*State]*simState{}, open: map[Ticket]bool{},
	}
}

func (z *fuzzed) do(verb, rest, frame string) {
	switch verb {
	case "<":
		z.core.Received(z.now, []byte(frame))
	case ">":
		for dst := z.core.Output(z.now, nil, 100); len(dst) > 0; dst = z.core.Output(z.now, nil, 100) {
		}
	case "tick":
		if now := z.now; z.event(verb, rest) {
			z.now = max(z.now, now)
		}
	case "leave", "merge", "patch", "transaction", "basis":
		if z.state != nil {
			z.change(verb, rest)
		}
	default:
		z.event(verb, rest)
	}
	z.check()
}

// change submits what can be parsed.
func (z *fuzzed) change(verb, rest string) {
	var change Change
	switch verb {
	case "leave":
		z.state.Leave()
		return
	case "basis":
		z.basis = z.state.Basis()
		return
	case "patch":
		ops, err := document.ParsePatch([]byte(rest), document.DefaultLimits)
		if err != nil {
			return
		}
		change = Patch{Ops: ops}
	default:
		_, updates, _ := strings.Cut(rest, " ")
		if verb == "merge" {
			updates = rest
		}
		v, err := document.Parse([]byte(updates), document.DefaultLimits)
		if err != nil {
			return
		}
		change = Merge{Updates: v}
		if verb == "transaction" {
			change = Transaction{Updates: v, Basis: z.basis, Reads: []string{"count"}}
		}
	}
	if ticket, err := z.state.Submit(z.now, change); err == nil {
		z.open[ticket] = true
	}
}

func (z *fuzzed) check() {
	for _, effect := range z.core.Effects() {
		switch e := effect.(type) {
		case Settled:
			if !z.open[e.Ticket] {
				z.t.Fatalf("change %d settled twice", e.Ticket)
			}
			delete(z.open, e.Ticket)
		case Changed:
			z.follow(e.State).update(e.Update)
		}
	}
	for _, s := range z.core.order {
		checkState(s)
		if !z.follow(s).shadow.Equal(s.View()) {
			z.t.Fatalf("the updates lead to %s\nthe view is %s", z.follow(s).shadow, s.View())
		}
	}
	if len(z.open) != z.core.pending {
		z.t.Fatalf("%d changes are pending, and %d are counted", len(z.open), z.core.pending)
	}
	z.checkWire()
}

// checkWire holds what the core counts of the connection to what is pending.
func (z *fuzzed) checkWire() {
	inFlight := 0
	for _, d := range z.core.drains {
		inFlight += d.bytes
	}
	for _, s := range z.core.order {
		for _, p := range s.pending[:s.onWire] {
			inFlight += p.wireSize
		}
	}
	if inFlight != z.core.inFlight {
		z.t.Fatalf("%d bytes are on their way, and %d are counted", inFlight, z.core.inFlight)
	}
}

func (z *fuzzed) follow(s *State) *simState {
	if z.states[s] == nil {
		z.states[s] = &simState{State: s, shadow: document.EmptyObject}
	}
	return z.states[s]
}

// TestShuffledScripts runs lines of all scripts in random order, many of them with other numbers: messages that are well
// formed and make no sense.
func TestShuffledScripts(t *testing.T) {
	lines := scriptLines()
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 5))
		z := newFuzzed(t)
		for _, line := range strings.Split(opening, "\n") {
			verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			z.do(verb, rest, rest)
		}
		for range 100 {
			verb, rest, _ := strings.Cut(lines[random.IntN(len(lines))], " ")
			if random.IntN(2) == 0 {
				rest = otherNumbers(random, rest)
			}
			if random.IntN(8) == 0 {
				z.do("tick", strconv.FormatInt(z.now+25_000, 10), "")
				z.do("connected", "", "")
				z.do(">", "", "")
				z.do("<", "", welcome+"\n"+fmt.Sprintf(`["joined",1,"e",%d,%d]`, max(z.state.Version(), 1), z.state.numbered))
			}
			z.do(verb, rest, rest)
			z.do(">", "", "")
		}
		z.core.Close(z.now)
		if z.check(); len(z.open) != 0 {
			t.Fatalf("seed %d: %d changes have no verdict", seed, len(z.open))
		}
	}
}

// scriptLines returns the lines of all scripts that do something, but for those that end the client.
func scriptLines() (lines []string) {
	for _, group := range scriptGroups {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			for line := range strings.Lines(group[name]) {
				verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
				terminal := strings.Contains(rest, `"bye"`) || strings.HasPrefix(rest, "4106")
				if strings.Contains("< merge patch basis transaction leave join lost online", verb) && verb != "" && !terminal {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
		}
	}
	return lines
}

// otherNumbers replaces the digits that stand alone.
func otherNumbers(random *rand.Rand, text string) string {
	b := []byte(text)
	for i := range b {
		alone := i > 0 && i+1 < len(b) && strings.IndexByte(",[:", b[i-1]) >= 0 && strings.IndexByte(",]}", b[i+1]) >= 0
		if alone && b[i] >= '0' && b[i] <= '9' {
			b[i] = byte('0' + random.IntN(6))
		}
	}
	return string(b)
}
