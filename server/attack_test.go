package server

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// attack is one way to come up against a limit, over a socket.
type attack struct {
	limit   string // the field of Options or Limits, or what it is called where there is no option
	name    string
	options Options
	do      func(t *testing.T, a *attacked)
}

// attacked is a server with a state that nobody may harm, and a client of that state that goes on meanwhile.
type attacked struct {
	*StateSyncer
	witness *stranger
	gate    chan struct{} // changes to the state "gated" are decided when something can be read from it
}

// unharmed is the value of the state "s"; attackers may join it.
const unharmed = `{"l":[1,2,3],"n":0}`

// roomForAttacks is how much more memory the process may hold after an attack, the attacker's own included.
const roomForAttacks = 24 << 20

func newAttacked(t *testing.T, options Options) *attacked {
	t.Helper()
	if options.Limits.Connections == 0 {
		options.Limits.Connections = 1000
	}
	a := &attacked{gate: make(chan struct{}), StateSyncer: listen(t, options)}
	rule := func(ctx context.Context, _ *Update) error {
		select {
		case <-a.gate:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, state := range []StateOptions{
		{Identifier: "s", InitialValue: map[string]any{"l": []any{1, 2, 3}, "n": 0}},
		{Identifier: "own"}, // what attackers may change
		{Identifier: "gated", InterceptStateUpdate: rule},
		{Identifier: "bell"}, // the witness is told when it need not wait any longer
	} {
		if _, err := a.CreateState(state); err != nil {
			t.Fatal(err)
		}
	}
	a.witness = introduced(t, a.StateSyncer, "witness", "s", "bell")
	return a
}

// attacker returns a client that has joined the states as 1, 2 and so on.
func (a *attacked) attacker(t testing.TB, states ...string) *stranger {
	t.Helper()
	return introduced(t, a.StateSyncer, "attacker", states...)
}

// stands holds that the attack has changed nothing, that others go on, and that little memory is held.
func (a *attacked) stands(t *testing.T, before uint64) {
	t.Helper()
	if held := heap(); held > before+roomForAttacks {
		t.Errorf("%d KiB more are held than before", (held-before)>>10)
	}
	if value, _ := a.GetValueOfState("s"); value.String() != unharmed {
		t.Errorf("the state is %.200s", value)
	}
	if _, err := a.UpdateStateValue(t.Context(), "s", map[string]any{"last": true}); err != nil {
		t.Error(err)
	}
	a.witness.hear(`["entries",1,1,[["add",["last"],true]]]`)
	a.witness.say(`["patch",1,1,1,[["increment",["n"],1]]]`)
	a.witness.hear(`["accepted",1,1,2]`)
	late := introduced(t, a.StateSyncer, "late", "s")
	late.say(`["leave",1]`)
	_ = late.Close()
}

// heap returns how many bytes live after garbage collection.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestEveryLimitHoldsUnderAttack(t *testing.T) {
	for _, attack := range slices.Concat(changeAttacks, growthAttacks, connectionAttacks, slownessAttacks, tableAttacks) {
		t.Run(attack.limit+": "+attack.name, func(t *testing.T) {
			a := newAttacked(t, attack.options)
			before := heap()
			attack.do(t, a)
			a.stands(t, before)
		})
	}
}

// heldElsewhere are the tests of limits that no attacker comes up against over a socket, and those that look closer.
var heldElsewhere = map[string][]string{
	"Connections":         {"TestConnectionsAreBounded", "TestHandshakesCountAsConnections", "TestThoseWhoMayNotConnectKeepNobodyOut"},
	"Sessions":            {"TestSessionsAreBounded", "TestSessionsWithNothingToRememberAreForgottenFirst"},
	"Window":              {"TestUnansweredChangesAreBounded", "TestAnswersThatAreNotTakenCountAsUnanswered"},
	"WindowBytes":         {"TestUnjudgedBytesAreBounded"},
	"Inbox":               {"TestUndecidedChangesAreBoundedOverConnections", "TestLeavingAndJoiningAgainMakesNoRoom"},
	"InboxBytes":          {"TestUndecidedChangesAreBoundedOverConnections"},
	"HistoryEntries":      {"TestCursorOutsideTheHistoryGetsACatchup", "TestPositionsFromBeforeTheHistoryAreRefused"},
	"HistoryBytes":        {"TestSlowClientCatchesUp", "TestSlowReaderHoldsNothingAndMissesNothing"},
	"CarryWork":           {"TestTooMuchWorkToCarryPositionsIsRefused"},
	"FramesPerSecond":     {"TestRateLimitsDelay"},
	"BytesPerSecond":      {"TestRateLimitsDelay"},
	"Heartbeat":           {"TestSilentClientIsPingedAndGivenUp"},
	"HandshakeTimeout":    {"TestConnectionThatSaysNothingIsClosed"},
	"WriteTimeout":        {"TestClientThatDoesNotReadIsGivenUpAndDelaysNobody"},
	"InterceptTimeout":    {"TestAuthorizationThatTakesTooLongIsARefusal", "TestJoinThatTakesTooLongIsRefused", "TestLateInterceptorIsIgnored"},
	"ReconnectGrace":      {"TestLostConnectionCountsUntilItsGraceIsOver"},
	"SessionExpiry":       {"TestSessionExpires"},
	"TransactionTurn":     {"TestTurnEndsByTime"},
	"refused joins":       {"TestAnswersToRefusedJoinsAreBounded"},
	"records":             {"TestRecordsOfASessionAreBounded", "TestSessionThatChangedNothingIsNotRememberedByItsStates"},
	"arrivals":            {"TestConnectionsThatWaitForAMissingStateAreBounded"},
	"reasons":             {"TestReasonsAreKeptShort", "TestRefusalsAreForgottenWithTheirVerdicts"},
	"shutting down":       {"TestShutdownEndsInTime"},
	"body of a request":   {"TestRequestsWhoseBodyNeverComesAreClosed"},
	"removals remembered": {"TestForgottenRemovalsMakeASnapshot"},
}

// notLimits are durations of Options that bound nothing a client does.
var notLimits = []string{"RestAfter", "SelfDestructInterval", "DrainSpread"}

func TestEveryLimitHasARow(t *testing.T) {
	attacked := map[string]bool{}
	for _, attack := range slices.Concat(changeAttacks, growthAttacks, connectionAttacks, slownessAttacks, tableAttacks) {
		attacked[attack.limit] = true
	}
	for field := range reflect.TypeFor[Limits]().Fields() {
		if !attacked[field.Name] {
			t.Errorf("no row attacks Limits.%s", field.Name)
		}
	}
	for field := range reflect.TypeFor[Options]().Fields() {
		if field.Type == reflect.TypeFor[time.Duration]() && !slices.Contains(notLimits, field.Name) &&
			!attacked[field.Name] && heldElsewhere[field.Name] == nil {
			t.Errorf("nothing holds Options.%s", field.Name)
		}
	}
	there := testsHere(t)
	for limit, names := range heldElsewhere {
		for _, name := range names {
			if !there[name] {
				t.Errorf("%s: there is no %s", limit, name)
			}
		}
	}
}

// testsHere returns the names of the tests of this package.
func testsHere(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// thrownOut is an attacker that sends bytes as its first frame, or behind its hello and the join of "s", and is told the
// code before the connection ends.
func thrownOut(code protocol.Code, pieces ...[]byte) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := a.attacker(t, "s")
		c.put(pieces...)
		c.expectEnd(code)
	}
}

