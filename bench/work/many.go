package work

import (
	"time"

	"github.com/server-state-sync/server-state-sync/bench/load"
)

const clientsPerState = 10

// many measures what connections cost while nothing happens, in resident memory, and then the processor time per delivery
// of one update a second to each state.
func many(states int, d time.Duration) func(*Round) error {
	return func(r *Round) error {
		states := r.n(states, 10)
		before, err := r.Server.Resident()
		if err != nil {
			return err
		}
		conns, err := r.open(states*clientsPerState, func(i int) int { return i % states }, nil)
		if err != nil {
			return err
		}
		if err := r.loop.For(r.time(2 * time.Second)); err != nil {
			return err
		}
		after, err := r.Server.Resident()
		if err != nil {
			return err
		}
		r.Values["KiB"] = float64(after-before) / 1024 / float64(len(conns))
		return r.trickle(conns, states, r.time(d))
	}
}

// trickle has one client of each state publish once a second, spread over the second.
func (r *Round) trickle(conns []*load.Conn, states int, d time.Duration) error {
	sent, deliveries := 0, 0
	r.loop.Deliver = func(c *load.Conn, updates int) {
		if c != conns[c.State] { // some peers send a publisher its own
			deliveries += updates
		}
	}
	all := func() bool { return deliveries == sent*(clientsPerState-1) }
	cpu, err := r.spent(func() error {
		began := time.Now()
		for ; ; sent++ {
			due := began.Add(time.Duration(sent) * time.Second / time.Duration(states))
			if due.Sub(began) >= d {
				return r.loop.Until(all, 30*time.Second, "receiving what is in flight")
			}
			if wait := time.Until(due); wait > 0 {
				if err := r.loop.For(wait); err != nil {
					return err
				}
			}
			publisher := conns[sent%states] // the first that has joined its state
			r.dialect.Merge(publisher, "p", update(sent))
			publisher.Flush()
		}
	})
	if err != nil {
		return err
	}
	r.each("us", cpu, max(1, deliveries))
	return nil
}
