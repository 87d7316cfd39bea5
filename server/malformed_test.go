package server

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

var (
	malformedSeed   = flag.Uint64("malformed.seed", 0, "send the malformed frames of this seed alone")
	malformedFrames = flag.Uint64("malformed.frames", 20_000, "how many malformed and well-formed frames the server must judge")
)

const (
	malformedAtOnce  = 8   // connections
	malformedRound   = 500 // connections, until the witness is asked
	malformedMessage = 64 << 10
)

// TestServerSurvivesMalformedFrames sends frames that are drawn at random, one seed to a connection: headers and lengths
// that cannot be, broken text, control frames where none may be, streams that end anywhere, and messages of the
// protocol that were damaged. A referee that knows the whole stream says how each connection must end. Nothing
// panics, nothing is left, and another client goes on.
//
// A failing seed is printed; go test ./server -run TestServerSurvivesMalformedFrames -malformed.seed=N sends it again.
func TestServerSurvivesMalformedFrames(t *testing.T) {
	s := listen(t, Options{
		Logger: slog.New(&alarm{Handler: discard.Handler(), t: t}),
		Limits: Limits{Message: malformedMessage, Fragments: 16, Sessions: 100, State: 100_000},
	})
	for _, identifier := range []string{"kept", "own"} {
		if _, err := s.CreateState(StateOptions{Identifier: identifier, InitialValue: map[string]any{"l": []any{1, 2, 3}, "n": 0}}); err != nil {
			t.Fatal(err)
		}
	}
	if *malformedSeed != 0 {
		sendMalformed(t, s, *malformedSeed)
		return
	}
	witness := introduced(t, s, "witness", "kept")
	var frames atomic.Uint64
	ends := endings{by: map[string]int{}}
	first := rand.Uint64()>>1 | 1
	seed := first
	for version := 1; frames.Load() < *malformedFrames && !t.Failed(); version++ {
		var all sync.WaitGroup
		var next atomic.Uint64
		for range malformedAtOnce {
			all.Go(func() {
				for i := next.Add(1); i <= malformedRound && !t.Failed(); i = next.Add(1) {
					judged, end := sendMalformed(t, s, seed+i)
					frames.Add(uint64(judged))
					ends.count(end)
				}
			})
		}
		all.Wait()
		seed += malformedRound
		witness.goesOn(t, s, version)
	}
	ends.check(t, frames.Load())
	t.Logf("%d frames on %d connections, seeds %d to %d: %v", frames.Load(), seed-first, first+1, seed, ends.by)
	own, _ := s.GetValueOfState("own")
	if again, err := document.Parse([]byte(own.String()), document.Limits{}); err != nil || !again.Equal(own) || own.Size() > 100_000 {
		t.Errorf("the state that was written to is %.200s: %v", own, err)
	}
}

