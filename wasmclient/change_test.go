package wasmclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

func TestAChangeShowsAtOnceAndGetsItsVerdict(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		change := later(func() (uint64, error) { return s.client.UpdateState(t.Context(), map[string]any{"n": 2}) })
		s.server.expect(`["merge",1,1,1,{"n":2}]`)
		s.view(`{"n":2}`)
		if value, version := s.state.Confirmed(); value.String() != `{"n":1}` || version != 1 {
			t.Errorf("confirmed before the verdict: %v at %d", value, version)
		}
		if s.state.Pending() != 1 || s.client.Status().Pending != 1 {
			t.Error("the change is not counted as pending")
		}
		s.server.send(protocol.Accepted{N: 1, Number: 1, Version: 2})
		if v := <-change; v.err != nil || v.version != 2 {
			t.Errorf("got %+v, want version 2", v)
		}
		if value, version := s.state.Confirmed(); value.String() != `{"n":2}` || version != 2 {
			t.Errorf("confirmed after the verdict: %v at %d", value, version)
		}
	})
}

func TestARefusalTakesTheChangeBack(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		change := later(func() (uint64, error) { return s.state.UpdateState(t.Context(), map[string]any{"n": 2}) })
		s.server.expect(`["merge",1,1,1,{"n":2}]`)
		s.server.send(protocol.Refused{N: 1, Number: 1, Code: protocol.CodeRefused, Reason: "no numbers today"})
		v := <-change
		if !errors.Is(v.err, wasmclient.ErrRefused) || v.err.Error() != "refused: no numbers today" {
			t.Errorf("got %v", v.err)
		}
		var coded *wasmclient.Error
		if !errors.As(v.err, &coded) || coded.Code.Class() != protocol.ChangeRefused {
			t.Errorf("the error has the class %v", coded)
		}
		s.view(`{"n":1}`)
	})
}

func TestAChangeThatCannotBeMadeIsRefusedAtOnce(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		ctx := t.Context()
		for _, row := range []struct {
			name   string
			change func() (uint64, error)
			code   protocol.Code
		}{
			{"no object", func() (uint64, error) { return s.state.UpdateState(ctx, 1) }, protocol.CodeInvalidPatch},
			{"no JSON", func() (uint64, error) { return s.state.UpdateState(ctx, make(chan int)) }, protocol.CodeInvalidJSON},
			{"no such place", func() (uint64, error) { return s.state.Append(ctx, "missing", 1) }, protocol.CodePathNotFound},
			{"no array", func() (uint64, error) { return s.state.Append(ctx, "n", 1) }, 0},
			{"no JSON in a list", func() (uint64, error) { return s.state.Append(ctx, "n", 1, make(chan int)) }, protocol.CodeInvalidJSON},
			{"no JSON at a place", func() (uint64, error) { return s.state.Set(ctx, "n", make(chan int)) }, protocol.CodeInvalidJSON},
		} {
			_, err := row.change()
			var coded *wasmclient.Error
			if !errors.As(err, &coded) || row.code != 0 && coded.Code != row.code {
				t.Errorf("%s: got %v, want the code %v", row.name, err, row.code)
			}
		}
		s.view(`{"n":1}`)
	})
}

func TestThePlaceMethodsSendPatches(t *testing.T) {
	play(t, `{"a/b":1,"list":[1,2],"n":1}`, func(t *testing.T, s scene) {
		ctx := t.Context()
		number := uint64(0)
		for _, row := range []struct {
			name   string
			change func() (uint64, error)
			want   string
		}{
			{"set", func() (uint64, error) { return s.state.Set(ctx, "new", true) }, `["patch",1,1,1,[["add",["new"],true]]]`},
			{"append", func() (uint64, error) { return s.state.Append(ctx, "list", 3, 4) }, `["patch",1,2,2,[["add",["list","-"],3],["add",["list","-"],4]]]`},
			{"insert", func() (uint64, error) { return s.state.Insert(ctx, "/list", 1, "x", "y") }, `["patch",1,3,3,[["add",["list",1],"x"],["add",["list",2],"y"]]]`},
			{"increment", func() (uint64, error) { return s.state.Increment(ctx, "/a~1b", 2) }, `["patch",1,4,4,[["increment",["a/b"],2]]]`},
			{"increment of a name", func() (uint64, error) { return s.state.Increment(ctx, "a/b", 2) }, `["patch",1,5,5,[["increment",["a/b"],2]]]`},
			{"remove", func() (uint64, error) { return s.state.Remove(ctx, "/list/0") }, `["patch",1,6,6,[["remove",["list",0]]]]`},
		} {
			change := later(row.change)
			s.server.expect(row.want)
			number++
			s.server.send(protocol.Accepted{N: 1, Number: number, Version: number + 1})
			if v := <-change; v.err != nil || v.version != number+1 {
				t.Errorf("%s: got %+v", row.name, v)
			}
		}
		s.view(`{"a/b":5,"list":["x","y",2,3,4],"n":1,"new":true}`)
		for name, change := range map[string]func() (uint64, error){
			"append of nothing": func() (uint64, error) { return s.state.Append(ctx, "list") },
			"insert of nothing": func() (uint64, error) { return s.state.Insert(ctx, "list", 0) },
		} {
			if version, err := change(); err != nil || version != 7 {
				t.Errorf("%s: got %d, %v", name, version, err)
			}
		}
	})
}

