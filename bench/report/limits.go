package report

import (
	"fmt"
	"math"
	"slices"
)

// A Limit is one row of what must be reached.
type Limit struct {
	Work  string
	Most  string                                      // the limit, in words
	Judge func(t Table) (got string, verdict verdict) // what was measured, and whether it is within
	Why   func(t Table) string                        // said where it is not; it quotes what the same run has measured
}

type verdict int

const (
	unmeasured verdict = iota
	unmet
	met
)

// judged is the verdict on figures, any of which may be missing.
func judged(within bool, figures ...float64) verdict {
	switch {
	case slices.ContainsFunc(figures, math.IsNaN):
		return unmeasured
	case within:
		return met
	}
	return unmet
}

// atMost is a value of ours with its limit.
func atMost(work, value, unit string, most float64) func(Table) (string, verdict) {
	return func(t Table) (string, verdict) {
		s, _ := t.Get(work, "ours", value)
		return s.String() + unit, judged(s.Median <= most, s.Median)
	}
}

// besideFloor is atMost, and says what the floor has, which on a slow machine may be more than the limit.
func besideFloor(work, value string, most float64) func(Table) (string, verdict) {
	judge := atMost(work, value, "", most)
	return func(t Table) (string, verdict) {
		text, ok := judge(t)
		return text + ofFloor(t.Median(work, "floor", value), most), ok
	}
}

// ofFloor says what the floor has beside a limit.
func ofFloor(has, most float64) string {
	switch {
	case math.IsNaN(has):
		return ""
	case has > most:
		return "; the floor itself has " + short(has) + ", more than the limit"
	}
	return "; the floor has " + short(has)
}

// times compares ours with another peer of the same rounds.
func times(work, value, other string, within func(ratio float64) bool) func(Table) (string, verdict) {
	return func(t Table) (string, verdict) {
		ratio := t.Ratio(work, value, "ours", other)
		return fmt.Sprintf("%s times (%s; %s)", ratio, short(t.Median(work, "ours", value)), short(t.Median(work, other, value))), judged(within(ratio.Median), ratio.Median)
	}
}

func below(most float64) func(float64) bool { return func(ratio float64) bool { return ratio <= most } }

