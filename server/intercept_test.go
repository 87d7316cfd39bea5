package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

func TestInterceptorDecides(t *testing.T) {
	for _, test := range []struct {
		name      string
		intercept func(context.Context, *Update) error
		answer    string
		value     string
	}{
		{"accepts", func(context.Context, *Update) error { return nil },
			`["accepted",1,1,1]`, `{"l":[1,2],"n":2}`},
		{"rewrites to the same", func(_ context.Context, u *Update) error {
			return u.SetUpdates(map[string]any{"n": 2, "l": []int{1, 2}})
		},
			`["accepted",1,1,1]`, `{"l":[1,2],"n":2}`},
		{"rewrites the values", func(_ context.Context, u *Update) error { return u.SetUpdates(map[string]any{"n": 9}) },
			`["accepted",1,1,1,[["add",["n"],9]]]`, `{"l":[1],"n":9}`},
		{"rewrites to nothing", func(_ context.Context, u *Update) error { return u.SetUpdates(map[string]any{}) },
			`["accepted",1,1,1,[]]`, `{"l":[1],"n":1}`},
		{"rewrites the operations", func(_ context.Context, u *Update) error {
			return u.SetOps([]document.PatchOp{{Kind: document.Add, Path: "/l/-", Value: document.MustOf(7)}})
		}, `["accepted",1,1,1,[["add",["l",1],7]]]`, `{"l":[1,7],"n":1}`},
		{"refuses with a reason", func(context.Context, *Update) error { return Refuse("not on Sundays") },
			`["refused",1,1,4300,"not on Sundays"]`, `{"l":[1],"n":1}`},
		{"refuses with an error", func(context.Context, *Update) error { return fmt.Errorf("check: %w", errors.New("no")) },
			`["refused",1,1,4300,"check: no"]`, `{"l":[1],"n":1}`},
		{"refuses as stale", func(context.Context, *Update) error { return &Error{Code: protocol.CodeConflict, Reason: "look again"} },
			`["refused",1,1,4400,"look again"]`, `{"l":[1],"n":1}`},
		{"refuses with a code that is not for changes", func(context.Context, *Update) error { return &Error{Code: protocol.CodeShuttingDown} },
			`["refused",1,1,4300,…`, `{"l":[1],"n":1}`},
		{"panics", func(context.Context, *Update) error { panic("oh") },
			`["refused",1,1,4302,"the server's rules failed"]`, `{"l":[1],"n":1}`},
		{"rewrites beyond a limit", func(_ context.Context, u *Update) error {
			return u.SetUpdates(map[string]any{"n": strings.Repeat("x", 200)})
		},
			`["refused",1,1,4311,…`, `{"l":[1],"n":1}`},
		{"rewrites with nonsense", func(_ context.Context, u *Update) error { return u.SetUpdates(3) },
			`["refused",1,1,4312,"updates are an object, and this is number"]`, `{"l":[1],"n":1}`},
		{"rewrites with operations that do not apply", func(_ context.Context, u *Update) error {
			return u.SetOps([]document.PatchOp{{Kind: document.Remove, Path: "/no"}})
		}, `["refused",1,1,4313,…`, `{"l":[1],"n":1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, Options{Limits: Limits{State: 100}})
			f.create(StateOptions{
				Identifier: "s", InitialValue: map[string]any{"n": 1, "l": []any{1}}, InterceptStateUpdate: test.intercept,
			})
			a, b := f.joined("a", "s"), f.joined("b", "s")
			a.send(`["merge",1,1,0,{"n":2,"l":[1,2]}]`)
			a.expect(test.answer)
			if got := f.value("s"); got != test.value {
				t.Errorf("got %s, want %s", got, test.value)
			}
			if got, want := len(b.recv()), f.state("s").committed; uint64(got) != want {
				t.Errorf("the other client got %d messages, want %d", got, want)
			}
		})
	}
}

func TestInterceptorSeesTheChange(t *testing.T) {
	f := newFixture(t, Options{})
	calls := 0
	check := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	f.create(StateOptions{
		Identifier:   "s",
		InitialValue: map[string]any{"n": 1, "l": []any{1}, "gone": true},
		InterceptStateUpdate: func(_ context.Context, u *Update) error {
			calls++
			check("identifier", u.Identifier(), "s")
			check("client", u.ClientInformation(), "alice")
			check("client identifier", u.ClientIdentifier(), "a")
			check("value", u.Value("n"), "3")
			check("previous", u.Previous("n"), "1")
			check("removed", u.Value("gone").Exists(), false)
			check("state", u.State(), `{"l":[1,2],"n":3}`)
			check("previous state", u.PreviousState(), `{"gone":true,"l":[1],"n":1}`)
			check("properties", u.Properties(), "[gone l n]")
			check("updates", u.Updates(), `{"l":[1,2],"n":3}`)
			ops := u.Ops()
			check("ops", string(protocol.AppendOps(nil, ops)), `[["increment",["n"],2],["add",["l",1],2],["remove",["gone"]]]`)
			ops[0].Path[0] = document.Key("l") // its own copy
			ops[1] = document.Op{}
			return nil
		},
	})
	w := f.dial(user("alice"))
	w.send(`["hello","0123456789abcdef","a",{}]`, `["join",1,"s"]`)
	w.recv()
	w.send(`["patch",1,1,0,[["increment",["n"],2],["add",["l","-"],2],["test",["n"],3],["remove",["gone"]]]]`)
	w.expect(`["accepted",1,1,1]`)
	w.send(`["patch",1,2,0,[["remove",["no"]]]]`, `["merge",1,1,0,{"n":0}]`)
	w.expect(`["refused",1,2,4313,…`)
	check("calls", calls, 1)
	check("value", f.value("s"), `{"l":[1,2],"n":3}`)
}

func TestProgramsOwnChangesAreInterceptedToo(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(_ context.Context, u *Update) error {
		if u.ClientInformation() != "root" || u.ClientIdentifier() != "" {
			return Refuse("only root may")
		}
		return nil
	}})
	_, err := f.UpdateStateValue(t.Context(), "s", map[string]any{"n": 1})
	if got, want := fmt.Sprint(err), "refused: only root may"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	version, err := f.UpdateStateValue(t.Context(), "s", map[string]any{"n": 1}, "root")
	if version != 1 || err != nil {
		t.Errorf("got %d, %v", version, err)
	}
}

func TestInterceptorCannotChangeItsOwnState(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "a", InterceptStateUpdate: func(ctx context.Context, u *Update) error {
		if _, err := f.UpdateStateValue(ctx, "a", map[string]any{"n": 1}); !errors.Is(err, ErrReentrant) {
			t.Errorf("own state: got %v", err)
		}
		_, err := f.UpdateStateValue(ctx, "b", map[string]any{"n": 1})
		return err
	}})
	f.create(StateOptions{Identifier: "b", InterceptStateUpdate: func(ctx context.Context, u *Update) error {
		if _, err := f.UpdateStateValue(ctx, "a", map[string]any{"n": 1}); !errors.Is(err, ErrReentrant) {
			t.Errorf("by way of another state: got %v", err)
		}
		if _, ok := f.GetValueOfState("a"); !ok {
			t.Error("the state cannot be read")
		}
		_, err := f.UpdateStateValue(ctx, "c", map[string]any{"n": 1})
		return err
	}})
	f.create(StateOptions{Identifier: "c"})
	f.update("a", map[string]any{"n": 1})
	if got, want := f.value("a")+f.value("b")+f.value("c"), `{"n":1}{"n":1}{"n":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// timed runs a test in a bubble of fake time with a server whose callbacks have deadlines.
func timed(t *testing.T, options Options, test func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		options.Logger = discard
		if options.Heartbeat == 0 {
			options.Heartbeat = 24 * time.Hour
		}
		s, err := New(options)
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{TB: t, StateSyncer: s}
		test(t, f)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if n := s.inFlight.count(); n != 0 {
			t.Errorf("%d changes are still under way", n)
		}
	})
}

func TestLateInterceptorIsIgnored(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Second}, func(t *testing.T, f *fixture) {
		var late error
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(ctx context.Context, u *Update) error {
			if u.Value("n").Number() != 1 {
				return nil
			}
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left != time.Second {
				t.Errorf("the deadline is in %v", left)
			}
			<-ctx.Done()
			time.Sleep(time.Minute)
			late = u.SetUpdates(map[string]any{"late": true})
			return nil
		}})
		f.create(StateOptions{Identifier: "other"})
		w := f.joined("w", "s")
		start := time.Now()
		w.send(`["merge",1,1,0,{"n":1}]`, `["merge",1,2,0,{"n":2}]`)
		f.update("other", map[string]any{"n": 1}) // is not delayed
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the other state waited %v", waited)
		}
		synctest.Wait()
		w.expect()
		time.Sleep(time.Second)
		synctest.Wait()
		w.expect(`["refused",1,1,4301,"the server's rules did not decide in time"]`, `["accepted",1,2,1]`)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		w.expect()
		if late != nil {
			t.Error(late)
		}
		if got, want := f.value("s"), `{"n":2}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestInterceptorsRunOneAtATimeInOrder(t *testing.T) {
	timed(t, Options{}, func(t *testing.T, f *fixture) {
		var order []string
		inside := 0
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(_ context.Context, u *Update) error {
			if inside++; inside != 1 {
				t.Errorf("%d interceptors at once", inside)
			}
			time.Sleep(time.Millisecond)
			order = append(order, u.Value("n").String())
			inside--
			return nil
		}})
		a, b := f.joined("a", "s"), f.joined("b", "s")
		for i := range 20 {
			a.send(fmt.Sprintf(`["merge",1,%d,0,{"n":%d}]`, i+1, 2*i))
			b.send(fmt.Sprintf(`["merge",1,%d,0,{"n":%d}]`, i+1, 2*i+1))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for i := range 40 {
			if order[i] != fmt.Sprint(i) {
				t.Fatalf("the order was %v", order)
			}
		}
		if got := b.recv(); len(got) != 40 {
			t.Errorf("got %d messages", len(got))
		}
	})
}

func TestContextThatEndsWhileWaitingLeavesTheOutcomeUnknown(t *testing.T) {
	timed(t, Options{}, func(t *testing.T, f *fixture) {
		var seen context.Context
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(ctx context.Context, u *Update) error {
			seen = ctx
			time.Sleep(time.Second)
			return ctx.Err()
		}})
		type key struct{}
		ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), key{}, "value"), time.Millisecond)
		defer cancel()
		_, err := f.UpdateStateValue(ctx, "s", map[string]any{"n": 1})
		if !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got, want := err.Error(), "the change was submitted and may be accepted or refused later: context deadline exceeded"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if _, err := f.UpdateStateValue(ctx, "s", map[string]any{"n": 2}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrOutcomeUnknown) {
			t.Errorf("after the end: got %v", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got, want := f.value("s"), `{"n":1}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if seen.Value(key{}) != "value" {
			t.Error("the interceptor's context has not the caller's values")
		}
	})
}

