package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func allowIf(allowed *bool) func(context.Context, any) bool {
	return func(context.Context, any) bool { return *allowed }
}

func TestJoinsThatAreRefused(t *testing.T) {
	f := newFixture(t, Options{Limits: Limits{StatesPerConnection: 1}})
	f.create(StateOptions{Identifier: "s", AllowConnectingClient: func(_ context.Context, client any) bool { return client == user("alice") }})
	f.create(StateOptions{Identifier: "panics", AllowConnectingClient: func(context.Context, any) bool { panic("oh") }})
	notAllowed := `4201,"The client may not connect to this state; the server's rule decides."]`
	for _, test := range []struct {
		name string
		who  any
		join string
		want string
	}{
		{"allowed", user("alice"), `["join",1,"s"]`, `["joined",1,…`},
		{"not allowed", user("bob"), `["join",1,"s"]`, `["closed",1,` + notAllowed},
		{"rule that panics", nil, `["join",1,"panics"]`, `["closed",1,4205,"the server's rules gave no answer"]`},
		{"no such state", nil, `["join",1,"no"]`, `["closed",1,4200,"there is no such state"]`},
		{"bad identifier", nil, `["join",1,""]`, `["closed",1,4204,…`},
	} {
		w := f.dial(test.who)
		w.send(fmt.Sprintf(`["hello","%s","x",{}]`, sessionNamed(strings.ReplaceAll(test.name, " ", "-"))), test.join)
		if got := w.recv(); len(got) != 2 || !matches(got[1], test.want) {
			t.Errorf("%s: got %q, want %s", test.name, got, test.want)
		}
		if strings.HasPrefix(test.want, `["joined"`) {
			w.send(`["join",2,"no"]`)
			w.expect(`["closed",2,4203,"a connection may join 1 states"]`)
			w.send(`["leave",1]`, `["join",2,"s"]`)
			w.expect(`["joined",2,…`)
		}
	}
}

func TestMissingStateIsMade(t *testing.T) {
	f := newFixture(t, Options{OnMissingState: func(_ context.Context, identifier string, client any) (StateOptions, error) {
		switch identifier {
		case "secret":
			return StateOptions{}, Refuse("nobody may")
		case "broken":
			return StateOptions{}, errors.New("the password is 1234")
		case "odd":
			return StateOptions{InitialValue: 3}, nil
		case "panics":
			panic("oh")
		}
		return StateOptions{Identifier: "ignored", InitialValue: map[string]any{"for": fmt.Sprint(client)}}, nil
	}, Limits: Limits{States: 1}})
	w := f.dial(user("alice"))
	w.send(`["hello","0123456789abcdef","a",{}]`)
	w.recv()
	for i, test := range []struct{ identifier, want string }{
		{"secret", `4200,"nobody may"]`},
		{"broken", `4205,"The server could not load or make the state; try again later."]`},
		{"panics", `4205,"The server could not load or make the state; try again later."]`},
		{"odd", `4205,"The server could not load or make the state; try again later."]`},
	} {
		w.send(fmt.Sprintf(`["join",%d,"%s"]`, i+1, test.identifier))
		w.expect(fmt.Sprintf(`["closed",%d,%s`, i+1, test.want))
	}
	w.send(`["join",9,"room"]`)
	w.expect(`["joined",9,"` + f.state("room").epoch + `",0,0,[],{"for":"alice"}]`)
	w.send(`["join",10,"one more"]`)
	w.expect(`["closed",10,4003,"the server holds as many states as it may"]`)
}

func TestJoinsOfAMissingStateMakeOne(t *testing.T) {
	calls := 0
	timed(t, Options{OnMissingState: func(_ context.Context, identifier string, _ any) (StateOptions, error) {
		calls++
		time.Sleep(time.Second)
		return StateOptions{}, nil
	}}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "there"})
		var all []*wire
		for i := range 10 {
			w := f.client(fmt.Sprint("w", i))
			w.send(`["join",1,"missing"]`, `["join",2,"there"]`)
			w.expect(`["joined",2,…`) // is not delayed
			all = append(all, w)
		}
		all[3].send(`["leave",1]`)
		all[4].peer.disconnect()
		time.Sleep(time.Second)
		synctest.Wait()
		for i, w := range all {
			if i == 3 || i == 4 {
				w.expect()
			} else {
				w.expect(`["joined",1,…`)
			}
		}
		if calls != 1 {
			t.Errorf("the program was asked %d times", calls)
		}
	})
}

func TestOneClientsRefusalIsNotAnothers(t *testing.T) {
	timed(t, Options{OnMissingState: func(_ context.Context, _ string, client any) (StateOptions, error) {
		time.Sleep(time.Second)
		if client == nil {
			return StateOptions{}, Refuse("who are you?")
		}
		return StateOptions{}, nil
	}}, func(t *testing.T, f *fixture) {
		stranger, known := f.client("stranger"), f.dial(user("alice"))
		known.send(`["hello","0123456789abcdef","a",{}]`)
		known.recv()
		stranger.send(`["join",1,"s"]`)
		known.send(`["join",1,"s"]`)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		stranger.expect(`["closed",1,4200,"who are you?"]`)
		known.expect(`["joined",1,…`)
	})
}

func TestJoinThatTakesTooLongIsRefused(t *testing.T) {
	wait := func(ctx context.Context) { <-ctx.Done() }
	timed(t, Options{
		InterceptTimeout: time.Second,
		OnMissingState: func(ctx context.Context, _ string, _ any) (StateOptions, error) {
			wait(ctx)
			return StateOptions{}, ctx.Err()
		},
		Limits: Limits{StatesPerConnection: 2},
	}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", AllowConnectingClient: func(ctx context.Context, _ any) bool { wait(ctx); return true }})
		w := f.client("w")
		w.send(`["join",1,"s"]`, `["leave",1]`, `["join",1,"missing"]`, `["join",2,"s"]`)
		w.expect(`["closed",2,4203,"too many joins of the connection wait for the server's rules"]`)
		time.Sleep(time.Second)
		synctest.Wait()
		w.expect(`["closed",1,4205,…`)
		w.send(`["join",3,"s"]`)
		time.Sleep(time.Second)
		synctest.Wait()
		w.expect(`["closed",3,4205,"the server's rules gave no answer"]`)
	})
}

func TestJoinIntoAStateThatIsRemovedMeanwhile(t *testing.T) {
	timed(t, Options{}, func(t *testing.T, f *fixture) {
		f.create(StateOptions{Identifier: "s", AllowConnectingClient: func(context.Context, any) bool {
			time.Sleep(time.Second)
			return true
		}})
		w := f.client("w")
		w.send(`["join",1,"s"]`)
		f.RemoveState("s")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.expect(`["closed",1,4202,"the state was removed while it was joined"]`)
	})
}