// thrownOutAtOnce is thrownOut without a hello.
func thrownOutAtOnce(code protocol.Code, pieces ...[]byte) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := enter(t, a.StateSyncer, pieces...)
		c.expectEnd(code)
	}
}

// changeRefused is an attacker whose change to the state "s" is refused with the code and a sentence, while its connection
// goes on.
func changeRefused(code protocol.Code, message string) func(*testing.T, *attacked) {
	return func(t *testing.T, a *attacked) {
		c := a.attacker(t, "s", "own")
		c.say(message)
		c.expectRefusal(1, code)
		c.say(`["merge",2,1,0,{"goes":"on"}]`)
		c.hear(`["accepted",2,1,1]`)
	}
}

// expectRefusal reads up to the refusal of a change.
func (c *stranger) expectRefusal(number uint64, code protocol.Code) {
	c.Helper()
	for {
		message, err := c.message()
		if err != nil {
			c.Fatalf("got %v, want %s", err, code)
		}
		var got protocol.Refused
		found := false
		_ = protocol.DecodeServer([]byte(message), protocol.Limits{}, func(m protocol.ServerMessage) error {
			got, found = m.(protocol.Refused)
			return nil
		})
		if !found || got.Number < number {
			continue
		}
		if got.Number != number || got.Code != code || !isSentence(got.Reason) {
			c.Errorf("got %.300s, want %s and a sentence", message, code)
		}
		return
	}
}
