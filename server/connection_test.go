package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/pipe"
	"github.com/server-state-sync/server-state-sync/internal/transport"
)

// piped connects to the server through memory: everything but HTTP is as over a socket.
func (f *fixture) piped(options pipe.Options) transport.Conn {
	client, server := pipe.New(options)
	f.take(server)
	return client
}

// take serves a connection as after a handshake.
func (f *fixture) take(server transport.Conn) {
	place, refusal := f.begin()
	if place == nil {
		server.Abort()
		return
	}
	f.serve(server, visitor{place: place, refusal: refusal})
}

// frames reads until the connection ends, and returns its messages and how it ended.
func readAll(conn transport.Conn) (messages []string, err error) {
	for {
		frame, err := conn.Read(context.Background())
		if err != nil {
			return messages, err
		}
		messages = append(messages, strings.Split(string(frame), "\n")...)
	}
}

func write(t *testing.T, conn transport.Conn, messages ...string) {
	t.Helper()
	if err := conn.Write(t.Context(), []byte(strings.Join(messages, "\n"))); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, conn transport.Conn, want string) {
	t.Helper()
	frame, err := conn.Read(t.Context())
	if err != nil || !matches(string(frame), want) {
		t.Errorf("got %s, %v; want %s", frame, err, want)
	}
}

const rawHello = `["hello","0123456789abcdef","a",{}]`

// ends expects a bye, and the close with its code.
func ends(t *testing.T, conn transport.Conn, code int, want string) {
	t.Helper()
	messages, err := readAll(conn)
	if len(messages) == 0 || !matches(messages[len(messages)-1], want) {
		t.Errorf("got %q, want %s", messages, want)
	}
	var closed *transport.CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		t.Errorf("got %v, want close %d", err, code)
	}
	conn.Abort()
}

func TestConnectionThatSaysNothingIsClosed(t *testing.T) {
	timed(t, Options{HandshakeTimeout: 10 * time.Second}, func(t *testing.T, f *fixture) {
		start := time.Now()
		ends(t, f.piped(pipe.Options{}), 4004, `["bye",4004,"no message came within 10s",0]`)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSilentClientIsPingedAndGivenUp(t *testing.T) {
	timed(t, Options{Heartbeat: 16 * time.Second}, func(t *testing.T, f *fixture) {
		conn := f.piped(pipe.Options{})
		write(t, conn, rawHello)
		read(t, conn, `["welcome",…`)
		start := time.Now()
		for i := range 5 {
			read(t, conn, `["ping"]`)
			if got, want := time.Since(start), time.Duration(i+1)*16*time.Second; got < want || got > want+4*time.Second {
				t.Errorf("ping %d came after %v", i, got)
			}
			write(t, conn, `["pong"]`)
		}
		start = time.Now()
		ends(t, conn, 4001, `["bye",4001,"nothing was heard for …`)
		if got := time.Since(start); got < 32*time.Second || got > 36*time.Second {
			t.Errorf("it was given up after %v", got)
		}
	})
}

func TestClientThatOnlyListensIsPingedThoughItIsSentALot(t *testing.T) {
	timed(t, Options{Heartbeat: 16 * time.Second}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s"})
		conn := f.piped(pipe.Options{})
		write(t, conn, rawHello, `["join",1,"s"]`)
		pings := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				frame, err := conn.Read(context.Background())
				if err != nil {
					return
				}
				for range strings.Count(string(frame), `["ping"]`) {
					pings++
					write(t, conn, `["pong"]`)
				}
			}
		}()
		for i := range 120 {
			time.Sleep(time.Second)
			f.update("s", map[string]any{"n": i})
		}
		conn.Abort()
		<-done
		if pings < 5 || pings > 8 {
			t.Errorf("%d pings in 2 minutes", pings)
		}
	})
}

func TestClientThatDoesNotReadIsGivenUpAndDelaysNobody(t *testing.T) {
	timed(t, Options{Limits: Limits{HistoryBytes: 64 << 10}}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s"})
		client, server := pipe.New(pipe.Options{Buffer: 4 << 10, WriteTimeout: 10 * time.Second})
		f.take(server)
		write(t, client, rawHello, `["join",1,"s"]`)
		quick := f.joined("quick", "s")
		start := time.Now()
		for i := range 2000 {
			f.update("s", map[string]any{fmt.Sprint("p", i%5): strings.Repeat("x", 500)})
			quick.recv()
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the others waited %v", waited)
		}
		if got := f.Stats().Connections; got != 2 {
			t.Errorf("%d connections", got)
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if got := f.Stats().Connections; got != 1 {
			t.Errorf("%d connections are left", got)
		}
		client.Abort()
	})
}

func TestSlowClientCatchesUp(t *testing.T) {
	timed(t, Options{Limits: Limits{HistoryBytes: 64 << 10}}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s"})
		conn := f.piped(pipe.Options{Buffer: 4 << 10})
		write(t, conn, rawHello, `["join",1,"s"]`)
		synctest.Wait()
		for i := range 2000 {
			f.update("s", map[string]any{fmt.Sprint("p", i%5): fmt.Sprint(i, strings.Repeat("x", 500))})
		}
		size, last := 0, ""
		for !strings.Contains(last, ",2000,") && !strings.Contains(last, `["catchup"`) {
			frame, err := conn.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			size += len(frame)
			last = string(frame[strings.LastIndex(string(frame), "\n")+1:])
		}
		if !matches(last, `["snapshot",1,2000,{"p0":"1995xxx…`) || size > 256<<10 {
			t.Errorf("after %d bytes got %.100s", size, last)
		}
		conn.Abort()
	})
}

