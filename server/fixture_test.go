package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeClock is time that the test moves, in one goroutine.
type fakeClock struct {
	now    time.Time
	timers []*fakeTimer
}

type fakeTimer struct {
	at   time.Time
	call func()
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Unix(1_700_000_000, 0)} }

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	timer := &fakeTimer{at: c.now.Add(d), call: f}
	c.timers = append(c.timers, timer)
	return func() {
		c.timers = slices.DeleteFunc(c.timers, func(t *fakeTimer) bool { return t == timer })
	}
}

// advance moves the time, and calls what falls due in order.
func (c *fakeClock) advance(d time.Duration) {
	end := c.now.Add(d)
	for {
		i := -1
		for j, timer := range c.timers {
			if !timer.at.After(end) && (i < 0 || timer.at.Before(c.timers[i].at)) {
				i = j
			}
		}
		if i < 0 {
			break
		}
		timer := c.timers[i]
		c.timers = slices.Delete(c.timers, i, i+1)
		c.now = timer.at
		timer.call()
	}
	c.now = end
}

// fixture is a server that a test drives in one goroutine: callbacks run inline, time and randomness are the test's.
type fixture struct {
	testing.TB
	*StateSyncer
	clock *fakeClock
}

var discard = slog.New(slog.NewTextHandler(io.Discard, nil))

func newFixture(t testing.TB, options Options) *fixture {
	t.Helper()
	clock, given := options.clock.(*fakeClock)
	if !given {
		clock = newFakeClock()
		options.clock, options.random = clock, rand.NewChaCha8([32]byte{1})
	}
	options.InterceptTimeout = -1
	if options.Logger == nil {
		options.Logger = discard
	}
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, state := range s.allStates() {
			checkState(t, state)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t, s, clock}
}

// checkState holds the invariants that are true of every state at rest.
func checkState(t testing.TB, s *state) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.committed != s.history.next-1 && s.inMemory {
		t.Errorf("state %s: committed %d of %d", s.identifier, s.committed, s.history.next-1)
	}
	if s.failed && (!s.applied.Equal(s.value) || len(s.pending) > 0) {
		t.Errorf("state %s: something that the log could not keep is still applied", s.identifier)
	}
	entries, bytes := 0, 0
	for i, segment := range s.history.segments {
		if i > 0 && segment.first != s.history.segments[i-1].last()+1 {
			t.Errorf("state %s: a gap in the history before %d", s.identifier, segment.first)
		}
		entries += len(segment.ends)
		bytes += len(segment.text)
	}
	if entries != s.history.entries || bytes != s.history.bytes {
		t.Errorf("state %s: the history counts %d, %d; got %d, %d", s.identifier, s.history.entries, s.history.bytes, entries, bytes)
	}
	for i, sub := range s.parked {
		if sub.place != i+1 || sub.over {
			t.Errorf("state %s: parked subscription %d has place %d, over %v", s.identifier, i, sub.place, sub.over)
		}
	}
	members := 0
	for _, r := range s.records {
		if r.member {
			members++
		}
	}
	if members != s.members {
		t.Errorf("state %s: %d members, counted %d", s.identifier, members, s.members)
	}
}

func (f *fixture) create(options StateOptions) string {
	f.Helper()
	identifier, err := f.CreateState(options)
	if err != nil {
		f.Fatal(err)
	}
	return identifier
}

func (f *fixture) value(identifier string) string {
	f.Helper()
	value, ok := f.GetValueOfState(identifier)
	if !ok {
		f.Fatalf("state %s: not there", identifier)
	}
	return value.String()
}

func (f *fixture) update(identifier string, updates any) uint64 {
	f.Helper()
	version, err := f.UpdateStateValue(context.Background(), identifier, updates)
	if err != nil {
		f.Fatal(err)
	}
	return version
}