func TestSubmitBlocksAtThePendingLimit(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		increment := document.PatchOp{Kind: document.Increment, Path: "/n", Value: document.MustOf(1)}
		var submitted told
		submit := func(name string, ctx context.Context) {
			go func() {
				if _, err := s.state.SubmitPatch(ctx, increment); err != nil {
					name += ": " + err.Error()
				}
				submitted.add(name)
			}()
			synctest.Wait()
		}
		submit("first", t.Context())
		submit("second", t.Context())
		submit("third", t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		submit("gives up", ctx)
		submit("fifth", t.Context())
		submitted.want(t, "first", "second")
		time.Sleep(time.Second)
		submitted.want(t, "gives up: too many changes wait for their verdict: context deadline exceeded")

		s.server.send(protocol.Accepted{N: 1, Number: 1, Version: 2})
		submitted.want(t, "third")
		s.server.send(protocol.Accepted{N: 1, Number: 2, Version: 3})
		submitted.want(t, "fifth")
		submit("last", t.Context())
		submitted.want(t)
		s.client.Close()
		submitted.want(t, "last: closed: the client was closed")
	}, wasmclient.WithPendingLimit(2, 1000))
}

func TestRoomInBytesIsGivenToAllWhoFitIn(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var submitted told
		if _, err := s.state.Submit(t.Context(), map[string]any{"n": strings.Repeat("x", 900)}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"first", "second"} {
			go func() {
				_, err := s.state.Submit(t.Context(), map[string]any{"n": strings.Repeat("x", 300)})
				if err != nil {
					t.Error(err)
				}
				submitted.add(name)
			}()
			synctest.Wait()
		}
		submitted.want(t)
		s.server.send(protocol.Accepted{N: 1, Number: 1, Version: 2})
		if got := submitted.take(); len(got) != 2 {
			t.Errorf("only %q had room", got)
		}
	}, wasmclient.WithPendingLimit(100, 1000))
}

func TestAContextThatEndsAfterSending(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var heard told
		s.client.OnError(func(err error) { heard.add(err.Error()) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.state.UpdateState(ctx, map[string]any{"n": 2})
		if !errors.Is(err, wasmclient.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		const want = "the outcome of the change is unknown: nobody waits for the verdict any longer: context deadline exceeded"
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		s.view(`{"n":2}`)
		heard.want(t)
		s.server.send(protocol.Refused{N: 1, Number: 1, Code: protocol.CodeRefused, Reason: "too late"})
		heard.want(t, "refused: too late")
		s.view(`{"n":1}`)

		if _, err := s.state.UpdateState(ctx, map[string]any{"n": 3}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, wasmclient.ErrOutcomeUnknown) {
			t.Errorf("a context that had ended before: got %v", err)
		}
		s.view(`{"n":1}`)
	})
}

func TestATransactionRunsAgainWhenItIsStale(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		var ran told
		change := later(func() (uint64, error) {
			return s.client.Transact(t.Context(), []string{"n"}, func(previous document.Value) (any, error) {
				ran.add(previous.String())
				return map[string]any{"n": previous.Get("n").Number() + 1}, nil
			})
		})
		s.server.expect(`["transaction",1,1,1,{"n":2},["n"],0]`)
		s.server.remote(2, "n", 10)
		s.server.send(protocol.Refused{N: 1, Number: 1, Code: protocol.CodeStale, Reason: "n was changed"})
		s.server.expect(`["transaction",1,2,2,{"n":11},["n"],1]`)
		s.server.send(protocol.Accepted{N: 1, Number: 2, Version: 3})
		if v := <-change; v.err != nil || v.version != 3 {
			t.Errorf("got %+v, want version 3", v)
		}
		ran.want(t, `{"n":1}`, `{"n":10}`)
		s.view(`{"n":11}`)
	})
}

