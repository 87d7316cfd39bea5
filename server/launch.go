package server

import "sync"

// launchBatch is how many connections have a turn before everybody else may run.
const launchBatch = 32

// launch has those written to that have something to be sent, by as many goroutines as there are processors: each takes one
// connection after the other, and writes what the network takes at once. A connection whose client does not read is left to
// a goroutine of its own, so it holds up nobody. Go's scheduler prefers goroutines that were just started to those whose
// socket can be read: with a thousand subscribers and as many writers, one change was read for each sixty frames that were
// written, and so a frame had few changes in it. Before each batch all that wait to run do; what they change goes out with
// it. Its lock is taken last.
type launch struct {
	most  int    // goroutines
	pause func() // lets everybody else run

	mu      sync.Mutex  // guards everything below
	first   *connection // those that wait, in their order, linked by nextLaunch
	last    *connection
	running int // goroutines
}

// startWriter has written what waits. The peer calls it when nothing is being written.
func (c *connection) startWriter() {
	c.writer.Add(1)
	if c.server.launch.push(c) {
		c.server.later(c.server.launch.run)
	}
}

// push puts a connection behind those that wait, and reports whether another goroutine has to run.
func (l *launch) push(c *connection) (start bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append(c)
	if l.running == l.most {
		return false
	}
	l.running++
	return true
}

// putBack gives a connection another turn, after the others that wait.
func (l *launch) putBack(c *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.append(c)
}

func (l *launch) append(c *connection) {
	if l.first == nil {
		l.first = c
	} else {
		l.last.nextLaunch = c
	}
	l.last = c
}

// run gives a turn to those that wait, until nobody does.
func (l *launch) run() {
	for i := 0; ; i++ {
		if i%launchBatch == 0 {
			l.pause()
		}
		c := l.next()
		if c == nil {
			return
		}
		if c.writeNow() {
			l.putBack(c)
		}
	}
}

// next takes the connection that waits longest; after nil the goroutine ends.
func (l *launch) next() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.first
	if c == nil {
		l.running--
		return nil
	}
	l.first, c.nextLaunch = c.nextLaunch, nil
	return c
}