// Limits are the rows, in the order of the works.
var Limits = []Limit{
	{"burst, 100 subscribers: us per delivery", "0.45", atMost("burst-100", "us", "", 0.45), perBatch("burst-100")},
	{"the same, against the floor", "1.5 times", times("burst-100", "us", "floor", below(1.5)), perBatch("burst-100")},
	{"the same, against centrifuge", "half", times("burst-100", "us", "centrifuge", below(0.5)), perBatch("burst-100")},
	{"burst, 1,000 subscribers: us per delivery", "0.45", atMost("burst-1000", "us", "", 0.45), perBatch("burst-1000")},
	{"the same, against the floor", "1.5 times", times("burst-1000", "us", "floor", below(1.5)), perBatch("burst-1000")},
	{"the same, against centrifuge", "half", times("burst-1000", "us", "centrifuge", below(0.5)), perBatch("burst-1000")},
	{"one at a time, 100 subscribers: us per delivery", "8.0", besideFloor("single-100", "us", 8), perWrite("single-100")},
	{"the same, against the floor", "1.15 times", times("single-100", "us", "floor", below(1.15)), perWrite("single-100")},
	{"50 updates a second to 100 subscribers: p50 in ms", "the floor's + 25 %", times("paced-100", "p50", "floor", below(1.25)), pace},
	{"the same: p99 in ms", "the floor's + 25 %", times("paced-100", "p99", "floor", below(1.25)), pace},
	{"1,000 states x 10 clients, one update a second each: us per delivery", "23", besideFloor("many", "us", 23),
		split("many", "us", "the server sleeps between updates, so a delivery costs waking up as well as the system call that writes it")},
	{"10,000 idle connections: KiB resident each", "16, aim at 12", atMost("many", "KiB", "", 16), because("the garbage of 10,000 handshakes is in it until Go's collector has returned it to the system")},
	{"append to 100, 1,000, 10,000 messages, 10 subscribers: us", "150, flat", appendTime,
		split("append-1000", "us", "a write for each subscriber and one for the answer, where the floor has no answer; reading, parsing and judging; a goroutine and a deadline for the interceptor")},
	{"the same: bytes per subscriber", "150", appendBytes, because("a message of 97 bytes, the WebSocket header of 4, and the entry around it")},
	{"the same by the seed's idiom: bytes per subscriber", "200", idiomBytes, because("the server finds what was added, and sends that")},
	{"5,000 clients join a state of 100 KB: us each", "150", besideFloor("join", "us", 150),
		split("join", "us", "100 KB are copied for each; the handshake is by net/http and the library, which a server that looks for one header does not need")},
	{"the same, resuming with nothing missed: us each", "90", besideFloor("join", "resume us", 90),
		split("join", "resume us", "the handshake is by net/http and the library, which a server that looks for one header does not need; the rest is the session and the collection of what a handshake leaves")},
	{"10 writers on one state: accepted changes a second", "printed", atMost("writers-10", "per second", "", math.Inf(1)), because("")},
	{"1,000 writers, against 10 writers that 990 others follow", "at least 80 %", manyWriters, writersWhy("writers-10-of-1000")},
	{"1,000 writers, against 10 writers alone", "at least 80 %", writersAlone, writersWhy("writers-10")},
	{"100 of 1,000 subscribers stop reading: the others' p99, after to before", "1.2 times", stallRatio, because("latencies of single runs vary by more than that on this machine; see the spread, and the other servers'")},
	{"the same: growth of the server's memory in MiB", "19.8, the bounds of buffers", stallMemory, because("a buffer grows by doubling, and what it leaves behind is not given back at once")},
	{"durable log, 512 writers: acknowledged a second", "100,000", durableRate, because("the log alone, synced, on the disk of this machine; it is the disk that decides how long a group waits")},
	{"native Go client, 100,000 changes: processor time, against a loop that only reads", "3 times", listenRatio,
		because("the client checks each message, keeps the state as immutable values and calls a listener; the loop only counts bytes; a loop that decodes with encoding/json is the third figure")},
}

// because is a reason without a figure.
func because(why string) func(Table) string { return func(Table) string { return why } }

// split says how much of a work's processor time is the kernel's and how much the program's, of ours and of the floor, and
// what the program's is spent on.
func split(work, value, why string) func(Table) string {
	return func(t Table) string {
		kernel, total := t.Median(work, "ours", value+Kernel), t.Median(work, "ours", value)
		text := fmt.Sprintf("of %s us the kernel has %s and the program %s", short(total), short(kernel), short(total-kernel))
		if has := t.Median(work, "floor", value+Kernel); !math.IsNaN(has) {
			text += fmt.Sprintf(" (the floor: %s and %s)", short(has), short(t.Median(work, "floor", value)-has))
		}
		return text + ": " + why
	}
}

func perBatch(work string) func(Table) string {
	return split(work, "us", "the program's is parsing, judging and an entry for each change, and a copy of the entries for each subscriber")
}

func perWrite(work string) func(Table) string {
	return split(work, "us", "each subscriber costs a system call of its own when updates come one at a time; the program's is a lock and a copy for each subscriber, and parsing, judging and the order")
}

// pace says how long the subscribers before the median one take, when one is written to after the other.
func pace(t Table) string {
	before := func(peer string) string { return short(50 * t.Median("paced-100", peer, "us") / 1000) }
	return fmt.Sprintf("subscribers are written to one after the other: those before the median one take %s ms of processor time, of the floor's %s", before("ours"), before("floor"))
}