func TestSubmitWaitsForAPlace(t *testing.T) {
	timed(t, Options{Limits: Limits{Window: 2}}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(context.Context, *Update) error {
			time.Sleep(time.Second)
			return nil
		}})
		start := time.Now()
		var handles []*Handle
		for i := range 4 {
			handle, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{"n": i}})
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, handle)
		}
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("four changes were submitted in %v", waited)
		}
		for i, handle := range handles {
			<-handle.Done()
			if version, err := handle.Wait(t.Context()); version != uint64(i+1) || err != nil {
				t.Errorf("change %d: got %d, %v", i, version, err)
			}
		}
	})
}

// nilError is an error that cannot say what it is.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func TestErrorsOfInterceptorsThatDoNotTravel(t *testing.T) {
	var answer error
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(context.Context, *Update) error { return answer }})
	w := f.joined("w", "s")
	for i, test := range []struct {
		answer error
		want   string
	}{
		{&Error{Code: protocol.CodePendingLimit, Reason: "no"}, `4300,"pending_limit: no"]`},
		{ErrOutcomeUnknown, `4300,"outcome_unknown…`},
		{&Error{Code: 4399, Reason: "no"}, `4300,…`},
		{&Error{Code: protocol.CodeShuttingDown, Reason: "no"}, `4300,"shutting_down: no"]`},
		{&Error{Code: protocol.CodeUnauthorized, Reason: "no"}, `4300,"unauthorized: no"]`},
		{ErrStateNotFound, `4300,"state_not_found…`},
		{ErrClosed, `4300,"the server is closed or shutting down"]`}, // of another server, perhaps
		{&Error{Code: protocol.CodeStale, Reason: "no"}, `4401,"no"]`},
		{Refuse("no"), `4300,"no"]`},
		{(*nilError)(nil), `4302,"the server's rules failed"]`},
		{(*Error)(nil), `4302,"the server's rules failed"]`},
	} {
		answer = test.answer
		w.send(fmt.Sprintf(`["merge",1,%d,0,{"a":1}]`, i+1))
		w.expect(fmt.Sprintf(`["refused",1,%d,`, i+1) + test.want)
	}
}

