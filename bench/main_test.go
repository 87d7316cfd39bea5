package main

import (
	"strings"
	"testing"
)

// What cannot be measured is told before anything is.
func TestBadArgumentsAreTold(t *testing.T) {
	for arguments, want := range map[string]string{
		"burst-100":                       `what is "burst-100"? Works and peers are named by --only`,
		"--rounds -1":                     "--rounds is -1",
		"--profile /there/is/none":        "--profile /there/is/none: there is no such folder",
		"--only bursts":                   `there is no work and no peer "bursts": works are burst-100, `,
		"--only writers-10,ws":            "writers-10 is done by none of the peers that --only names",
		"--only burst-100,listen,gorilla": "listen is done by none of the peers that --only names",
	} {
		if err := run(strings.Fields(arguments)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", arguments, err, want)
		}
	}
}
