package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

const (
	writers = 5
	kills   = 6 // of the server in a run

	// startTimeout is how long the server may take to listen.
	startTimeout = 30 * time.Second
	// settleTimeout is how long the last verdicts may take after nothing is cut any more.
	settleTimeout = 2 * time.Minute
)

// torture is one run: five writers send messages to a server in another process, through a proxy that cuts their
// connections, while the server is killed and started again. Every writer sends each message twice: by an append, and by
// the old idiom, which reads the array, adds to it and writes it back.
type torture struct {
	program  string // this one
	messages int    // of all writers
	lasts    time.Duration
	report   func(progress) // called from time to time, by one goroutine
	arrived  func([]any)    // the messages that a reader got, in order

	sent, answered, unanswered [2]atomic.Int64 // by append; by the old idiom
}

// progress is how far a run is.
type progress struct {
	sent, answered, cuts, kills int
}

// outcome is what a reader finds who comes when all is over.
type outcome struct{ ours, seed tally }

// tally compares what was sent with what is there.
type tally struct{ sent, here, lost, doubled, refused int }

func tallyOf(sent int, messages document.Value) tally {
	unique := map[string]bool{}
	for _, m := range messages.Elements() {
		unique[m.Text()] = true
	}
	return tally{sent: sent, here: messages.Len(), lost: sent - len(unique), doubled: messages.Len() - len(unique)}
}

func (t *torture) run(ctx context.Context) (_ outcome, err error) {
	folder, remove, err := newScratch(os.TempDir())
	if err != nil {
		return outcome{}, err
	}
	defer remove()
	server, err := startVictim(ctx, t.program, folder, startTimeout)
	if err != nil {
		return outcome{}, err
	}
	defer func() { server.kill() }()
	p, err := newProxy()
	if err != nil {
		return outcome{}, err
	}
	defer p.close()
	p.aim(server.address)

	watching, err := t.watch(ctx, p.address())
	if err != nil {
		return outcome{}, err
	}
	defer watching.close()
	var written sync.WaitGroup
	all := make([]*writer, writers)
	for i := range all {
		if all[i], err = t.newWriter(ctx, p.address(), i); err != nil {
			return outcome{}, err
		}
		defer all[i].close()
	}
	ctx, cancel := context.WithCancel(ctx)
	for _, w := range all {
		written.Go(func() { w.write(ctx) })
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		written.Wait()
	}()
	defer func() {
		cancel()
		<-over
	}()
	if server, err = t.harm(ctx, p, server, folder, over); err != nil {
		return outcome{}, err
	}
	return t.settle(ctx, server.address, all, watching)
}

// harm cuts and kills until everything was sent, and returns the server that is left.
func (t *torture) harm(ctx context.Context, p *proxy, server *victim, folder string, over <-chan struct{}) (*victim, error) {
	cut, kill := time.NewTicker(150*time.Millisecond), time.NewTicker(t.lasts/(kills+1))
	defer cut.Stop()
	defer kill.Stop()
	killed := 0
	for {
		select {
		case <-ctx.Done():
			return server, ctx.Err()
		case <-cut.C:
			p.cut(rand.Float64() * rand.Float64())
			t.report(t.progress(p.count(), killed))
		case <-kill.C:
			if killed == kills {
				continue
			}
			p.aim("")
			server.kill()
			killed++
			next, err := startVictim(ctx, t.program, folder, startTimeout)
			if err != nil {
				return server, err
			}
			server = next
			p.aim(server.address)
		case <-over:
			t.report(t.progress(p.count(), killed))
			return server, nil
		}
	}
}

func (t *torture) progress(cuts, kills int) progress {
	return progress{int(t.sent[0].Load()), int(t.answered[0].Load()), cuts, kills}
}

// settle waits for the last verdicts, lets a new reader look, who comes to the server itself, and waits for the watcher.
func (t *torture) settle(ctx context.Context, address string, all []*writer, watching *watcher) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for _, w := range all {
		if err := w.settled(ctx); err != nil {
			return outcome{}, fmt.Errorf("not every message has its verdict: %w", err)
		}
	}
	reader, err := wasmclient.New("ws://"+address, "reader", "")
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = reader.Close() }()
	var found outcome
	for i, to := range []*tally{&found.ours, &found.seed} {
		state, err := reader.ConnectToState(ctx, []string{ours, seed}[i])
		if err != nil {
			return outcome{}, err
		}
		*to = tallyOf(int(t.sent[i].Load()), state.GetState().Get("messages"))
		to.refused = int(t.unanswered[i].Load())
	}
	return found, watching.catchUp(ctx, found.ours.here)
}

