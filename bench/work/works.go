package work

import (
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/hub"
)

var oursOnly = []string{"ours"}

// Lengths are those of the arrays that are appended to.
var Lengths = []int{100, 1000, 10_000}

// Works returns everything that is measured, in the order in which it is.
func Works() []Work {
	works := []Work{
		{Name: "burst-100", Peers: Everybody, Rounds: 5, Do: burst(100, 64, time.Second)},
		{Name: "burst-1000", Peers: Everybody, Rounds: 3, Do: burst(1000, 64, 1500*time.Millisecond)},
		{Name: "single-100", Peers: Everybody, Rounds: 5, Do: burst(100, 1, time.Second)},
		{Name: "paced-100", Peers: Everybody, Rounds: 5, Do: paced(100, 50, 3*time.Second)},
		{Name: "many", Peers: Everybody, Rounds: 3, Setup: hub.Setup{States: 1000}, Do: many(1000, 4*time.Second)},
	}
	for _, length := range Lengths {
		setup := hub.Setup{Messages: length, Intercept: true}
		works = append(works,
			Work{Name: fmt.Sprint("append-", length), Peers: Everybody, Rounds: 3, Setup: setup, Do: appends(length, false, 600*time.Millisecond)},
			Work{Name: fmt.Sprint("idiom-", length), Peers: oursOnly, Rounds: 3, Setup: setup, Do: appends(length, true, 600*time.Millisecond)})
	}
	return append(works,
		Work{Name: "join", Peers: Everybody, Rounds: 3, Setup: hub.Setup{Bytes: bigText, History: true}, Do: joins(5000)},
		Work{Name: "writers-10", Peers: oursOnly, Rounds: 3, Do: writers(10, 10, 32, false, 2*time.Second)},
		Work{Name: "writers-10-of-1000", Peers: oursOnly, Rounds: 3, Do: writers(10, 1000, 32, false, 2*time.Second)},
		Work{Name: "writers-1000", Peers: oursOnly, Rounds: 3, Do: writers(1000, 1000, 1, false, 2*time.Second)},
		Work{Name: "stalls", Peers: Everybody, Rounds: 3, Do: stalls(1000, 50, 2*time.Second)},
		Work{Name: "durable-512", Peers: oursOnly, Rounds: 3, Setup: hub.Setup{States: 512, Durable: "temporary"}, Do: writers(512, 512, 8, true, 2*time.Second)},
		Work{Name: "listen", Peers: oursOnly, Rounds: 3, Do: listening(100_000)},
	)
}
