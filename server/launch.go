package server

import (
	"runtime"
	"sync"
)

// launchBatch is how many writers are started before everybody else may run.
const launchBatch = 32

// launch starts the goroutines that write, a batch at a time. Go's scheduler prefers goroutines that were just started to
// those whose socket can be read: with a thousand subscribers and as many writers, one change was read for each sixty
// frames that were written, and so a frame had few changes in it. Between two batches all that wait to run do; what they
// change goes out with the next batch. Its lock is taken last.
type launch struct {
	mu      sync.Mutex  // guards everything below
	first   *connection // those that wait, in their order, linked by nextLaunch
	last    *connection
	running bool // there is a goroutine that starts them
}

// startWriter has the goroutine started that writes what waits. The peer calls it when there is none.
func (c *connection) startWriter() {
	c.writer.Add(1)
	l := &c.server.launch
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = c
	} else {
		l.last.nextLaunch = c
	}
	l.last = c
	if !l.running {
		l.running = true
		c.server.goroutines.add(1)
		go c.server.launchAll()
	}
}

// launchAll starts writers until none waits.
func (s *StateSyncer) launchAll() {
	defer s.goroutines.add(-1)
	for i := 1; ; i++ {
		c := s.launch.next()
		if c == nil {
			return
		}
		go c.write()
		if i%launchBatch == 0 {
			runtime.Gosched()
		}
	}
}

// next takes the connection that waits longest; after nil the goroutine ends.
func (l *launch) next() *connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.first
	if c == nil {
		l.running = false
		return nil
	}
	l.first, c.nextLaunch = c.nextLaunch, nil
	return c
}