func TestATransactionGivesUpAfterEightRefusals(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		runs := 0
		change := later(func() (uint64, error) {
			return s.state.Transact(t.Context(), nil, func(document.Value) (any, error) {
				runs++
				return map[string]any{"n": runs}, nil
			})
		})
		for number := range uint64(8) {
			s.server.next()
			s.server.remote(number+2, "n", -int(number))
			s.server.send(protocol.Refused{N: 1, Number: number + 1, Code: protocol.CodeStale})
		}
		const want = "conflict: the transaction was refused 8 times because others changed what it read or wrote"
		if v := <-change; !errors.Is(v.err, wasmclient.ErrConflict) || v.err.Error() != want {
			t.Errorf("got %v, want %s", v.err, want)
		}
		if runs != 8 {
			t.Errorf("ran %d times, want 8", runs)
		}
		s.view(`{"n":-7}`)
	})
}

func TestATransactionThatChangesNothing(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		broken := errors.New("I do not like it")
		if _, err := s.state.Transact(t.Context(), nil, func(document.Value) (any, error) { return nil, broken }); err != broken {
			t.Errorf("got %v, want the function's error", err)
		}
		if version, err := s.state.Transact(t.Context(), nil, func(document.Value) (any, error) { return nil, nil }); err != nil || version != 1 {
			t.Errorf("no updates: got %d, %v", version, err)
		}
		if _, err := s.state.Transact(t.Context(), nil, func(document.Value) (any, error) { return make(chan int), nil }); err == nil {
			t.Error("updates that have no JSON form are taken")
		}
		if s.state.Pending() != 0 {
			t.Error("something was submitted")
		}
	})
}

func TestTransactionsOfOneClientBuildOnEachOther(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		add := func() (uint64, error) {
			return s.state.Transact(t.Context(), []string{"n"}, func(previous document.Value) (any, error) {
				return map[string]any{"n": previous.Get("n").Number() + 1}, nil
			})
		}
		first := later(add)
		s.server.expect(`["transaction",1,1,1,{"n":2},["n"],0]`)
		second := later(add)
		s.server.expect(`["transaction",1,2,1,{"n":3},["n"],0]`)
		s.server.remote(2, "n", 10)
		s.server.send(
			protocol.Refused{N: 1, Number: 1, Code: protocol.CodeStale},
			protocol.Refused{N: 1, Number: 2, Code: protocol.CodeStale},
		)
		s.server.expect(`["transaction",1,3,2,{"n":11},["n"],2]`) // alone: the other one waits for its verdict
		synctest.Wait()
		s.view(`{"n":11}`)
		s.server.send(protocol.Accepted{N: 1, Number: 3, Version: 3})
		s.server.expect(`["transaction",1,4,3,{"n":12},["n"],3]`)
		s.server.send(protocol.Accepted{N: 1, Number: 4, Version: 4})
		for _, change := range []chan verdict{first, second} {
			if v := <-change; v.err != nil {
				t.Error(v.err)
			}
		}
		s.view(`{"n":12}`)
	})
}

func TestATransactionDoesNotWaitForItsTurnBeyondItsContext(t *testing.T) {
	play(t, `{"n":1}`, func(t *testing.T, s scene) {
		update := func(document.Value) (any, error) { return map[string]any{"n": 2}, nil }
		first := later(func() (uint64, error) { return s.state.Transact(t.Context(), nil, update) })
		s.server.next()
		s.server.remote(2, "n", 10)
		s.server.send(protocol.Refused{N: 1, Number: 1, Code: protocol.CodeStale})
		s.server.next() // the first one runs alone now
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		const want = "other transactions of this client run: context deadline exceeded"
		if _, err := s.state.Transact(ctx, nil, update); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		s.server.send(protocol.Accepted{N: 1, Number: 2, Version: 3})
		if v := <-first; v.err != nil {
			t.Error(v.err)
		}
	})
}
