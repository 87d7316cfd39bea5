package server

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// Every client is told when to come back, and all of them over the whole spread.
func TestShutdownSpreadsTheReturnOfClients(t *testing.T) {
	const clients, spread = 400, 8 * time.Second
	f := newFixture(t, Options{DrainSpread: spread})
	f.create(StateOptions{Identifier: "s"})
	var all []*wire
	for i := range clients {
		all = append(all, f.joined(string(rune('a'+i%26))+string(rune('a'+i/26)), "s"))
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	var eighths [8]int
	for _, w := range all {
		messages := w.recv()
		var bye []any
		if err := json.Unmarshal([]byte(messages[len(messages)-1]), &bye); err != nil || bye[0] != "bye" || bye[1] != float64(protocol.CodeShuttingDown) {
			t.Fatalf("got %q, %v", messages, err)
		}
		away := time.Duration(bye[3].(float64)) * time.Millisecond
		if away < time.Millisecond || away > spread {
			t.Fatalf("a client is told to stay away for %v", away)
		}
		eighths[(away-1)*8/spread]++
	}
	for _, n := range eighths {
		if n < clients/8/2 || n > clients/8*2 {
			t.Fatalf("the clients come back %v in each eighth of the spread", eighths)
		}
	}
}

// A change that is being received when a shutdown begins is turned away, or answered before the connection ends.
func TestShutdownAnswersWhatIsBeingReceived(t *testing.T) {
	for range 100 {
		f := newFixture(t, Options{})
		f.create(StateOptions{Identifier: "s"})
		w := f.joined("ann", "s")
		f.clock.advance(time.Second)
		state := f.allStates()[0]
		state.mu.Lock() // here the change waits
		received, ended := make(chan struct{}), make(chan error)
		go func() {
			defer close(received)
			w.send(`["merge",1,1,0,{"a":1}]`)
		}()
		for w.peer.lastRead.Load() != f.clock.Now().UnixNano() {
			runtime.Gosched()
		}
		go func() { ended <- f.Shutdown(t.Context()) }()
		for !f.draining.Load() {
			runtime.Gosched()
		}
		var early string
		for range 100 { // time enough to say goodbye too early
			runtime.Gosched()
			early += string(w.peer.take(nil, 64<<10))
		}
		state.mu.Unlock()
		<-received
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		got := early + strings.Join(w.recv(), "\n")
		if answered := strings.Contains(got, `["accepted",1,1,1]`); answered != (f.Stats().Accepted == 1) {
			t.Fatalf("%d changes were accepted, and the client has %s", f.Stats().Accepted, got)
		}
	}
}
