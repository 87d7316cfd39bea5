// Package work has what the servers are made to do, one row of the results each, and how it is measured.
package work

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/hub"
	"github.com/server-state-sync/server-state-sync/bench/load"
	"github.com/server-state-sync/server-state-sync/bench/process"
	"github.com/server-state-sync/server-state-sync/bench/report"
)

// Everybody are the peers, in the order in which they are printed; each work runs them in turn.
var Everybody = []string{"ours", "floor", "centrifuge", "gorilla", "ws", "socket.io"}

// A Work is done by each of its peers, by a process of its own in each round.
type Work struct {
	Name   string
	Peers  []string
	Rounds int
	Setup  hub.Setup
	Do     func(*Round) error
}

// Values are what a round has measured, by name.
type Values map[string]float64

// Round is one work done once by one peer.
type Round struct {
	Peer    string
	Short   bool // everything once and little of it, only to see that it works
	Server  *process.Server
	Cores   process.Cores
	Self    string          // this program
	Context context.Context // ends with the run
	Values  Values

	loop        *load.Loop
	dialect     load.Dialect
	subscribers []*load.Conn
	publisher   *load.Conn
}

// Begin prepares the round's connections to the server, which runs.
func (r *Round) Begin() (err error) {
	r.loop, err = load.NewLoop()
	r.dialect = load.Dialects[r.Peer]
	r.Values = Values{}
	return err
}

// End drops them.
func (r *Round) End() { r.loop.Close() }

// n is a number of the work, or a small one where only a short look is wanted.
func (r *Round) n(full, short int) int {
	if r.Short {
		return short
	}
	return full
}

// time is the same for durations.
func (r *Round) time(full time.Duration) time.Duration {
	if r.Short {
		return full / 20
	}
	return full
}

// opening is how many handshakes are under way at a time: more would overflow the queues in which kernels keep them.
const opening = 128

// open connects clients and waits until the server has answered their joins. state says which state the i-th one joins;
// was, unless nil, has the connections that they had before.
func (r *Round) open(count int, state func(i int) int, was []*load.Conn) ([]*load.Conn, error) {
	conns := make([]*load.Conn, 0, count)
	joined := 0
	for len(conns) < count {
		var before *load.Conn
		if was != nil {
			before = was[len(conns)]
		}
		c, err := r.loop.Open(r.Server.Address, r.dialect, state(len(conns)), before)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
		if err := r.loop.Turn(0); err != nil {
			return nil, err
		}
		err = r.loop.Until(func() bool {
			for joined < len(conns) && conns[joined].Joined {
				joined++
			}
			return len(conns)-joined < opening
		}, time.Minute, "opening connections")
		if err != nil {
			return nil, err
		}
	}
	err := r.loop.Until(func() bool {
		return !slices.ContainsFunc(conns[joined:], func(c *load.Conn) bool { return !c.Joined })
	}, time.Minute, "joining")
	return conns, err
}

// gather connects subscribers and a publisher to the first state.
func (r *Round) gather(subscribers int) (err error) {
	first := func(int) int { return 0 }
	if r.subscribers, err = r.open(subscribers, first, nil); err != nil {
		return err
	}
	publishers, err := r.open(1, first, nil)
	if err != nil {
		return err
	}
	r.publisher = publishers[0]
	return nil
}

// quiet waits until the server has nothing more to do.
func (r *Round) quiet() error {
	if r.Short {
		return r.loop.For(20 * time.Millisecond)
	}
	for range 50 {
		spent, err := r.spent(func() error { return r.loop.For(100 * time.Millisecond) })
		if err != nil {
			return err
		}
		if spent.Total < 2*time.Millisecond {
			return nil
		}
	}
	return errors.New("the server is not done with its clients' leaving after 5 s")
}

// spent returns the server's processor time while f ran.
func (r *Round) spent(f func() error) (process.CPU, error) {
	before, err := r.Server.CPU()
	if err != nil {
		return before, err
	}
	if err := f(); err != nil {
		return before, err
	}
	after, err := r.Server.CPU()
	return after.Since(before), err
}

// each notes processor time under the name, in microseconds for each of n things, and how much of it was the kernel's.
func (r *Round) each(name string, cpu process.CPU, n int) {
	r.Values[name] = micros(cpu.Total) / float64(n)
	if kernel, ok := cpu.Kernel(); ok {
		r.Values[name+report.Kernel] = micros(kernel) / float64(n)
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// update is a JSON text that makes a merge of about 100 bytes, with the mark that counts it.
func update(i int) []byte {
	return fmt.Appendf(nil, `"%c%075d"`, load.Mark, i)
}

// percentile returns a percentile of the durations, which it sorts, in milliseconds.
func percentile(delays []time.Duration, percent int) float64 {
	if len(delays) == 0 {
		return 0
	}
	slices.Sort(delays)
	return float64(delays[min(len(delays)-1, len(delays)*percent/100)].Nanoseconds()) / 1e6
}