// wire is one end of a connection whose other end is the server, with frames and nothing else.
type wire struct {
	testing.TB
	peer  *peer
	woken atomic.Bool

	welcome string // how the welcome begins when the session is resumed
}

// dial connects without saying anything.
func (f *fixture) dial(clientInformation any) *wire {
	w := &wire{TB: f}
	w.peer = f.connect(clientInformation, func() { w.woken.Store(true) })
	w.peer.owner = ownerOf(clientInformation)
	f.Cleanup(w.peer.disconnect)
	return w
}

// session returns a session id for a short name.
func sessionNamed(name string) string { return name + strings.Repeat("-", protocol.MinSession) }

// welcomeOf returns how the welcome to a known session begins, and nothing that a welcome begins with for another one.
func (f *fixture) welcomeOf(session string) string {
	known := f.sessions.byID[session]
	if known == nil {
		return "no such session"
	}
	return fmt.Sprintf(`["welcome","%s",`, known.epoch)
}

// client connects and says hello.
func (f *fixture) client(name string) *wire {
	f.Helper()
	w := f.dial(nil)
	w.send(fmt.Sprintf(`["hello","%s","%s",{}]`, sessionNamed(name), name))
	if got := w.recv(); len(got) != 1 || !strings.HasPrefix(got[0], `["welcome"`) {
		f.Fatalf("hello of %s: got %q", name, got)
	}
	return w
}

// joined connects, says hello and joins a state as number 1.
func (f *fixture) joined(name, identifier string) *wire {
	f.Helper()
	w := f.client(name)
	w.send(fmt.Sprintf(`["join",1,"%s"]`, identifier))
	if got := w.recv(); len(got) != 1 || !strings.HasPrefix(got[0], `["joined"`) {
		f.Fatalf("join of %s: got %q", name, got)
	}
	return w
}

// send delivers one frame of the given messages.
func (w *wire) send(messages ...string) { w.peer.receive([]byte(strings.Join(messages, "\n"))) }

// recv takes everything that waits, as messages.
func (w *wire) recv() (messages []string) {
	for {
		frame := w.peer.take(nil, 64<<10)
		if len(frame) == 0 {
			w.woken.Store(false)
			return messages
		}
		if !w.woken.Load() {
			w.Error("something waits, and wake was not called")
		}
		for line := range strings.SplitSeq(string(frame), "\n") {
			if err := protocol.DecodeServer([]byte(line), protocol.Limits{}, func(protocol.ServerMessage) error { return nil }); err != nil {
				w.Errorf("the server sent %s: %v", line, err)
			}
			messages = append(messages, line)
		}
	}
}

// expect takes everything that waits and compares. A wanted message that ends in … is only a beginning: reasons that
// other packages word.
func (w *wire) expect(want ...string) {
	w.Helper()
	got := w.recv()
	if !slices.EqualFunc(got, want, matches) {
		w.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func matches(got, want string) bool {
	beginning, open := strings.CutSuffix(want, "…")
	return got == want || open && strings.HasPrefix(got, beginning)
}

// expectBye expects the connection to end with the code.
func (w *wire) expectBye(code protocol.Code, reason string) {
	w.Helper()
	got := w.recv()
	want := string(protocol.Bye{Code: code, Reason: reason}.Append(nil))
	if len(got) == 0 || got[len(got)-1] != want {
		w.Errorf("got %q, want %s", got, want)
	}
}

func patchOf(t testing.TB, text string) []document.PatchOp {
	t.Helper()
	patch, err := document.ParsePatch([]byte(text), document.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return patch
}

// locked is a writer for several goroutines.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func contextWith(r *http.Request, local net.Addr) context.Context {
	return context.WithValue(r.Context(), http.LocalAddrContextKey, local)
}

// interceptWith notes the clientInformation of every change.
func interceptWith(seen *[]any) func(context.Context, *Update) error {
	return func(_ context.Context, u *Update) error {
		*seen = append(*seen, u.ClientInformation())
		return nil
	}
}
