package main_test

import (
	"strings"
	"testing"
)

func TestCompletionScripts(t *testing.T) {
	for shell, want := range map[string]string{
		"bash": "complete -o bashdefault -o default -F __statesync_bash_autocomplete statesync\n",
		"zsh":  "#compdef statesync\n",
		"fish": "complete -c statesync -f -a '(__statesync_perform_completion)'\n",
		"pwsh": "Register-ArgumentCompleter -Native ",
	} {
		stdout, stderr, code := runs(t, "", "completion", shell)
		if code != 0 || stderr != "" || !strings.Contains(stdout, want) || !strings.Contains(stdout, "--generate-shell-completion") {
			t.Errorf("%s: exit code %d, said %q, printed\n%s", shell, code, stderr, stdout)
		}
	}
}

// What the scripts ask for. The address leads nowhere: to complete is not to run.
func TestCompletions(t *testing.T) {
	for _, test := range []struct {
		typed string
		want  string // the words, without their descriptions
	}{
		{"", "serve watch get append update patch export import version completion"},
		{"get --js", "--json"},
		{"watch --property x --c", "--changes-only --ca --connect-timeout --client-identifier"},
		{"patch --connect-timeout 1ms ws://127.0.0.1:1 demo [] --j", "--json"},
		{"update ws://127.0.0.1:1 demo", ""},
		{"completion", "bash zsh fish pwsh"},
	} {
		stdout, stderr, code := runs(t, "", append(strings.Fields(test.typed), "--generate-shell-completion")...)
		var words []string
		for line := range strings.Lines(stdout) {
			word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
			words = append(words, word)
		}
		if got := strings.Join(words, " "); code != 0 || stderr != "" || got != test.want {
			t.Errorf("%q: exit code %d, said %q, printed %q, want %q", test.typed, code, stderr, got, test.want)
		}
	}
}