// watcher gives what a client sees of the appended messages to arrived; its connection is cut like the others'.
type watcher struct {
	client *wasmclient.Client
	passed atomic.Int64 // messages
	more   chan struct{}
}

func (t *torture) watch(ctx context.Context, address string) (*watcher, error) {
	client, err := wasmclient.New(address, "watcher", "", quickly)
	if err != nil {
		return nil, err
	}
	w := &watcher{client: client, more: make(chan struct{}, 1)}
	state, err := client.ConnectToState(ctx, ours)
	if err != nil {
		w.close()
		return nil, err
	}
	state.AddStateUpdateListener("watch", func(u wasmclient.Update) {
		messages, seen := u.View.Get("messages"), int(w.passed.Load())
		var news []any
		for i := seen; i < messages.Len(); i++ {
			news = append(news, messages.Index(i))
		}
		if len(news) == 0 {
			return
		}
		t.arrived(news)
		w.passed.Add(int64(len(news)))
		select {
		case w.more <- struct{}{}:
		default:
		}
	}, "messages")
	return w, nil
}

// catchUp waits until n messages were passed on.
func (w *watcher) catchUp(ctx context.Context, n int) error {
	for int(w.passed.Load()) < n {
		select {
		case <-w.more:
		case <-ctx.Done():
			return fmt.Errorf("the watcher has %d of %d messages: %w", w.passed.Load(), n, ctx.Err())
		}
	}
	return nil
}

func (w *watcher) close() { _ = w.client.Close() }

// quickly makes a client come back at once.
var quickly = wasmclient.WithBackoff(10*time.Millisecond, 200*time.Millisecond)

// writer is one of the five.
type writer struct {
	t       *torture
	number  int
	client  *wasmclient.Client
	states  [2]*wasmclient.State
	waiting sync.WaitGroup
}

func (t *torture) newWriter(ctx context.Context, address string, number int) (*writer, error) {
	client, err := wasmclient.New(address, "writer"+strconv.Itoa(number), "", quickly)
	if err != nil {
		return nil, err
	}
	w := &writer{t: t, number: number, client: client}
	for i, identifier := range []string{ours, seed} {
		state, err := client.ConnectToState(ctx, identifier)
		if err == nil { // a server that was killed knows those again who have changed something
			_, err = state.UpdateState(ctx, map[string]any{"writer" + strconv.Itoa(number): true})
		}
		if err != nil {
			_ = client.Close()
			return nil, err
		}
		w.states[i] = state
	}
	return w, nil
}

// write sends the writer's share of the messages over the time, whether or not there is a connection: each at a moment of its
// own, as people write, and never all writers at the same.
func (w *writer) write(ctx context.Context) {
	share := w.t.messages / writers
	began := time.Now()
	for i := range share {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(began.Add(time.Duration((float64(i) + rand.Float64()) * float64(w.t.lasts) / float64(share))))):
		}
		id := fmt.Sprintf("%d-%d", w.number, i)
		pending, err := w.states[0].SubmitAppend(ctx, "messages", id)
		w.await(ctx, 0, pending, err)

		var array []any // [...messages, m]
		for _, m := range w.states[1].GetState().Get("messages").Elements() {
			array = append(array, m)
		}
		pending, err = w.states[1].Submit(ctx, map[string]any{"messages": append(array, id)})
		w.await(ctx, 1, pending, err)
	}
}

// await counts a message, and its verdict when that comes.
func (w *writer) await(ctx context.Context, which int, pending *wasmclient.Pending, err error) {
	w.t.sent[which].Add(1)
	if err != nil {
		w.t.unanswered[which].Add(1)
		return
	}
	w.waiting.Go(func() {
		if _, err := pending.Wait(ctx); err != nil {
			w.t.unanswered[which].Add(1)
			return
		}
		w.t.answered[which].Add(1)
	})
}

// settled waits until every message of the writer has its verdict.
func (w *writer) settled(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.waiting.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close settles what has no verdict, and waits for that.
func (w *writer) close() {
	_ = w.client.Close()
	w.waiting.Wait()
}
