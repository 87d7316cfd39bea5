package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// brief is a limit of time for those who take their time. Everybody else sends what he has in one piece.
const brief = 300 * time.Millisecond

// slownessAttacks are clients that take their time, and clients that do not read.
var slownessAttacks = []attack{
	{"HandshakeTimeout", "silence before the handshake", Options{HandshakeTimeout: brief}, dropped(nil)},
	{"HandshakeTimeout", "a handshake without its end", Options{HandshakeTimeout: brief}, dropped([]byte(strings.TrimSuffix(handshakeText, "\r\n")))},
	{"HandshakeTimeout", "a handshake of a byte now and then", Options{HandshakeTimeout: brief}, dripHandshake},
	{"HandshakeTimeout", "silence after the handshake", Options{HandshakeTimeout: brief}, thrownOutAtOnce(protocol.CodeHandshakeTimeout)},
	{"HandshakeTimeout", "pings instead of a hello", Options{HandshakeTimeout: brief}, thrownOutAtOnce(protocol.CodeHandshakeTimeout, fragment(0x89, "p"), fragment(0x8A, ""))},
	{"HandshakeTimeout", "100 silent connections", Options{HandshakeTimeout: brief}, silentCrowd},
	{"MessageTimeout", "a hello of a byte now and then", Options{MessageTimeout: brief}, dripHello},
	{"MessageTimeout", "a header and nothing more", Options{MessageTimeout: brief}, thrownOut(protocol.CodeMessageTimeout, []byte{0x81})},
	{"MessageTimeout", "a fragment and nothing more", Options{MessageTimeout: brief}, thrownOut(protocol.CodeMessageTimeout, fragment(0x01, "["))},
	{"MessageTimeout", "half a ping", Options{MessageTimeout: brief}, thrownOut(protocol.CodeMessageTimeout, fragment(0x89, "ping")[:8])},
	{"Heartbeat", "no pong", Options{Heartbeat: time.Second}, neverAnswer},
	{"InterceptTimeout", "a token that is checked slowly", Options{InterceptTimeout: brief}, checkedSlowly},
	{"InterceptTimeout", "a rule that does not decide", Options{InterceptTimeout: brief}, decidedNever},
	{"WriteTimeout", "a client that never reads", Options{WriteTimeout: brief}, neverRead},
	{"SendBuffer", "a client that never reads", Options{WriteTimeout: brief, Limits: Limits{SendBuffer: 8 << 10}}, neverRead},
	{"HistoryBytes", "a client that reads late", Options{Limits: Limits{HistoryBytes: 32 << 10}}, readLate},
	{"HistoryEntries", "a client that comes back late", Options{Limits: Limits{HistoryEntries: 4}}, comeBackLate},
	{"BatchBytes", "a client that has much to read", Options{Limits: Limits{BatchBytes: 4 << 10}}, readMuch},
	{"headers of a request", "more than 16 KiB", Options{}, manyHeaders},
}

// dropped is a connection that is cut without a word: it has not become a WebSocket.
func dropped(sent []byte) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := knock(t, a.StateSyncer)
		c.put(sent)
		if status := c.status(); strings.HasPrefix(status, "HTTP/1.1 101") {
			t.Errorf("got %s", status)
		}
		a.expectConnections(1)
	}
}

// expectConnections waits until so many are left, that of the witness included.
func (a *attacked) expectConnections(want int) {
	a.witness.Helper()
	deadline := time.Now().Add(patience)
	for a.Stats().Connections != want {
		if time.Now().After(deadline) {
			a.witness.Fatalf("%d connections are left, want %d", a.Stats().Connections, want)
		}
		time.Sleep(time.Millisecond)
	}
}

// drip sends a byte every few milliseconds until it cannot.
func drip(c *stranger, p []byte) (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := range p {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			if _, err := c.Write(p[i : i+1]); err != nil {
				return
			}
		}
	}()
	return func() { close(done); <-stopped }
}

func dripHandshake(t *testing.T, a *attacked) {
	c := knock(t, a.StateSyncer)
	defer drip(c, []byte(strings.TrimSuffix(handshakeText, "\r\n")+"X: "+strings.Repeat("x", 10_000)))()
	if status := c.status(); strings.HasPrefix(status, "HTTP/1.1 101") {
		t.Errorf("got %s", status)
	}
}

func dripHello(t *testing.T, a *attacked) {
	c := enter(t, a.StateSyncer)
	stop := drip(c, text(`["hello",`+strings.Repeat(" ", 10_000)+`"0123456789abcdef","a",{}]`))
	c.expectEnd(protocol.CodeMessageTimeout)
	stop()
}

func silentCrowd(t *testing.T, a *attacked) {
	var all []*stranger
	for range 100 {
		all = append(all, enter(t, a.StateSyncer))
	}
	for _, c := range all {
		c.expectEnd(protocol.CodeHandshakeTimeout)
	}
	a.expectConnections(1)
}

// neverAnswer is a client that answers no ping. The witness answers, until the bell rings.
func neverAnswer(t *testing.T, a *attacked) {
	c := a.attacker(t, "own")
	rung := make(chan error, 1)
	go func() {
		message, err := a.witness.message()
		if err == nil && !matches(message, `["entries",2,…`) {
			err = errors.New(message)
		}
		rung <- err
	}()
	pings := 0
	for end := false; !end; {
		first, payload, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		pings += strings.Count(string(payload), `["ping"]`)
		end = strings.Contains(string(payload), `["bye",4001,"nothing was heard for `)
		if first == 0x88 {
			t.Fatalf("got close %q", payload)
		}
	}
	if first, payload, err := c.next(); first != 0x88 || len(payload) < 2 || binary.BigEndian.Uint16(payload) != 4001 || pings == 0 {
		t.Errorf("got %x %q, %v after %d pings", first, payload, err, pings)
	}
	if _, err := a.UpdateStateValue(t.Context(), "bell", map[string]any{"rings": true}); err != nil {
		t.Error(err)
	}
	if err := <-rung; err != nil {
		t.Errorf("the witness got %v", err)
	}
}

