package wasmclient_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestTheTokenSourceIsAskedAtEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		asked := 0
		client := f.client(wasmclient.WithTokenSource(func(context.Context) (string, error) {
			asked++
			return "token " + strconv.Itoa(asked), nil
		}))
		f.accept(false).conn.Abort()
		f.accept(true)
		if err := client.OnConnection(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(f.tokens) != 2 || f.tokens[0] != "token 1" || f.tokens[1] != "token 2" {
			t.Errorf("dialed with the tokens %q", f.tokens)
		}
	})
}

func TestATokenSourceThatFailsIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		broken := errors.New("the identity provider is down")
		asked := 0
		client := f.client(wasmclient.WithTokenSource(func(context.Context) (string, error) {
			if asked++; asked == 1 {
				return "", broken
			}
			if asked == 2 {
				panic("a bug")
			}
			return "fresh", nil
		}))
		var heard told
		client.OnError(func(err error) {
			if asked == 1 && !errors.Is(err, broken) {
				t.Errorf("%v does not wrap the source's error", err)
			}
			heard.add(err.Error())
		})
		f.accept(false)
		heard.want(t,
			"the connection could not be made or was lost: the token source gave no token: the identity provider is down",
			"the connection could not be made or was lost: the token source gave no token: the token source panicked: a bug",
		)
		if len(f.tokens) != 1 || f.tokens[0] != "fresh" {
			t.Errorf("dialed with the tokens %q", f.tokens)
		}
	})
}

func TestATokenSourceMayHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		var waited []time.Duration
		f.client(wasmclient.WithConnectTimeout(3*time.Second), wasmclient.WithTokenSource(func(ctx context.Context) (string, error) {
			begin := time.Now()
			if len(waited) == 0 {
				<-ctx.Done()
			}
			waited = append(waited, time.Since(begin))
			return "late", ctx.Err()
		}))
		f.accept(false)
		if len(waited) != 2 || waited[0] != 3*time.Second {
			t.Errorf("the source was left alone for %v, want 3s and then to be asked again", waited)
		}
	})
}

func TestTheWaitBetweenAttemptsGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Time
		client, err := wasmclient.New("ws://fake", "ada", "",
			wasmclient.WithBackoff(100*time.Millisecond, time.Second),
			wasmclient.WithDial(refuse(func(string, string) error {
				attempts = append(attempts, time.Now())
				return errors.New("nobody there")
			})))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		time.Sleep(time.Millisecond)
		synctest.Wait()
		status := client.Status()
		if status.Phase != wasmclient.Waiting || status.Attempt != 1 || status.EverConnected || status.LastError == nil {
			t.Errorf("after the first attempt: %+v", status)
		}
		if until := time.Until(status.NextRetry); until < 0 || until > 100*time.Millisecond {
			t.Errorf("the first retry comes in %v, want at most 100ms", until)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		longest := time.Duration(0)
		for i := 1; i < len(attempts); i++ {
			wait := attempts[i].Sub(attempts[i-1])
			longest = max(longest, wait)
			if bound := min(time.Second, 100*time.Millisecond<<min(i-1, 10)); wait > bound {
				t.Errorf("wait %d took %v, want at most %v", i, wait, bound)
			}
		}
		if longest < 900*time.Millisecond || len(attempts) < 4000 {
			t.Errorf("in an hour there were %d attempts, at most %v apart; want waits all over the second", len(attempts), longest)
		}
	})
}

func TestStatusTellsTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		var heard told
		unsubscribe := client.OnStatus(func(s wasmclient.Status) {
			heard.add(s.Phase.String(), strconv.Itoa(s.Attempt), strconv.FormatBool(s.EverConnected))
		})
		server := f.accept(false)
		if got := heard.take(); len(got) == 0 || got[len(got)-1] != "connected 1 true" {
			t.Errorf("after the welcome: %q", got)
		}
		f.refuse(errors.New("nobody there"))
		time.Sleep(20 * time.Second) // so the connection counts as one that lasted
		server.conn.Abort()
		if got := heard.take(); len(got) != 1 || got[0] != "waiting 0 true" {
			t.Errorf("after a loss: %q", got)
		}
		client.Close()
		if got := heard.take(); len(got) == 0 || got[len(got)-1][:6] != "closed" {
			t.Errorf("after Close: %q", got)
		}
		unsubscribe()
	})
}

