package main_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/server"
)

// valueOf returns what get prints.
func valueOf(t *testing.T, address string, arguments ...string) string {
	t.Helper()
	stdout, stderr, code := runs(t, "", append([]string{"get", address}, arguments...)...)
	if code != 0 {
		t.Fatalf("get ended with %d: %s", code, stderr)
	}
	return strings.TrimSuffix(stdout, "\n")
}

func TestChanges(t *testing.T) {
	const initial = `{"a": 1, "list": [1, 2]}`
	for _, test := range []struct{ name, command, json, value string }{
		{"a merge", "update", `{"b": {"c": null}, "a": 2}`, `{"a":2,"b":{"c":null},"list":[1,2]}`},
		{"a merge of several lines", "update", "\n{\n  \"a\": 0\n}\n", `{"a":0,"list":[1,2]}`},
		{"a merge of nothing", "update", `{}`, `{"a":1,"list":[1,2]}`},
		{"a patch", "patch", `[{"op": "remove", "path": "/a"}, {"op": "add", "path": "/list/-", "value": 3}]`, `{"list":[1,2,3]}`},
		{"an increment", "patch", `[{"op": "increment", "path": "/list/0", "value": -2.5}]`, `{"a":1,"list":[-1.5,2]}`},
		{"the other operations", "patch", `[{"op": "test", "path": "/a", "value": 1}, {"op": "move", "from": "/list/1", "path": "/list/0"},
			{"op": "copy", "from": "/a", "path": "/c"}, {"op": "replace", "path": "/a", "value": "x"}]`, `{"a":"x","c":1,"list":[2,1]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, address := serve(t, "--states", statesFile(t, fmt.Sprintf(`{"argument": %[1]s, "input": %[1]s, "dash": %[1]s}`, initial)))
			for _, way := range []struct {
				state, stdin string
				arguments    []string
				want         string
			}{
				{"argument", "", []string{address, "argument", test.json}, "1\n"},
				{"input", test.json, []string{address, "input"}, "1\n"},
				{"dash", test.json, []string{"--json", address, "dash", "-"}, `{"version":1}` + "\n"},
			} {
				stdout, stderr, code := runs(t, way.stdin, append([]string{test.command}, way.arguments...)...)
				if code != 0 || stdout != way.want || stderr != "" {
					t.Errorf("%s: exit code %d, printed %q, want %q; said %q", way.state, code, stdout, way.want, stderr)
				}
				if got := valueOf(t, address, way.state); got != test.value {
					t.Errorf("%s: the state is %s, want %s", way.state, got, test.value)
				}
			}
		})
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, `{"demo": {"a": 1}}`))
	for _, test := range []struct{ name, command, json, stderr, stdout string }{
		{
			"no JSON", "update", `{"a": tru}`,
			"read the updates from standard input: invalid_json: invalid character '}' in literal true at byte 9", `{"code":"invalid_json","reason":"invalid character '}' in`,
		},
		{"no JSON in the third line", "update", "{\n  \"a\": 1,\n  \"b\": 2;\n}\n", "(line 3, column 9)", `{"code":"invalid_json",`},
		{"no end", "patch", "[{", "read the patch from standard input: invalid_json: the text ends too early", `{"code":"invalid_json",`},
		{"a key twice", "update", `{"a": {"b": 1, "b": 2}}`, "duplicate_key: ", `{"code":"duplicate_key",`},
		{"no object", "update", `[1]`, "invalid_patch: updates are an object, and the kind of this is array", `{"code":"invalid_patch",`},
		{"no array", "patch", `{"a": 1}`, "invalid_patch: a patch is an array of operations, and this is an object", `{"code":"invalid_patch",`},
		{"no such operation", "patch", `[{"op": "test", "path": "", "value": {}}, {"op": "append", "path": "/a"}]`, `there is no operation "append" (at /1)`, `{"code":"invalid_patch",`},
		{"no such place", "patch", `[{"op": "remove", "path": "/b"}]`, `the change was refused: path_not_found: the object has no member "b" (at /b)`, `{"code":"path_not_found","reason":"the object has no member \"b\" (at /b)"}`},
		{"a test", "patch", `[{"op": "test", "path": "/a", "value": 2}]`, "the change was refused: test_failed: ", `{"code":"test_failed",`},
		{"a number that is none", "patch", `[{"op": "increment", "path": "", "value": 2}]`, "the change was refused: patch_failed: ", `{"code":"patch_failed",`},
		{"too deep for the server", "update", `{"d": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "the change was refused: too_deep: ", `{"code":"too_deep",`},
		{"a key too long for the server", "update", `{"` + strings.Repeat("k", 1000) + `": 1}`, "the change was refused: key_too_long: ", `{"code":"key_too_long",`},
		{"more than the server reads", "update", `{"d": "` + strings.Repeat("x", 2<<20) + `"}`, "the change was refused: too_large: the change has 20971", `{"code":"too_large",`},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := runs(t, test.json, test.command, "--json", address, "demo")
			if code != 1 || !strings.Contains(stderr, test.stderr) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, want 1; said %q, want in it %q", code, stderr, test.stderr)
			}
			if !strings.HasPrefix(stdout, test.stdout) || strings.Count(stdout, "\n") != 1 {
				t.Errorf("printed %q, want in the beginning %q", stdout, test.stdout)
			}
			if stdout, _, code := runs(t, test.json, test.command, address, "demo"); code != 1 || stdout != "" {
				t.Errorf("without --json: exit code %d, printed %q", code, stdout)
			}
		})
	}
	if got := valueOf(t, address, "--json", "demo"); got != `{"version":0,"value":{"a":1}}` {
		t.Errorf("a refused change has changed the state: %s", got)
	}
}

func TestChangeThatCannotBeRead(t *testing.T) {
	for _, test := range []struct {
		name, stdin string
		arguments   []string
		want        string
	}{
		{"nothing", " \n", []string{"update", "ws://127.0.0.1:1", "demo"}, "standard input is empty; write the JSON there, or give it as an argument"},
		{"an empty argument", `{"a": 1}`, []string{"update", "ws://127.0.0.1:1", "demo", ""}, "read the updates from the command line: invalid_json: "},
		{"endless", strings.Repeat(" ", 64<<20+1), []string{"patch", "ws://127.0.0.1:1", "demo", "-"}, "standard input has more than 67108864 bytes"},
	} {
		stdout, stderr, code := runs(t, test.stdin, test.arguments...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: exit code %d, want 1; printed %q; said %q, want in it %q", test.name, code, stdout, stderr, test.want)
		}
	}
}

func TestBigChange(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, `{"large": {}, "many": {"n": 0}}`))
	large := `{"big":"` + strings.Repeat("x", 1_000_000) + `"}`
	if stdout, stderr, code := runs(t, large, "update", address, "large"); code != 0 || stdout != "1\n" {
		t.Fatalf("exit code %d, printed %q, said %q", code, stdout, stderr)
	}
	if got := valueOf(t, address, "large"); got != large {
		t.Errorf("the state has %d bytes, want %d", len(got), len(large))
	}
	many := `[` + strings.Repeat(`{"op":"increment","path":"/n","value":1},`, 9999) + `{"op":"add","path":"/last","value":true}]`
	if stdout, stderr, code := runs(t, many, "patch", address, "many", "-"); code != 0 || stdout != "1\n" {
		t.Fatalf("exit code %d, printed %q, said %q", code, stdout, stderr)
	}
	if got := valueOf(t, address, "many"); got != `{"last":true,"n":9999}` {
		t.Errorf("the state is %s", tail(got))
	}
}

// Wherever the first connection is cut, every change is made once and its version told.
func TestChangeIsMadeOnceOverACutConnection(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	var all []*process
	for cut := int64(150); cut < 750; cut += 40 {
		_, throughProxy := cuttingProxy(t, strings.TrimPrefix(address, "ws://"), func(nth int) int64 {
			if nth > 1 {
				return 0
			}
			return cut
		})
		all = append(all, start(t, nil, "patch", throughProxy, "demo", `[{"op": "increment", "path": "/counter", "value": 1}]`))
	}
	var got, want []string
	for i, p := range all {
		if code := p.exit(); code != 0 {
			t.Errorf("exit code %d, said %q", code, p.stderr.text())
		}
		got, want = append(got, p.stdout.text()), append(want, fmt.Sprintf("%d\n", i+1))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the versions are %q", got)
	}
	if got, want := valueOf(t, address, "--json", "demo", "/counter"), fmt.Sprintf(`{"version":%[1]d,"value":%[1]d}`, len(all)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A server whose rule waits until it may answer.
type slowRule struct {
	syncer  *server.StateSyncer
	asked   chan struct{} // gets one for each change
	answers chan error
}

func newSlowRule(t *testing.T) *slowRule {
	t.Helper()
	syncer, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syncer.Close() })
	rule := &slowRule{syncer: syncer, asked: make(chan struct{}, 10), answers: make(chan error, 10)}
	_, err = syncer.CreateState(server.StateOptions{
		Identifier: "demo",
		InterceptStateUpdate: func(ctx context.Context, _ *server.Update) error {
			rule.asked <- struct{}{}
			select {
			case err := <-rule.answers:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := syncer.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return rule
}

func (r *slowRule) address() string { return "ws://" + r.syncer.Addr().String() }

func TestChangeThatTheServersRuleRefuses(t *testing.T) {
	rule := newSlowRule(t)
	rule.answers <- server.Refuse("the chat is full")
	stdout, stderr, code := runs(t, "", "update", "--json", rule.address(), "demo", `{"a": 1}`)
	if want := `{"code":"refused","reason":"the chat is full"}` + "\n"; code != 1 || stdout != want {
		t.Errorf("exit code %d, want 1; printed %q, want %q", code, stdout, want)
	}
	if want := "statesync: the change was refused: refused: the chat is full\n"; stderr != want {
		t.Errorf("said %q, want %q", stderr, want)
	}
}

func TestInterruptedChange(t *testing.T) {
	rule := newSlowRule(t)
	waiting := start(t, nil, "update", "--json", rule.address(), "demo", `{"a": 1}`)
	<-rule.asked
	waiting.signal(os.Interrupt)
	if code := waiting.exit(); code != 130 {
		t.Errorf("without a verdict: exit code %d, want 130", code)
	}
	if got, want := waiting.stderr.text(), "statesync: interrupted: the outcome of the change is unknown\n"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	if got := waiting.stdout.text(); !strings.HasPrefix(got, `{"code":"outcome_unknown",`) {
		t.Errorf("printed %q", got)
	}
}

func TestStateThatEndsBeforeTheVerdict(t *testing.T) {
	rule := newSlowRule(t)
	waiting := start(t, nil, "update", "--json", rule.address(), "demo", `{"a": 1}`)
	<-rule.asked
	rule.syncer.RemoveState("demo")
	if code := waiting.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if got := waiting.stderr.text(); !strings.Contains(got, "state_removed") {
		t.Errorf("said %q", got)
	}
	if got := waiting.stdout.text(); !strings.HasPrefix(got, `{"code":"state_removed",`) {
		t.Errorf("printed %q", got)
	}
}
