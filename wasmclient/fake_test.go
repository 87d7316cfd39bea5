package wasmclient_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/pipe"
	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent")) // the js runtime's own
}

// fake is a server whose part the test plays, message by message.
type fake struct {
	sessions int
	t        *testing.T
	dials    chan *peer
	tokens   []string
	refusal  atomic.Pointer[error] // of the next dials
}

// peer is the server's end of one connection.
type peer struct {
	t       *testing.T
	conn    transport.Conn
	waiting []protocol.ClientMessage
}

func newFake(t *testing.T) *fake { return &fake{t: t, dials: make(chan *peer, 16)} }

func (f *fake) dial(_ context.Context, _, token string) (transport.Conn, error) {
	f.tokens = append(f.tokens, token)
	if refusal := f.refusal.Load(); refusal != nil {
		return nil, *refusal
	}
	client, server := pipe.New(pipe.Options{})
	f.dials <- &peer{t: f.t, conn: server}
	return client, nil
}

func (f *fake) refuse(err error) { f.refusal.Store(&err) }

// client returns a client of the fake that is closed at the end of the test.
func (f *fake) client(opts ...wasmclient.Option) *wasmclient.Client {
	f.t.Helper()
	client, err := wasmclient.New("ws://fake", "ada", "secret", append(opts, wasmclient.WithDial(f.dial))...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { client.Close() })
	return client
}

// accept waits for the next connection and welcomes it in the session, or in a new one that has forgotten everything.
func (f *fake) accept(resumed bool) *peer {
	f.t.Helper()
	p := <-f.dials
	f.t.Cleanup(p.conn.Abort)
	if hello, ok := p.next().(protocol.Hello); !ok || hello.ClientIdentifier != "ada" {
		f.t.Fatalf("the first message is %#v, want the hello of ada", hello)
	}
	if !resumed {
		f.sessions++
	}
	p.send(protocol.Welcome{Epoch: "s" + strconv.Itoa(f.sessions), Heartbeat: 15_000, Window: 512, WindowBytes: 4 << 20, MaxMessage: 1 << 20})
	return p
}

// next returns the next message of the client.
func (p *peer) next() protocol.ClientMessage {
	p.t.Helper()
	for len(p.waiting) == 0 {
		frame, err := p.conn.Read(context.Background())
		if err != nil {
			p.t.Fatal(err)
		}
		err = protocol.DecodeClient(frame, protocol.Limits{}, func(m protocol.ClientMessage) error {
			p.waiting = append(p.waiting, m)
			return nil
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	m := p.waiting[0]
	p.waiting = p.waiting[1:]
	return m
}

// expect checks the next message's JSON text.
func (p *peer) expect(want string) {
	p.t.Helper()
	if got := string(p.next().Append(nil)); got != want {
		p.t.Fatalf("the client sent %s, want %s", got, want)
	}
}

// send sends the messages in one frame.
func (p *peer) send(messages ...protocol.ServerMessage) {
	p.t.Helper()
	var frame []byte
	for i, m := range messages {
		if i > 0 {
			frame = append(frame, '\n')
		}
		frame = m.Append(frame)
	}
	if err := p.conn.Write(context.Background(), frame); err != nil {
		p.t.Fatal(err)
	}
}

// admit answers the next join with a value at version 1.
func (p *peer) admit(value string) {
	p.t.Helper()
	join, ok := p.next().(protocol.Join)
	if !ok {
		p.t.Fatalf("the client sent %#v, want a join", join)
	}
	p.send(protocol.Joined{N: join.N, Epoch: "e", Version: 1, Value: parse(p.t, value)})
}

// remote sends changes of others, each a merge of one property.
func (p *peer) remote(version uint64, name string, values ...any) {
	p.t.Helper()
	entries := protocol.Entries{N: 1, Version: version}
	for _, value := range values {
		entries.Ops = append(entries.Ops, []document.Op{{
			Kind: document.Add, Path: document.Path{document.Key(name)}, Value: document.MustOf(value),
		}})
	}
	p.send(entries)
}

func parse(t *testing.T, text string) document.Value {
	t.Helper()
	v, err := document.Parse([]byte(text), document.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scene is a client connected to one state of a fake server.
type scene struct {
	*fake
	client *wasmclient.Client
	server *peer
	state  *wasmclient.State
}

// play runs the test in a bubble of fake time, in which a client is connected to the state "chat".
func play(t *testing.T, value string, test func(t *testing.T, s scene), opts ...wasmclient.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := scene{fake: newFake(t)}
		s.client = s.fake.client(opts...)
		s.server = s.accept(false)
		connected := make(chan error, 1)
		go func() {
			var err error
			s.state, err = s.client.ConnectToState(context.Background(), "chat")
			connected <- err
		}()
		s.server.admit(value)
		if err := <-connected; err != nil {
			t.Fatal(err)
		}
		test(t, s)
		s.client.Close()
	})
}

// view checks what the client sees.
func (s scene) view(want string) {
	s.t.Helper()
	if got := s.state.GetState().String(); got != want {
		s.t.Errorf("the view is %s, want %s", got, want)
	}
}

// verdict is what a method that makes a change returned.
type verdict struct {
	version uint64
	err     error
}

// later runs what waits for a verdict in a goroutine and returns what it will return.
func later(change func() (uint64, error)) chan verdict {
	done := make(chan verdict, 1)
	go func() {
		version, err := change()
		done <- verdict{version, err}
	}()
	return done
}

// told collects what listeners and such are told.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (l *told) add(words ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.Join(words, " "))
}

// take waits until nothing moves any more, and returns all that was told since the last time.
func (l *told) take() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// want checks all that was told since the last check.
func (l *told) want(t *testing.T, lines ...string) {
	t.Helper()
	if got, want := strings.Join(l.take(), "\n"), strings.Join(lines, "\n"); got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}

// refuse is a dial that always fails with what the function returns.
func refuse(why func(endpoint, token string) error) func(context.Context, string, string) (transport.Conn, error) {
	return func(_ context.Context, endpoint, token string) (transport.Conn, error) {
		return nil, why(endpoint, token)
	}
}
