package wasmclient_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// line writes an update: origin versions previous -> updates, and what is removed.
func line(u wasmclient.Update) string {
	text := u.Origin.String() + " " + strconv.FormatUint(u.From, 10) + "-" + strconv.FormatUint(u.To, 10) +
		" " + u.Previous.String() + " -> " + u.Updates.String()
	if len(u.Removed) > 0 {
		text += " without " + strings.Join(u.Removed, ",")
	}
	return text
}

func TestListenersHearEveryOrigin(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var heard told
		s.client.AddStateUpdateListener("all", func(u wasmclient.Update) { heard.add(line(u)) })
		first := later(func() (uint64, error) { return s.state.UpdateState(t.Context(), map[string]any{"n": 2}) })
		heard.want(t, `local 1-1 {"n":1} -> {"n":2}`)
		s.server.send(protocol.Refused{N: 1, Number: 1, Code: protocol.CodeRefused})
		heard.want(t, `rollback 1-1 {"n":2} -> {"n":1}`)
		<-first
		s.server.remote(2, "new", "x")
		heard.want(t, `remote 1-2 {} -> {"new":"x"}`)
		s.server.send(protocol.Catchup{N: 1, From: 2, To: 7, Set: parse(t, `{"n":5}`), Removed: []string{"new"}})
		heard.want(t, `catch-up 2-7 {"n":1,"new":"x"} -> {"n":5} without new`)

		second := later(func() (uint64, error) { return s.state.UpdateState(t.Context(), map[string]any{"n": 6}) })
		heard.want(t, `local 7-7 {"n":5} -> {"n":6}`)
		s.server.send(protocol.Accepted{N: 1, Number: 2, Version: 8})
		if v := <-second; v.err != nil || v.version != 8 {
			t.Errorf("got %+v", v)
		}
		heard.want(t)
		s.server.remote(9, "n", 7)
		heard.want(t, `remote 7-9 {"n":6} -> {"n":7}`)
	})
}

func TestListenersOfProperties(t *testing.T) {
	play(t, `{"a":1,"b":1}`, func(t *testing.T, s scene) {
		var heard told
		s.state.AddStateUpdateListener("x", func(u wasmclient.Update) { heard.add("replaced", line(u)) })
		s.state.AddStateUpdateListener("y", func(u wasmclient.Update) { heard.add("b:", line(u)) }, "b")
		s.state.AddStateUpdateListener("x", func(u wasmclient.Update) { heard.add("a, c:", line(u)) }, "c", "a")
		s.server.remote(2, "a", 2)
		s.server.remote(3, "b", 2)
		s.server.remote(4, "d", 2)
		heard.want(t, `a, c: remote 1-2 {"a":1} -> {"a":2}`, `b: remote 1-3 {"b":1} -> {"b":2}`)
		s.server.send(protocol.Catchup{N: 1, From: 4, To: 9, Set: parse(t, `{"b":3,"c":4}`), Removed: []string{"a"}})
		heard.want(t, `a, c: catch-up 2-9 {"a":2} -> {"c":4} without a`, `b: catch-up 3-9 {"b":2} -> {"b":3}`)
		if !s.state.RemoveStateUpdateListener("x") || s.client.RemoveStateUpdateListener("x") {
			t.Error("a listener cannot be removed once")
		}
		s.server.remote(10, "c", 5)
		heard.want(t)
	})
}

func TestListenersThatWereAddedBeforeConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		client := f.client()
		var heard told
		client.AddStateUpdateListener("x", func(wasmclient.Update) { heard.add("replaced") })
		client.AddStateUpdateListener("x", func(u wasmclient.Update) { heard.add(line(u)) })
		client.AddStateUpdateListener("gone", func(wasmclient.Update) { heard.add("gone") })
		if !client.RemoveStateUpdateListener("gone") {
			t.Error("a listener that was added early cannot be removed")
		}
		server := f.accept(false)
		go client.ConnectToState(t.Context(), "chat")
		server.admit(`{"n":1}`)
		synctest.Wait()
		server.remote(2, "n", 2)
		heard.want(t, `remote 1-2 {"n":1} -> {"n":2}`)
	})
}

func TestAListenerMayCallTheClient(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var heard told
		s.state.AddStateUpdateListener("x", func(u wasmclient.Update) {
			heard.add(line(u))
			if u.Origin != wasmclient.Remote {
				return
			}
			version, err := s.state.UpdateState(t.Context(), map[string]any{"answer": u.Updates.Get("n")})
			heard.add("version", strconv.FormatUint(version, 10), s.client.GetState().String())
			if err != nil {
				t.Error(err)
			}
			s.state.AddStateUpdateListener("z", func(u wasmclient.Update) { heard.add("z:", line(u)) })
			s.state.RemoveStateUpdateListener("y")
		})
		s.state.AddStateUpdateListener("y", func(u wasmclient.Update) { heard.add("y:", line(u)) })
		s.server.remote(2, "n", 2)
		s.server.expect(`["merge",1,1,2,{"answer":2}]`)
		s.server.send(protocol.Accepted{N: 1, Number: 1, Version: 3})
		heard.want(t,
			`remote 1-2 {"n":1} -> {"n":2}`,
			`version 3 {"answer":2,"n":2}`,
			`local 2-2 {} -> {"answer":2}`,
		)
		s.server.send(protocol.Catchup{N: 1, From: 3, To: 4, Set: parse(t, `{"n":3}`)})
		heard.want(t, `catch-up 2-4 {"n":2} -> {"n":3}`, `z: catch-up 3-4 {"n":2} -> {"n":3}`)
	})
}