func TestServerThatClosesEndsInterceptors(t *testing.T) {
	timed(t, Options{InterceptTimeout: time.Hour}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", InterceptStateUpdate: func(ctx context.Context, _ *Update) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		var handles []*Handle
		for i := range 2 {
			handle, err := f.Submit(t.Context(), "s", Change{Updates: map[string]any{"n": i}})
			if err != nil {
				t.Fatal(err)
			}
			handles = append(handles, handle)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		for _, handle := range handles {
			if _, err := handle.Wait(t.Context()); fmt.Sprint(err) != "state_removed: the server is shutting down" {
				t.Errorf("got %v", err)
			}
		}
		if _, err := f.UpdateStateValue(t.Context(), "s", map[string]any{}); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		if _, err := f.CreateState(StateOptions{}); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}

func TestUpdateErrors(t *testing.T) {
	f := newFixture(t, Options{})
	f.create(StateOptions{Identifier: "s"})
	for _, test := range []struct {
		name string
		call func() error
		want string
	}{
		{"no state", func() error { _, err := f.UpdateStateValue(t.Context(), "no", map[string]any{}); return err },
			"state_not_found: There is no state with this identifier; create it or check the identifier."},
		{"no object", func() error { _, err := f.UpdateStateValue(t.Context(), "s", []int{1}); return err },
			"invalid_patch: updates are an object, and this is array"},
		{"nothing", func() error { _, err := f.UpdateStateValue(t.Context(), "s", nil); return err },
			"invalid_patch: updates are an object, and this is null"},
		{"no JSON", func() error {
			_, err := f.UpdateStateValue(t.Context(), "s", map[string]any{"n": make(chan int)})
			return err
		},
			"invalid_json: …"},
		{"patch that does not apply", func() error {
			_, err := f.PatchState(t.Context(), "s", patchOf(t, `[{"op":"remove","path":"/no"}]`))
			return err
		}, "path_not_found: …"},
		{"empty patch", func() error { _, err := f.PatchState(t.Context(), "s", nil); return err }, "<nil>"},
	} {
		if got := fmt.Sprint(test.call()); !matches(got, test.want) {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	versions := []uint64{}
	for range 3 {
		versions = append(versions, f.update("s", map[string]any{"n": 1}))
	}
	if !slices.Equal(versions, []uint64{2, 3, 4}) {
		t.Errorf("got versions %v", versions)
	}
}
