package work

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/server-state-sync/server-state-sync/bench/listen"
	"github.com/server-state-sync/server-state-sync/bench/process"
)

// listening has clients in processes of their own receive changes: the Go client with a listener, a loop that only
// reads, and one that decodes each message with encoding/json. It measures their processor time per change.
func listening(changes int) func(*Round) error {
	return func(r *Round) error {
		changes := r.n(changes, 2000)
		publishers, err := r.open(1, func(int) int { return 0 }, nil)
		if err != nil {
			return err
		}
		r.publisher = publishers[0]
		for _, way := range listen.Ways {
			if err := r.listen(way, changes); err != nil {
				return err
			}
		}
		r.Values["ratio"] = r.Values["client"] / r.Values["raw"]
		return nil
	}
}

// listen publishes for one client, as far ahead of it as its reports allow.
func (r *Round) listen(way string, changes int) error {
	var heard atomic.Int64
	heard.Store(-1)
	var used time.Duration
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(r.Context)
	defer func() {
		stop()
		<-ended
	}()
	go func() {
		defer close(ended)
		ended <- process.Listen(ctx, r.Cores.Load, func(line string) {
			if n, err := strconv.ParseInt(line, 10, 64); err == nil {
				heard.Store(n)
			} else {
				used, _ = time.ParseDuration(line)
			}
		}, r.Self, "listen", way, r.Server.Address.String(), strconv.Itoa(changes))
	}()
	sent := 0
	for {
		select {
		case err := <-ended:
			if err == nil && used <= 0 {
				err = fmt.Errorf("the client that listens by %s does not say what it used", way)
			}
			r.Values[way] = float64(used.Microseconds()) / float64(changes)
			return err
		default:
		}
		if at := heard.Load(); at >= 0 && sent < changes {
			for sent < changes && sent-int(at) < 2*listen.Step && r.publisher.Sent-r.publisher.Acked < 64 {
				sent++
				r.dialect.Merge(r.publisher, "p", update(sent))
			}
			r.publisher.Flush()
		}
		if err := r.loop.Turn(time.Millisecond); err != nil {
			return err
		}
	}
}
