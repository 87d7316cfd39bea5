//go:build !js

package jointtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

const (
	drainClients = 8
	drainWorkers = 4 // of each client: each has one change on its way
	drainSpread  = 1500 * time.Millisecond
)

// drained are the clients of a server that is shut down while they are busy, and of the one after it.
type drained struct {
	*house
	clients            []*wasmclient.Client
	accepted, replaced atomic.Int64

	mu     sync.Mutex
	advice []time.Duration // how long each client was told to stay away
}

// work makes changes until it is told to stop, and counts what became of them: accepted by one of the servers, or of a
// life that is over. There is no third.
func (d *drained) work(ctx context.Context, s *wasmclient.State, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		_, err := s.Increment(ctx, "n", 1)
		var refused *wasmclient.Error
		switch {
		case err == nil:
			d.accepted.Add(1)
		case errors.As(err, &refused) && refused.Code == protocol.CodeStateReplaced:
			d.replaced.Add(1)
		default:
			d.t.Errorf("got %v", err)
			return
		}
	}
}

// advised notes for how long a client that has just lost its server will wait.
func (d *drained) advised(client *wasmclient.Client) {
	var once sync.Once
	client.OnStatus(func(status wasmclient.Status) {
		if status.Phase == wasmclient.Waiting {
			once.Do(func() {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.advice = append(d.advice, time.Until(status.NextRetry))
			})
		}
	})
}

// Shutdown under load answers every change that it has received, sends the clients away for different times, and ends;
// they come back to the next server at the same address by themselves.
func TestShutdownUnderLoad(t *testing.T) {
	gate, waiting := make(chan struct{}), make(chan struct{})
	brief := func(ctx context.Context, u *server.Update) error {
		if u.ClientInformation() == nil && u.ClientIdentifier() == "patient" && u.Value("n").Number() == 0 {
			close(waiting)
			select {
			case <-gate:
			case <-ctx.Done():
			}
		}
		return nil
	}
	states := []server.StateOptions{{Identifier: "s", InitialValue: map[string]any{"n": 0}}, {Identifier: "gated", InitialValue: map[string]any{"n": 0}, InterceptStateUpdate: brief}}
	d := &drained{house: open(t, server.Options{DrainSpread: drainSpread, InterceptTimeout: time.Minute}, states...)}
	stop := make(chan struct{})
	var working sync.WaitGroup
	ctx := within(t)
	for i := range drainClients {
		client := d.client(fmt.Sprint("client", i))
		s, err := client.ConnectToState(ctx, "s")
		if err != nil {
			t.Fatal(err)
		}
		d.clients = append(d.clients, client)
		d.advised(client)
		for range drainWorkers {
			working.Go(func() { d.work(ctx, s, stop) })
		}
	}
	patient, err := d.join("patient", "gated").Submit(ctx, map[string]any{"kept": true})
	if err != nil {
		t.Fatal(err)
	}
	<-waiting
	await(t, "some changes", func() bool { return d.accepted.Load() > 10*drainClients*drainWorkers })

	old, ended, began := d.server, make(chan error, 1), time.Now()
	go func() { ended <- old.Shutdown(ctx) }()
	await(t, "the listener to be closed", func() bool { return refusesConnections(d.addr) })
	close(gate) // what was received is decided, and answered
	if _, err := patient.Wait(ctx); err != nil {
		t.Errorf("the change under way when the shutdown began: %v", err)
	}
	if err := <-ended; err != nil {
		t.Fatalf("shutdown: %v", err)
	}
	took, before := time.Since(began), old.Stats()
	states[1].InterceptStateUpdate = nil
	d.start(d.addr, server.Options{DrainSpread: drainSpread}, states...)
	next := d.server
	await(t, "all clients to come back", func() bool {
		return next.Stats().Sessions == drainClients+1 && next.Stats().Accepted > 10*drainClients*drainWorkers
	})
	close(stop)
	working.Wait()
	if of, by := d.accepted.Load()+1, int64(before.Accepted+next.Stats().Accepted); of != by {
		t.Errorf("%d changes were answered as accepted, and the servers accepted %d", of, by)
	}
	if value, _ := next.GetValueOfState("s"); uint64(value.Get("n").Number()) != next.Stats().Accepted {
		t.Errorf("the second server counts %v of %d changes", value, next.Stats().Accepted)
	}
	if before.Connections != 0 {
		t.Errorf("%d connections are left", before.Connections)
	}
	t.Logf("shutdown took %v; %d changes were accepted, %d were of the life before", took.Round(time.Millisecond), d.accepted.Load(), d.replaced.Load())
	d.checkAdvice()
}

// checkAdvice holds that clients stay away for different times, within the spread.
func (d *drained) checkAdvice() {
	d.mu.Lock()
	defer d.mu.Unlock()
	const backoff = 20 * time.Millisecond // of the clients
	if len(d.advice) < drainClients/2 {   // who comes back soon may not be seen to be away
		d.t.Fatalf("%d of %d clients were seen to be sent away", len(d.advice), drainClients)
	}
	least, most := slices.Min(d.advice), slices.Max(d.advice)
	if most-least < drainSpread/20 || most > drainSpread+backoff {
		d.t.Errorf("clients stay away for %v to %v; want them spread over %v", least, most, drainSpread)
	}
	d.t.Logf("clients stay away for %v to %v", least, most)
}

func refusesConnections(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

// A client that neither answers nor goes away does not keep a server from ending.
func TestShutdownDoesNotWaitForADeadPeer(t *testing.T) {
	h := open(t, server.Options{}, server.StateOptions{Identifier: "s"})
	p := proxyTo(t, h.addr)
	(&house{t: t, server: h.server, addr: p.addr}).join("dead", "s")
	for _, d := range []direction{upstream, downstream} {
		p.afflict(d, func() toxics.Toxic { return silence{} }, false)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	began := time.Now()
	if err := h.server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("shutdown took %v", time.Since(began).Round(time.Millisecond))
	if got := h.server.Stats().Connections; got != 0 {
		t.Errorf("%d connections are left", got)
	}
}
