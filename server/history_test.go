package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// A history is held to a list of all its entries.
func TestHistoryIsTheEndOfTheList(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		maxEntries, maxBytes := 1+random.IntN(50), 1+random.IntN(500)
		h := newHistory(1, maxEntries, maxBytes)
		var list []string // of version i+1
		committed := uint64(0)
		for range 300 {
			switch random.IntN(10) {
			case 0:
				committed += uint64(random.IntN(int(uint64(len(list))-committed) + 1))
				h.evict(committed)
			case 1:
				keep := committed + uint64(random.IntN(int(uint64(len(list))-committed)+1))
				h.truncate(keep)
				list = list[:keep]
			default:
				list = append(list, strings.Repeat("x", 1+random.IntN(40)))
				if got, want := h.append([]byte(list[len(list)-1]), about{ops: len(list)}), uint64(len(list)); got != want {
					t.Fatalf("seed %d: version %d, want %d", seed, got, want)
				}
			}
			compareHistory(t, seed, &h, list, random)
		}
		h.evict(uint64(len(list)))
		if h.entries > maxEntries || h.bytes > maxBytes {
			t.Fatalf("seed %d: %d entries of %d, %d bytes of %d", seed, h.entries, maxEntries, h.bytes, maxBytes)
		}
	}
}

func compareHistory(t *testing.T, seed uint64, h *history, list []string, random *rand.Rand) {
	t.Helper()
	first, bytes := h.first(), 0
	if h.next != uint64(len(list))+1 || first > h.next || h.entries != int(h.next-first) {
		t.Fatalf("seed %d: versions %d to %d, %d entries; the list has %d", seed, first, h.next-1, h.entries, len(list))
	}
	for version := first; version < h.next; {
		if got, want := string(h.ops(version)), list[version-1]; got != want {
			t.Fatalf("seed %d: version %d is %s, want %s", seed, version, got, want)
		}
		if segment := h.segment(version); segment.about[version-segment.first].ops != int(version) {
			t.Fatalf("seed %d: version %d is described as %d", seed, version, segment.about[version-segment.first].ops)
		}
		to := version + uint64(random.IntN(int(h.next-version)))
		budget := random.IntN(200)
		text, last := h.run(version, to, budget)
		want := "," + strings.Join(list[version-1:last], ",")
		if string(text) != want || last > to || last > version && len(text) > budget {
			t.Fatalf("seed %d: run %d to %d within %d is %s to %d, want %s", seed, version, to, budget, text, last, want)
		}
		bytes += len(text)
		version = last + 1
	}
	if bytes != h.bytes {
		t.Fatalf("seed %d: %d bytes, counted %d", seed, h.bytes, bytes)
	}
}

func TestHistoryReusesItsMemory(t *testing.T) {
	h := newHistory(1, 64, 1<<20)
	entry := []byte(strings.Repeat("x", 100))
	grow := func() {
		for range 1000 {
			h.evict(h.append(entry, about{}))
		}
	}
	grow()
	if got := testing.AllocsPerRun(10, grow); got > 0 {
		t.Errorf("%v allocations for 1,000 entries", got)
	}
}

// Verdicts are held to a list of all of them.
func TestVerdictsAreTheEndOfTheList(t *testing.T) {
	for _, window := range []int{1, 2, 3, 7, 100} {
		v := verdicts{window: window}
		random := rand.New(rand.NewPCG(uint64(window), 1))
		given := []verdict{0}
		for number := uint64(1); number <= 500; number++ {
			if random.IntN(3) == 0 {
				given = append(given, 0)
				v.pushRefusal(refusal{position: number, code: protocol.CodeRefused, reason: fmt.Sprint(number)})
			} else {
				given = append(given, verdict(number)|altered)
				v.push(verdict(number) | altered)
			}
			if v.decided != number || len(v.ring) > window || len(v.refusals) > window {
				t.Fatalf("window %d: decided %d of %d, ring %d, refusals %d", window, v.decided, number, len(v.ring), len(v.refusals))
			}
			for n := range number + 2 {
				if got, want := v.keeps(n), n > 0 && n <= number && n+uint64(window) > number; got != want {
					t.Fatalf("window %d: keeps %d of %d: %v", window, n, number, got)
				}
				if !v.keeps(n) {
					continue
				}
				if got := v.of(n); got != given[n] {
					t.Fatalf("window %d: number %d: got %x, want %x", window, n, got, given[n])
				}
				if r := v.refusal(n); given[n] == 0 && (r.number != n || r.reason != fmt.Sprint(n)) {
					t.Fatalf("window %d: refusal %d: got %+v", window, n, r)
				}
			}
		}
	}
}

func TestQueueKeepsOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var q queue[int]
	var list []int
	for i := range 5000 {
		switch {
		case random.IntN(50) == 0:
			q.putBefore([]int{-i, -i - 1})
			list = append([]int{-i, -i - 1}, list...)
		case random.IntN(2) == 0 || i > 4000 && !q.empty():
			if q.empty() {
				continue
			}
			if got := q.pop(); got != list[0] {
				t.Fatalf("got %d, want %d", got, list[0])
			}
			list = list[1:]
		default:
			q.push(i)
			list = append(list, i)
		}
		if q.len() != len(list) || q.empty() != (len(list) == 0) {
			t.Fatalf("got length %d, want %d", q.len(), len(list))
		}
	}
}