func TestASilentServerIsGivenUp(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		begin := time.Now()
		for range 3 {
			time.Sleep(15 * time.Second)
			s.server.send(protocol.Ping{})
			s.server.expect(`["pong"]`)
		}
		s.accept(true)
		if silent := time.Since(begin) - 45*time.Second; silent < 30*time.Second || silent > 32*time.Second {
			t.Errorf("the client gave the connection up after %v of silence, want two heartbeats of 15s", silent)
		}
		if _, err := s.server.conn.Read(t.Context()); err == nil {
			t.Error("the old connection is still open")
		}
	})
}

func TestAChangeWaitsForTheConnectionAndIsSentOnce(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		sent := later(func() (uint64, error) { return s.state.Increment(t.Context(), "n", 1) })
		s.server.expect(`["patch",1,1,1,[["increment",["n"],1]]]`)
		s.server.conn.Abort()
		synctest.Wait()
		waiting := later(func() (uint64, error) { return s.state.Increment(t.Context(), "n", 10) })
		synctest.Wait()
		s.view(`{"n":12}`)

		again := s.accept(true)
		again.expect(`["join",1,"chat","e",1,0]`)
		again.send(protocol.Joined{N: 1, Epoch: "e", Version: 1, Mark: 1})
		again.expect(`["patch",1,2,1,[["increment",["n"],10]]]`)
		again.remote(2, "m", 0)
		again.send(protocol.Accepted{N: 1, Number: 1, Version: 3})
		again.send(protocol.Accepted{N: 1, Number: 2, Version: 4})
		for version, change := range map[uint64]chan verdict{3: sent, 4: waiting} {
			if v := <-change; v.err != nil || v.version != version {
				t.Errorf("got %+v, want version %d", v, version)
			}
		}
		s.view(`{"m":0,"n":12}`)
	})
}

func TestLossesAreClassified(t *testing.T) {
	for _, row := range []struct {
		name    string
		refusal error
		phase   wasmclient.Phase
		want    string
	}{
		{"network", errors.New("no route"), wasmclient.Waiting, "the connection could not be made or was lost: no route"},
		{"busy", &transport.HandshakeError{Status: 503, Body: "busy"}, wasmclient.Waiting, "the connection could not be made or was lost: server refused the connection with HTTP status 503: busy"},
		{"unauthorized", &transport.HandshakeError{Status: 401, Body: "who?"}, wasmclient.Failed, "unauthorized: server refused the connection with HTTP status 401: who?"},
		{"forbidden", &transport.HandshakeError{Status: 403}, wasmclient.Failed, "unauthorized: server refused the connection with HTTP status 403"},
		{"shutting down", &transport.CloseError{Code: 4000, Reason: "a new version"}, wasmclient.Waiting, "shutting_down: a new version"},
		{"fenced", &transport.CloseError{Code: 4106, Reason: "taken"}, wasmclient.Failed, "session_taken: taken"},
		{"too large", &transport.ViolationError{Violation: transport.FrameTooLarge, Reason: "a frame of 2 GB"}, wasmclient.Failed, "the connection could not be made or was lost: a frame of 2 GB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t)
				f.refuse(row.refusal)
				client := f.client(wasmclient.WithBackoff(time.Hour, time.Hour))
				var heard told
				client.OnError(func(err error) {
					heard.add(err.Error())
					if !errors.Is(err, row.refusal) {
						t.Errorf("%v does not wrap its cause", err)
					}
				})
				heard.want(t, row.want)
				if got := client.Status().Phase; got != row.phase {
					t.Errorf("the phase is %v, want %v", got, row.phase)
				}
			})
		})
	}
}
