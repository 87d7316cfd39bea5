//go:build !js

package jointtest

import (
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// silence swallows everything, also that the sender has closed: as a machine that lost its power, or its network.
type silence struct{}

func (silence) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				<-stub.Interrupt
				return
			}
		}
	}
}

// Cleanup closes what has lost bytes.
func (silence) Cleanup(stub *toxics.ToxicStub) { stub.Close() }

// A peer that is gone without a word is noticed within two heartbeats by each side, wherever the silence is. The server
// looks eight times a heartbeat, and then waits a second for the client to say goodbye as well; the rest of what is
// allowed here is for a machine that is busy, and the figures are printed. Tests in virtual time hold the exact ones:
// TestSilentClientIsPingedAndGivenUp in server, TestASilentServerIsGivenUp in wasmclient.
func TestADeadPeerIsNoticedWithinTwoHeartbeats(t *testing.T) {
	const heartbeat = 400 * time.Millisecond
	const goodbye, busy = time.Second, 2 * time.Second
	const allowed = 2*heartbeat + heartbeat/8 + goodbye + busy
	for _, test := range []struct {
		name string
		on   []direction
	}{
		{"the client is not heard", []direction{upstream}},
		{"the server is not heard", []direction{downstream}},
		{"neither is heard", []direction{upstream, downstream}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t, server.Options{Heartbeat: heartbeat}, server.StateOptions{Identifier: "s"})
			p := proxyTo(t, h.addr)
			client := (&house{t: t, server: h.server, addr: p.addr}).client("ada")
			s, err := client.ConnectToState(within(t), "s")
			if err != nil {
				t.Fatal(err)
			}
			p.deaf() // only this one connection
			for _, d := range test.on {
				p.afflict(d, func() toxics.Toxic { return silence{} }, false)
			}
			began := time.Now()
			var client0, server0 time.Duration
			await(t, "both sides to notice", func() bool {
				if took := time.Since(began); client0 == 0 && client.Status().Phase != wasmclient.Connected {
					client0 = took
				} else if server0 == 0 && h.server.Stats().Connections == 0 {
					server0 = took
				}
				return client0 != 0 && server0 != 0
			})
			t.Logf("with a heartbeat of %v the client noticed after %v, the server after %v", heartbeat,
				client0.Round(time.Millisecond), server0.Round(time.Millisecond))
			if max(client0, server0) > allowed {
				t.Errorf("the client noticed after %v, the server after %v; allowed are %v", client0, server0, allowed)
			}
			p.down()
			p.up()
			if _, err := s.UpdateState(within(t), map[string]any{"back": true}); err != nil {
				t.Error(err)
			}
			h.settle("s", s)
		})
	}
}

// A peer that answers is not given up, however slow the way to it is, as long as that is less than a heartbeat.
func TestASlowPeerIsNotGivenUp(t *testing.T) {
	h := open(t, server.Options{Heartbeat: 2 * time.Second}, server.StateOptions{Identifier: "s", InitialValue: map[string]any{"n": 0}})
	p := proxyTo(t, h.addr)
	s := (&house{t: t, server: h.server, addr: p.addr}).join("ada", "s")
	for _, d := range []direction{upstream, downstream} {
		p.afflict(d, func() toxics.Toxic { return &toxics.LatencyToxic{Latency: 100, Jitter: 50} }, false)
	}
	began := time.Now()
	for range 8 {
		if _, err := s.Increment(within(t), "n", 1); err != nil {
			t.Fatal(err)
		}
	}
	if took, least := time.Since(began), 8*2*50*time.Millisecond; took < least {
		t.Errorf("8 changes took %v through a network that needs %v for them", took, least)
	}
	if made := p.made.Load(); made != 1 {
		t.Errorf("%d connections were made", made)
	}
	h.settle("s", s)
}
