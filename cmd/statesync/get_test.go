package main_test

import (
	"os"
	"strings"
	"testing"
)

const nestedStates = `{"demo": {"chat": {"messages": ["one", {"text": "two"}], "a/b": {"~": null}}, "counter": 3, "": true}}`

func TestGet(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, nestedStates))
	for _, test := range []struct {
		name      string
		arguments []string
		code      int
		stdout    string
		stderr    string
	}{
		{"all", nil, 0, `{"":true,"chat":{"a/b":{"~":null},"messages":["one",{"text":"two"}]},"counter":3}`, ""},
		{"the root", []string{""}, 0, `{"":true,"chat":{"a/b":{"~":null},"messages":["one",{"text":"two"}]},"counter":3}`, ""},
		{"a pointer", []string{"/chat/messages/1"}, 0, `{"text":"two"}`, ""},
		{"a property", []string{"counter"}, 0, "3", ""},
		{"a name that is empty", []string{"/"}, 0, "true", ""},
		{"names with signs", []string{"/chat/a~1b/~0"}, 0, "null", ""},
		{"no property", []string{"/chats"}, 1, "", `there is nothing at /chats: the state has no property "chats"`},
		{"no property by its name", []string{"chats"}, 1, "", `there is nothing at /chats: the state has no property "chats"`},
		{"no member", []string{"/chat/users/0"}, 1, "", `there is nothing at /chat/users/0: the object at /chat has no member "users"`},
		{"no element", []string{"/chat/messages/2"}, 1, "", "the array at /chat/messages has no element 2: it has 2, counted from 0"},
		{"an array's end", []string{"/chat/messages/-"}, 1, "", `the elements of the array at /chat/messages are counted from 0, and "-" is no such number`},
		{"a name in an array", []string{"/chat/messages/01"}, 1, "", `and "01" is no such number`},
		{"inside a scalar", []string{"/counter/x"}, 1, "", "the value at /counter has no members and no elements: its kind is number"},
		{"no pointer", []string{"/chat/~2"}, 2, "", `get: invalid_patch: the pointer "/chat/~2" has a ~ that is neither ~0 nor ~1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := runs(t, "", append([]string{"get", address, "demo"}, test.arguments...)...)
			if want := strings.TrimPrefix(test.stdout+"\n", "\n"); code != test.code || stdout != want {
				t.Errorf("exit code %d, want %d; printed %q, want %q", code, test.code, stdout, want)
			}
			if !strings.Contains(stderr, test.stderr) || (test.stderr == "") != (stderr == "") {
				t.Errorf("standard error: %q, want in it %q", stderr, test.stderr)
			}
		})
	}
}

func TestGetWithItsVersion(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	for _, text := range []string{`{"counter": 1}`, `{"counter": 2}`} {
		if _, stderr, code := runs(t, "", "update", address, "demo", text); code != 0 {
			t.Fatalf("update ended with %d: %s", code, stderr)
		}
	}
	stdout, _, code := runs(t, "", "get", "--json", address, "demo", "/counter")
	if want := `{"version":2,"value":2}` + "\n"; code != 0 || stdout != want {
		t.Errorf("exit code %d, printed %q, want %q", code, stdout, want)
	}
	stdout, stderr, code := runs(t, "", "get", "--json", address, "demo", "/none")
	if code != 1 || stdout != "" || !strings.Contains(stderr, "there is nothing at /none") {
		t.Errorf("where nothing is: exit code %d, printed %q, said %q", code, stdout, stderr)
	}
}

func TestGetToAFileThatCannotBeWritten(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	sealed, err := os.Open(statesFile(t, "")) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sealed.Close() }()
	p := startWith(t, nil, sealed, "get", address, "demo")
	if code := p.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	p.stderr.says(t, "write to standard output: ")
}