// writersWhy says what each accepted change costs the server, and how many of them a subscriber reads at once.
func writersWhy(few string) func(Table) string {
	return func(t Table) string {
		of := func(work, value string) string { return short(t.Median(work, "ours", value)) }
		return fmt.Sprintf("a change costs %s us, not %s: each of 1,000 comes by a connection of its own, with a system call to read it and one for its answer, where ten have up to 32 in one; and it is sent to 999 others (%s changes in each read of a subscriber; %s with ten)",
			of("writers-1000", "us"), of(few, "us"), of("writers-1000", "per read"), of(few, "per read"))
	}
}

var lengths = []string{"100", "1000", "10000"}

// overLengths collects a value over the lengths of the array.
func overLengths(t Table, work, value string, most float64) (string, verdict) {
	text, ok := "", true
	var medians []float64
	for i, length := range lengths {
		median := t.Median(work+"-"+length, "ours", value)
		ok = ok && median <= most
		medians = append(medians, median)
		if i > 0 {
			text += ", "
		}
		text += short(median)
	}
	return text, judged(ok, medians...)
}

func appendTime(t Table) (string, verdict) {
	text, verdict := overLengths(t, "append", "us", 150)
	text += ofFloor(max(t.Median("append-100", "floor", "us"), t.Median("append-1000", "floor", "us"), t.Median("append-10000", "floor", "us")), 150)
	few, many := t.Median("append-100", "ours", "us"), t.Median("append-10000", "ours", "us")
	if verdict == met && many > 1.2*few {
		verdict = unmet
	}
	return text, verdict
}

func appendBytes(t Table) (string, verdict) { return overLengths(t, "append", "bytes", 150) }

func idiomBytes(t Table) (string, verdict) { return overLengths(t, "idiom", "bytes", 200) }

func manyWriters(t Table) (string, verdict) { return writersShare(t, "writers-10-of-1000") }

func writersAlone(t Table) (string, verdict) { return writersShare(t, "writers-10") }

func writersShare(t Table, few string) (string, verdict) {
	share := t.Median("writers-1000", "ours", "per second") / t.Median(few, "ours", "per second")
	return fmt.Sprintf("%s %% (%s; %s a second, the server busy for %s and %s %% of the time)", short(100*share), short(t.Median("writers-1000", "ours", "per second")),
		short(t.Median(few, "ours", "per second")), busy(t, "writers-1000"), busy(t, few)), judged(share >= 0.8, share)
}

// busy is the part of the time, in percent, for which the server works.
func busy(t Table, work string) string {
	return short(t.Median(work, "ours", "us") * t.Median(work, "ours", "per second") / 1e6 * 100)
}

func stallRatio(t Table) (string, verdict) {
	s, _ := t.Get("stalls", "ours", "ratio")
	return s.String(), judged(s.Median <= 1.2, s.Median)
}

// stallMemory is the history, 1 MiB, and for each of 100 who do not read a frame that waits, in a buffer of 128 KiB at
// most, with a piece of it on its way to the network, 64 KiB.
func stallMemory(t Table) (string, verdict) {
	s, _ := t.Get("stalls", "ours", "MiB")
	return s.String(), judged(s.Median <= 1+100*(128+64)/1024.0, s.Median)
}

func durableRate(t Table) (string, verdict) {
	s, _ := t.Get("log-512", "ours", "per second")
	whole := t.Median("durable-512", "ours", "per second")
	return fmt.Sprintf("%s; the whole server, with 512 states on one core: %s", s, short(whole)), judged(s.Median >= 100_000, s.Median)
}

func listenRatio(t Table) (string, verdict) {
	s, _ := t.Get("listen", "ours", "ratio")
	return fmt.Sprintf("%s (%s; %s us; with encoding/json %s us)", s, short(t.Median("listen", "ours", "client")), short(t.Median("listen", "ours", "raw")),
		short(t.Median("listen", "ours", "decode"))), judged(s.Median <= 3, s.Median)
}
