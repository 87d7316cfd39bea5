package work

import (
	"fmt"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/load"
)

// flow publishes with so many updates in flight: sent, and not yet received by every subscriber.
type flow struct {
	r          *Round
	window     int
	sent       int
	completed  int
	arrived    []int // of the updates in flight, how many subscribers have each
	deliveries int
	property   string
}

func (r *Round) flow(window int) *flow {
	f := &flow{r: r, window: window, arrived: make([]int, 2*window), property: "p"}
	base := 0
	if len(r.subscribers) > 0 {
		base = r.subscribers[0].Got // all have received the same
	}
	r.loop.Deliver = func(c *load.Conn, updates int) { f.deliver(c, updates, base) }
	return f
}

// deliver notes what a subscriber has received. Each receives all updates, and in their order.
func (f *flow) deliver(c *load.Conn, updates, base int) {
	if c == f.r.publisher { // some peers send it its own
		return
	}
	f.deliveries += updates
	for i := c.Got - updates - base; i < c.Got-base; i++ {
		slot := &f.arrived[i%len(f.arrived)]
		if *slot++; *slot == len(f.r.subscribers) {
			*slot = 0
			f.completed++
		}
	}
}

// publish sends updates until f.sent is at most the window ahead, but not beyond limit.
func (f *flow) publish(limit int, send func(i int)) {
	before := f.sent
	for f.sent < limit && f.sent-f.completed < f.window {
		f.sent++
		send(f.sent)
	}
	if f.sent > before {
		f.r.publisher.Flush()
	}
}

// during publishes for a time, and waits until everything has arrived.
func (f *flow) during(d time.Duration, send func(i int)) error { return f.several(1<<62, d, send) }

// several is during, and publishes so many updates at most.
func (f *flow) several(most int, d time.Duration, send func(i int)) error {
	deadline, limit := time.Now().Add(d), f.sent+min(most, 1<<62-f.sent)
	for f.sent < limit && time.Now().Before(deadline) {
		f.publish(limit, send)
		if err := f.r.loop.Turn(time.Second); err != nil {
			return err
		}
	}
	return f.r.loop.Until(func() bool { return f.completed == f.sent }, 30*time.Second, "receiving what is in flight")
}

func (f *flow) merge(i int) { f.r.dialect.Merge(f.r.publisher, f.property, update(i)) }

// burst measures the server's processor time per delivery of an update of 100 bytes, with so many in flight.
func burst(subscribers, window int, d time.Duration) func(*Round) error {
	return func(r *Round) error {
		if err := r.gather(r.n(subscribers, min(subscribers, 20))); err != nil {
			return err
		}
		f := r.flow(window)
		if err := f.during(r.time(d/4), f.merge); err != nil {
			return err
		}
		f.deliveries = 0
		reads := -r.reads()
		began := time.Now()
		cpu, err := r.spent(func() error { return f.during(r.time(d), f.merge) })
		if err != nil {
			return err
		}
		if f.deliveries == 0 {
			return fmt.Errorf("nothing was delivered")
		}
		r.each("us", cpu, f.deliveries)
		r.Values["per second"] = float64(f.deliveries) / time.Since(began).Seconds()
		r.Values["per read"] = float64(f.deliveries) / float64(reads+r.reads())
		return nil
	}
}

// paced measures how long updates take from the publisher to each subscriber, at a rate that no server finds hard.
func paced(subscribers, perSecond int, d time.Duration) func(*Round) error {
	return func(r *Round) error {
		if err := r.gather(r.n(subscribers, 10)); err != nil {
			return err
		}
		f := r.flow(1)
		if err := f.during(r.time(d/4), f.merge); err != nil {
			return err
		}
		var delays []time.Duration
		cpu, err := r.spent(func() (err error) {
			delays, err = r.pace(perSecond, r.time(d))
			return err
		})
		if err != nil {
			return err
		}
		r.each("us", cpu, len(delays))
		r.Values["p50"], r.Values["p99"] = percentile(delays, 50), percentile(delays, 99)
		return nil
	}
}

// pace publishes at a rate and returns how long each delivery took.
func (r *Round) pace(perSecond int, d time.Duration) ([]time.Duration, error) {
	base := r.subscribers[0].Got // all have received the same
	var sent []time.Time
	var delays []time.Duration
	r.loop.Deliver = func(c *load.Conn, updates int) {
		if c == r.publisher {
			return
		}
		for i := c.Got - updates - base; i < c.Got-base; i++ {
			delays = append(delays, r.loop.Now.Sub(sent[i]))
		}
	}
	interval := time.Second / time.Duration(perSecond)
	next := time.Now()
	for end := next.Add(d); next.Before(end); next = next.Add(interval) {
		if err := r.loop.For(time.Until(next)); err != nil {
			return nil, err
		}
		r.dialect.Merge(r.publisher, "p", update(len(sent)))
		sent = append(sent, time.Now())
		r.publisher.Flush()
	}
	err := r.loop.Until(func() bool { return len(delays) == len(sent)*len(r.subscribers) }, 30*time.Second, "receiving what is in flight")
	return delays, err
}