func TestAListenerMayCloseTheClient(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		closed := make(chan error, 1)
		s.state.AddStateUpdateListener("x", func(wasmclient.Update) {
			func() { closed <- s.client.Close() }()
		})
		s.server.remote(2, "n", 2)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestAListenerThatPanicsIsReported(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var heard told
		s.state.AddStateUpdateListener("text", func(wasmclient.Update) { panic("no") })
		s.state.AddStateUpdateListener("error", func(wasmclient.Update) { panic(errors.ErrUnsupported) })
		s.state.AddStateUpdateListener("number", func(wasmclient.Update) { panic(1) })
		s.state.AddStateUpdateListener("good", func(u wasmclient.Update) { heard.add(line(u)) })
		s.server.remote(2, "n", 2)
		heard.want(t, `remote 1-2 {"n":1} -> {"n":2}`)
		s.client.OnError(func(err error) {
			var p *wasmclient.PanicError
			if !errors.As(err, &p) || !strings.Contains(string(p.Stack), "listener_test.go") {
				t.Errorf("%v has no stack", err)
			}
			heard.add(err.Error())
		})
		heard.want(t,
			`the listener "text" panicked: no`,
			`the listener "error" panicked: unsupported operation`,
			`the listener "number" panicked: a value that has no text`,
		)
	})
}

func TestASlowListenerHearsOneJump(t *testing.T) {
	play(t, `{"a":1,"b":1}`, func(t *testing.T, s scene) {
		var heard told
		release := make(chan bool)
		s.state.AddStateUpdateListener("slow", func(u wasmclient.Update) {
			heard.add(line(u))
			<-release
		})
		s.server.remote(2, "a", 2)
		heard.want(t, `remote 1-2 {"a":1} -> {"a":2}`)
		s.server.remote(3, "a", 3)
		s.server.remote(4, "b", 2)
		synctest.Wait()
		var added told
		s.state.AddStateUpdateListener("added", func(u wasmclient.Update) { added.add(line(u)) })
		s.server.remote(5, "a", 4)
		s.server.remote(6, "a", 1) // the backlog of three is exceeded here
		synctest.Wait()
		s.server.remote(7, "c", 1)
		synctest.Wait()
		s.view(`{"a":1,"b":2,"c":1}`)
		close(release)
		heard.want(t, `catch-up 2-6 {"a":2,"b":1} -> {"a":1,"b":2}`, `remote 6-7 {} -> {"c":1}`)
		added.want(t, `catch-up 4-6 {"a":3} -> {"a":1}`, `remote 6-7 {} -> {"c":1}`)
	}, wasmclient.WithListenerBacklog(3))
}

func TestAListenerHearsOnlyWhatComesAfterIt(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		release := make(chan bool)
		s.state.AddStateUpdateListener("slow", func(wasmclient.Update) { <-release })
		s.server.remote(2, "n", 2)
		s.server.remote(3, "n", 3)
		synctest.Wait() // the update to 3 waits
		var heard told
		s.state.AddStateUpdateListener("added", func(u wasmclient.Update) { heard.add(line(u)) })
		s.server.remote(4, "n", 4)
		synctest.Wait()
		close(release)
		heard.want(t, `remote 3-4 {"n":3} -> {"n":4}`)
	})
}

func TestErrorsWaitForAListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := wasmclient.New("ws://fake", "ada", "",
			wasmclient.WithBackoff(time.Millisecond, time.Millisecond),
			wasmclient.WithDial(refuse(func(string, string) error { return errors.New("nobody there") })))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		time.Sleep(time.Second)
		var first, second told
		unsubscribe := client.OnError(func(err error) { first.add(err.Error()) })
		errs := first.take()
		summary := slices.IndexFunc(errs, func(text string) bool {
			return strings.HasSuffix(text, " further errors were not kept: there was no OnError listener")
		})
		if summary < 64 || summary > 65 {
			t.Errorf("%d errors were kept, want 64 and how many more there were", summary)
		}
		if want := "the connection could not be made or was lost: nobody there"; errs[0] != want {
			t.Errorf("the first error is %q, want %q", errs[0], want)
		}
		client.OnError(func(err error) { second.add(err.Error()); panic("broken") })
		time.Sleep(10 * time.Millisecond)
		if n, broken := len(first.take()), len(second.take()); n < 2 || broken != 1 {
			t.Errorf("the first listener heard %d errors, the second, which panicked, %d", n, broken)
		}
		unsubscribe()
		unsubscribe()
		first.take()
		time.Sleep(10 * time.Millisecond)
		first.want(t)
	})
}