// checkedSlowly is a client whose token nobody decides about. The witness was let in before.
func checkedSlowly(t *testing.T, a *attacked) {
	a.UseAuthorizationMiddleware(func(r *http.Request) (any, error) {
		<-r.Context().Done()
		return nil, nil
	})
	enter(t, a.StateSyncer, text(rawHello)).expectEnd(protocol.CodeOverloaded)
	a.UseAuthorizationMiddleware(nil)
}

func decidedNever(t *testing.T, a *attacked) {
	c := a.attacker(t, "gated")
	c.say(`["merge",1,1,0,{"a":1}]`)
	c.expectRefusal(1, protocol.CodeInterceptTimeout)
}

// neverRead is ten clients that read nothing of a state that changes all the time. What the server has given to the
// kernel for them is bounded, and they are given up.
func neverRead(t *testing.T, a *attacked) {
	const clients = 10
	for i := range clients {
		c := knock(t, a.StateSyncer)
		if err := c.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		c.put([]byte(handshakeText), text(fmt.Sprintf(`["hello","%s","a",{}]`, sessionNamed(fmt.Sprint(i))), `["join",1,"own"]`))
	}
	a.expectConnections(1 + clients)
	before := a.Stats().BytesOut
	value := strings.Repeat("x", 50_000)
	for i := 0; a.Stats().Connections > 1; i++ {
		if _, err := a.UpdateStateValue(t.Context(), "own", map[string]any{"p": fmt.Sprint(i, value)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // so that the kernel is given all that it takes
	}
	most := uint64(clients * (2*a.options.Limits.SendBuffer + 4*a.options.Limits.BatchBytes + 200_000))
	if taken := a.Stats().BytesOut - before; taken > most {
		t.Errorf("%d bytes were written for those who read nothing, want at most %d", taken, most)
	}
}

// readLate is a client that reads when the history has passed it by: one jump takes it to the current value.
func readLate(t *testing.T, a *attacked) {
	c := knock(t, a.StateSyncer)
	if err := c.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	c.put([]byte(handshakeText), text(rawHello, `["join",1,"own"]`))
	a.expectConnections(2)
	const versions = 2000
	for i := range versions {
		if _, err := a.UpdateStateValue(t.Context(), "own", map[string]any{"p": fmt.Sprint(i, strings.Repeat("x", 2000))}); err != nil {
			t.Fatal(err)
		}
	}
	if status := c.status(); status != "HTTP/1.1 101 Switching Protocols" {
		t.Fatal(status)
	}
	jumps, size := 0, 0
	for message := ""; ; {
		var err error
		if message, err = c.message(); err != nil {
			t.Fatal(err)
		}
		size += len(message)
		if matches(message, `["snapshot",1,…`) || matches(message, `["catchup",1,…`) {
			jumps++
		}
		if strings.Contains(message, fmt.Sprintf(`"%dxxx`, versions-1)) {
			break
		}
	}
	if jumps == 0 || size > versions*1000 {
		t.Errorf("got %d bytes in %d jumps", size, jumps)
	}
}

// comeBackLate is a client whose version is not in the history any more when it comes back.
func comeBackLate(t *testing.T, a *attacked) {
	c := a.attacker(t, "own")
	_ = c.Close()
	for i := range 20 {
		if _, err := a.UpdateStateValue(t.Context(), "own", map[string]any{"p": i}); err != nil {
			t.Fatal(err)
		}
	}
	epoch := a.state("own").epoch
	c = enter(t, a.StateSyncer, text(fmt.Sprintf(`["hello","%s","attacker",{}]`, sessionNamed("attacker")), `["join",1,"own","`+epoch+`",0,0]`))
	c.hear(`["welcome",…`)
	c.hear(`["joined",1,"` + epoch + `",0,0]`)
	c.hear(`["snapshot",1,20,{"p":19},0,[]]`)
}

// readMuch is a client for which many small entries wait: they come in frames that are bounded.
func readMuch(t *testing.T, a *attacked) {
	c := a.attacker(t, "own")
	for i := range 3000 {
		if _, err := a.UpdateStateValue(t.Context(), "own", map[string]any{"p": i, "q": strings.Repeat("y", 100)}); err != nil {
			t.Fatal(err)
		}
	}
	for message := ""; !strings.Contains(message, `["p"],2999]`); {
		var err error
		if message, err = c.message(); err != nil {
			t.Fatal(err)
		}
	}
	if most := a.options.Limits.BatchBytes + 500; c.largest > most {
		t.Errorf("a frame of %d bytes came, want at most %d", c.largest, most)
	}
}

func manyHeaders(t *testing.T, a *attacked) {
	c := knock(t, a.StateSyncer)
	c.put([]byte(strings.TrimSuffix(handshakeText, "\r\n") + "X: " + strings.Repeat("x", 32<<10) + "\r\n\r\n"))
	if got, want := c.status(), "HTTP/1.1 431 Request Header Fields Too Large"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