func TestWhatTheTransportFindsHasACode(t *testing.T) {
	timed(t, Options{}, func(t *testing.T, f *fixture) {
		conn := f.piped(pipe.Options{ReadLimit: 200})
		write(t, conn, rawHello)
		read(t, conn, `["welcome",…`)
		write(t, conn, strings.Repeat("x", 201))
		ends(t, conn, 4104, `["bye",4104,…`)
		conn = f.piped(pipe.Options{})
		write(t, conn, "\xff")
		ends(t, conn, 4109, `["bye",4109,…`)
	})
	for _, violation := range []transport.Violation{
		transport.FrameTooLarge, transport.FrameTooSlow, transport.TooManyFragments, transport.TooManyPings,
		transport.NotText, transport.InvalidUTF8, transport.ProtocolViolation,
	} {
		if violationCodes[violation] == 0 {
			t.Errorf("%s has no code", violation)
		}
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	timed(t, Options{Limits: Limits{Connections: 1}}, func(t *testing.T, f *fixture) {
		first := f.piped(pipe.Options{})
		second := f.piped(pipe.Options{})
		messages, err := readAll(second)
		var closed *transport.CloseError
		if len(messages) != 1 || !strings.HasPrefix(messages[0], `["bye",4003,"the server has as many connections as it may",`) ||
			strings.HasSuffix(messages[0], ",0]") || !errors.As(err, &closed) || closed.Code != 4003 {
			t.Errorf("got %q, %v", messages, err)
		}
		second.Abort()
		write(t, first, rawHello)
		read(t, first, `["welcome",…`)
		first.Abort()
		synctest.Wait()
		third := f.piped(pipe.Options{})
		write(t, third, rawHello)
		read(t, third, `["welcome",…`)
		third.Abort()
	})
}

func TestRateLimitsDelay(t *testing.T) {
	for name, limits := range map[string]Limits{
		"frames": {FramesPerSecond: 10, FrameBurst: 5},
		"bytes":  {BytesPerSecond: 400, Message: 200},
	} {
		timed(t, Options{Limits: limits}, func(t *testing.T, f *fixture) {
			f.create(StateOptions{Identifier: "s"})
			conn := f.piped(pipe.Options{Buffer: 1 << 20})
			write(t, conn, rawHello, `["join",1,"s"]`)
			synctest.Wait()
			read(t, conn, `["welcome",…`)
			for number := range 100 {
				write(t, conn, fmt.Sprintf(`["patch",1,%d,0,[["add",["p"],"xxxxxxxxxx"]]]`, number+1))
			}
			start := time.Now()
			for answered := 0; answered < 100; {
				frame, err := conn.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				answered += strings.Count(string(frame), `["accepted"`)
			}
			if took := time.Since(start); took < 8*time.Second || took > 12*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
			conn.Abort()
		})
	}
}

func TestShutdownAnswersWhatIsInFlight(t *testing.T) {
	timed(t, Options{DrainSpread: time.Minute}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(ctx context.Context, _ *Update) error {
			time.Sleep(time.Second)
			return ctx.Err()
		}})
		conn := f.piped(pipe.Options{})
		write(t, conn, rawHello, `["join",1,"s"]`)
		synctest.Wait()
		write(t, conn, `["merge",1,1,0,{"a":1}]`, `["merge",1,2,0,{"a":2}]`)
		synctest.Wait()
		own, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{"own": 1}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		done := make(chan error, 1)
		start := time.Now()
		go func() { done <- f.Shutdown(ctx) }()
		synctest.Wait()
		write(t, conn, `["merge",1,3,0,{"a":3}]`) // is not taken any more: the client sends it again elsewhere
		if _, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{}}); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		late := f.piped(pipe.Options{})
		ends(t, late, 4000, `["bye",4000,…`)
		messages, _ := readAll(conn)
		conn.Abort()
		if n := len(messages); n != 6 || messages[2] != `["accepted",1,1,1]` || messages[3] != `["accepted",1,2,2]` ||
			!strings.HasPrefix(messages[5], `["bye",4000,`) || strings.HasSuffix(messages[5], `,0]`) {
			t.Errorf("got %q", messages)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		if version, err := own.Wait(t.Context()); version != 3 || err != nil {
			t.Errorf("own change: got %d, %v", version, err)
		}
	})
}

func TestShutdownEndsInTime(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Hour}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(ctx context.Context, _ *Update) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		conn := f.piped(pipe.Options{})
		write(t, conn, rawHello, `["join",1,"s"]`)
		synctest.Wait()
		write(t, conn, `["merge",1,1,0,{"a":1}]`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
		conn.Abort()
	})
}

func TestConnectionThatIsCutLeavesItsSession(t *testing.T) {
	timed(t, Options{}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s"})
		conn := f.piped(pipe.Options{})
		write(t, conn, rawHello, `["join",1,"s"]`)
		synctest.Wait()
		conn.Abort()
		synctest.Wait()
		got := f.Stats()
		if got.BytesIn == 0 || got.BytesOut == 0 {
			t.Errorf("got %+v", got)
		}
		got.BytesIn, got.BytesOut = 0, 0
		if want := (Stats{Sessions: 1, States: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if members, _ := f.state("s").clients(); members != 1 {
			t.Errorf("%d clients", members)
		}
	})
}
