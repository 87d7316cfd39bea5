package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// slowConn is a connection whose client takes frames as the test wants.
type slowConn struct {
	transport.Conn // nil: nothing else is called
	takes          func(frame []byte) (rest func() error)
}

func (c slowConn) TryWrite(_ transport.Bound, frame []byte) (func() error, error) {
	return c.takes(frame), nil
}

func (c slowConn) Write(_ transport.Bound, frame []byte) error {
	if rest := c.takes(frame); rest != nil {
		return rest()
	}
	return nil
}

// launched has n connections, driven by a launch with the given number of goroutines, that are not read from.
func launched(t *testing.T, n, most int, takes func(i int, frame []byte) (rest func() error)) (*fixture, []*connection) {
	t.Helper()
	f := newFixture(t, Options{})
	f.launch.most = most
	var conns []*connection
	for i := range n {
		c := &connection{server: f.StateSyncer, conn: slowConn{takes: func(frame []byte) func() error { return takes(i, frame) }}}
		c.peer = f.connect(nil, c.startWriter)
		conns = append(conns, c)
	}
	t.Cleanup(func() {
		for _, c := range conns {
			c.writer.Wait()
			c.peer.disconnect()
		}
	})
	return f, conns
}

func wait(t *testing.T, f *fixture) {
	t.Helper()
	if err := f.goroutines.wait(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// What reads must have its turn before and between the frames that are written, however many connections there are.
func TestEverybodyElseRunsBetweenBatchesOfWriters(t *testing.T) {
	const connections = 10*launchBatch + 5
	var sinceTurn, most, total int // of the one goroutine
	f, conns := launched(t, connections, 1, func(int, []byte) func() error {
		sinceTurn++
		total++
		most = max(most, sinceTurn)
		return nil
	})
	turns := 0
	f.launch.pause = func() { turns, sinceTurn = turns+1, 0 }
	f.launch.mu.Lock() // nobody begins before all wait
	f.launch.running = 1
	f.launch.mu.Unlock()
	for _, c := range conns {
		c.peer.tell(protocol.Ping{})
	}
	f.launch.run()
	if total != connections || most != launchBatch || turns != 1+connections/launchBatch {
		t.Errorf("%d frames, at most %d between two of %d turns of the others; want %d, %d, %d",
			total, most, turns, connections, launchBatch, 1+connections/launchBatch)
	}
}

func TestNoMoreGoroutinesWriteThanMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 3
		var begun atomic.Int64
		enough := make(chan struct{})
		f, conns := launched(t, 100, most, func(int, []byte) func() error {
			begun.Add(1)
			<-enough
			return nil
		})
		for _, c := range conns {
			c.peer.tell(protocol.Ping{})
		}
		synctest.Wait()
		if got := begun.Load(); got != most {
			t.Errorf("%d writers at once; want %d", got, most)
		}
		close(enough)
		wait(t, f)
		if got := begun.Load(); got != int64(len(conns)) {
			t.Errorf("%d frames; want %d", got, len(conns))
		}
	})
}

func TestWriterThatWaitsHoldsUpNobody(t *testing.T) {
	release := make(chan struct{})
	var taken atomic.Int64
	all := make(chan struct{})
	f, conns := launched(t, 50, 1, func(i int, _ []byte) func() error {
		if i%2 == 0 {
			return func() error {
				<-release
				return nil
			}
		}
		if taken.Add(1) == 25 {
			close(all)
		}
		return nil
	})
	for _, c := range conns {
		c.peer.tell(protocol.Ping{})
	}
	<-all
	wait(t, f)
	for _, c := range conns {
		c.peer.tell(protocol.Ping{}) // also to those that are still waiting, for later
	}
	close(release)
	for i, c := range conns {
		c.writer.Wait()
		if frame := c.peer.take(nil, 1<<10); len(frame) > 0 {
			t.Errorf("connection %d did not write %s", i, frame)
		}
	}
	wait(t, f)
}

// A connection that always has more to write does not keep the others from their turn.
func TestBusyConnectionGivesTurns(t *testing.T) {
	var order []int
	var conns []*connection
	f, conns := launched(t, 2, 1, func(i int, _ []byte) func() error {
		order = append(order, i)
		if i == 0 && len(order) < 20 {
			conns[0].peer.tell(protocol.Ping{})
		}
		return nil
	})
	f.launch.running = 1
	for _, c := range conns {
		c.peer.tell(protocol.Ping{})
	}
	f.launch.run()
	if len(order) != 20 || order[turnFrames] != 1 {
		t.Errorf("turns %s; want the second connection's after %d of the first", fmt.Sprint(order), turnFrames)
	}
}