// goesOn changes the state that the client follows, and reads that.
func (c *stranger) goesOn(t *testing.T, s *StateSyncer, version int) {
	t.Helper()
	if err := c.SetDeadline(deadline()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateStateValue(t.Context(), "kept", map[string]any{"round": version}); err != nil {
		t.Fatal(err)
	}
	c.hear(fmt.Sprintf(`["entries",1,%d,[["add",["round"],%d]]]`, version, version))
}

// alarm fails the test when the server reports an error of its own.
type alarm struct {
	slog.Handler
	t *testing.T
}

// Enabled implements slog.Handler.
func (a *alarm) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle implements slog.Handler.
func (a *alarm) Handle(_ context.Context, record slog.Record) error {
	a.t.Errorf("the server reports: %s", record.Message)
	return nil
}

// endings count how connections have ended. Many that never end in some way test less than they say.
type endings struct {
	mu sync.Mutex
	by map[string]int
}

func (e *endings) count(end string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.by[end]++
}

func (e *endings) check(t *testing.T, frames uint64) {
	t.Helper()
	for _, end := range []string{"lost", "1000", "4103", "4104", "4108", "4109"} {
		if frames >= 10_000 && e.by[end] == 0 {
			t.Errorf("no connection has ended with %s", end)
		}
	}
}

// sendMalformed sends the stream of a seed on a connection, and compares what comes back. It returns how many frames were
// judged, and how the connection ended.
func sendMalformed(t *testing.T, s *StateSyncer, seed uint64) (judged int, end string) {
	r := rand.New(rand.NewPCG(seed, 6455))
	d := &drawn{r: r}
	var want ruling
	if r.IntN(3) > 0 {
		d.frames()
		want = referee(d.stream)
	} else {
		want = d.messages()
	}
	session := fmt.Sprintf("seed%020d", seed)
	greeting := text(fmt.Sprintf(`["hello","%s","a",{}]`, session), `["join",1,"own"]`)
	c := enter(t, s, greeting)
	defer func() {
		_ = c.SetLinger(0) // so that a million connections do not use up the ports
		_ = c.Close()
	}()
	for rest := d.stream; len(rest) > 0; {
		n := 1 + r.IntN(len(rest))
		c.put(rest[:n])
		rest = rest[n:]
	}
	_ = c.CloseWrite()
	got := c.watch()
	if err := want.differs(got); err != nil {
		t.Errorf("%v\nsent %.400q\nreplay: go test ./server -run TestServerSurvivesMalformedFrames -malformed.seed=%d", err, d.stream, seed)
	}
	if want.end == "" && got.end != "1000" {
		return 1, got.end // it is not known which of them was the last
	}
	return want.frames, got.end
}

// sight is what a client saw of a connection to its end.
type sight struct {
	end    string    // "lost", or the code of the close frame
	closed *closedBy // nil where it was lost
	bye    string    // the last message
	pongs  []string
	err    error // what the server may not do
}

func (c *stranger) watch() (o sight) {
	for {
		first, payload, err := c.next()
		switch {
		case err != nil:
			if o.end = "lost"; !isLost(err) {
				o.err = err
			}
			return o
		case first == 0x81:
			lines := strings.Split(string(payload), "\n")
			o.bye = lines[len(lines)-1]
		case first == 0x8A:
			o.pongs = append(o.pongs, string(payload))
		case first == 0x88 && len(payload) == 0:
			o.end = "1005"
			return o
		case first == 0x88 && len(payload) >= 2:
			o.closed = &closedBy{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
			o.end = fmt.Sprint(o.closed.code)
			return o
		default:
			o.err = fmt.Errorf("the server sent %#x with %.100q", first, payload)
			return o
		}
	}
}

// isLost reports whether the connection ended, and was not just silent.
func isLost(err error) bool {
	return err == io.EOF || strings.Contains(err.Error(), "connection reset by peer")
}

// ruling is what must come of a stream.
type ruling struct {
	frames  int      // that are judged
	end     string   // empty: "1000", or a code of ours that ends a connection
	closed  bool     // the client closed
	message bool     // it ends because of a message: the server still reads until it has said so
	or      string   // so it may also end like this, by what the client did behind that message
	pongs   []string // in this order; where the connection is lost, at least their beginning
}

// differs returns what is wrong with the sight.
func (v ruling) differs(got sight) error {
	if got.err != nil {
		return got.err
	}
	if v.end == "" {
		return oneOfOurs(got)
	}
	if got.end == v.end && !v.closed && v.end != "lost" { // the server closed, and said why
		if err := checkBye(got.bye, got.closed); err != nil {
			return err
		}
	}
	if got.end != v.end && (v.or == "" || got.end != v.or) {
		return fmt.Errorf("the connection ended with %s after %q, want %s", got.end, got.bye, v.end)
	}
	common := min(len(got.pongs), len(v.pongs))
	fewer, more := got.end == "lost", v.message
	if !slices.Equal(got.pongs[:common], v.pongs[:common]) || len(got.pongs) < len(v.pongs) && !fewer || len(got.pongs) > len(v.pongs) && !more {
		return fmt.Errorf("the pongs were %q, want %q", got.pongs, v.pongs)
	}
	return nil
}

// oneOfOurs accepts the codes by which the server may end a connection because of a message.
func oneOfOurs(got sight) error {
	switch {
	case got.closed == nil:
		return errors.New("the connection was lost")
	case got.closed.code == 1000: // the client has closed
		return nil
	case protocol.Code(got.closed.code).Class() != protocol.GiveUp:
		return fmt.Errorf("the connection ended with %d", got.closed.code)
	}
	return checkBye(got.bye, got.closed)
}
