package work

import (
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/load"
)

// writers measures how many changes are accepted in a second when writers patch one state, or each its own, among
// so many connections that follow it. Each has so many changes in flight.
func writers(writing, connected, window int, own bool, d time.Duration) func(*Round) error {
	return func(r *Round) error {
		writing, connected := r.n(writing, min(writing, 10)), r.n(connected, min(connected, 20))
		conns, err := r.open(connected, func(i int) int {
			if own {
				return i
			}
			return 0
		}, nil)
		if err != nil {
			return err
		}
		if err := r.write(conns[:writing], window, r.time(d/4)); err != nil {
			return err
		}
		r.subscribers = conns
		reads := -r.reads()
		accepted, began := acked(conns), time.Now()
		cpu, err := r.spent(func() error { return r.write(conns[:writing], window, r.time(d)) })
		if err != nil {
			return err
		}
		made := acked(conns) - accepted
		if made == 0 {
			return fmt.Errorf("no change was accepted")
		}
		r.each("us", cpu, made)
		r.Values["per second"] = float64(made) / time.Since(began).Seconds()
		r.Values["per read"] = float64(made*len(conns)) / float64(reads+r.reads())
		return r.loop.Until(func() bool { return acked(conns) == sent(conns) }, time.Minute, "the answers to what is in flight")
	}
}

// write keeps every writer's window full for a time.
func (r *Round) write(conns []*load.Conn, window int, d time.Duration) error {
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		for _, c := range conns {
			if c.Sent-c.Acked > window/2 {
				continue
			}
			for c.Sent-c.Acked < window {
				load.Increment(c, "count")
			}
			c.Flush()
		}
		if err := r.loop.Turn(10 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func acked(conns []*load.Conn) (sum int) {
	for _, c := range conns {
		sum += c.Acked
	}
	return sum
}

func sent(conns []*load.Conn) (sum int) {
	for _, c := range conns {
		sum += c.Sent
	}
	return sum
}

// flood are the updates, of 2 KB each, that are sent to those that have stopped reading, so that the kernel's buffers are
// full and what a server keeps of recent changes is exceeded.
const flood = 1000

// largeUpdate is an update of 2 KB.
func largeUpdate(i int) []byte { return fmt.Appendf(nil, `"%c%02000d"`, load.Mark, i) }

// stalls measures the latency of those that read, before and after a tenth of the subscribers has stopped, and what the
// server's memory grew by.
func stalls(subscribers, perSecond int, d time.Duration) func(*Round) error {
	return func(r *Round) error {
		if err := r.gather(r.n(subscribers, 20)); err != nil {
			return err
		}
		if err := r.flow(64).during(r.time(d/4), func(i int) { r.dialect.Merge(r.publisher, "p", update(i)) }); err != nil {
			return err
		}
		delays, err := r.pace(perSecond, r.time(d))
		if err != nil {
			return err
		}
		r.Values["p50 before"], r.Values["p99 before"] = percentile(delays, 50), percentile(delays, 99)
		before, err := r.Server.Resident()
		if err != nil {
			return err
		}
		stopped := r.subscribers[:len(r.subscribers)/10]
		for _, c := range stopped {
			c.StopReading()
		}
		r.subscribers = r.subscribers[len(stopped):]
		f := r.flow(8) // what is in flight fits into the buffers of those that read
		err = r.loop.Until(func() bool {
			f.publish(r.n(flood, 100), func(i int) { r.dialect.Merge(r.publisher, "p", largeUpdate(i)) })
			return f.completed == r.n(flood, 100)
		}, time.Minute, "flooding those who do not read")
		if err != nil {
			return err
		}
		delays, err = r.pace(perSecond, r.time(d))
		if err != nil {
			return err
		}
		r.Values["p50"], r.Values["p99"] = percentile(delays, 50), percentile(delays, 99)
		after, err := r.Server.Resident()
		r.Values["MiB"] = float64(after-before) / (1 << 20)
		r.Values["ratio"] = r.Values["p99"] / r.Values["p99 before"]
		return err
	}
}
