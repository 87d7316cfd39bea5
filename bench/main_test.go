package main

import (
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/bench/report"
)

// What cannot be measured is told before anything is.
func TestBadArgumentsAreTold(t *testing.T) {
	harmless := []string{"--write", "--root", "/there/is/none"} // nothing is measured where an argument is taken after all
	for arguments, want := range map[string]string{
		"burst-100":                       `what is "burst-100"? Works and peers are named by --only`,
		"--rounds -1":                     "--rounds is -1",
		"--profile /there/is/none":        "--profile /there/is/none: there is no such folder",
		"--only bursts":                   `there is no work and no peer "bursts": works are burst-100, `,
		"--only writers-10,ws":            "writers-10 is done by none of the peers that --only names",
		"--only burst-100,listen,gorilla": "listen is done by none of the peers that --only names",
	} {
		if err := run(append(harmless, strings.Fields(arguments)...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", arguments, err, want)
		}
	}
}

// A benchmark that was renamed is missed, not left out.
func TestMissingGoBenchmarksAreTold(t *testing.T) {
	out := "pkg: github.com/server-state-sync/server-state-sync/server\n"
	for _, name := range hotPaths {
		out += "Benchmark" + name + "/100-2  100  9000 ns/op  5 B/op  1 allocs/op\n"
	}
	list, err := parseAll(out)
	if err != nil || len(list) != len(hotPaths) || list[0] != (report.Benchmark{Package: "server", Name: "Append/100", Nanoseconds: 9000, Bytes: 5, Allocations: 1}) {
		t.Fatalf("got %v and %v", list, err)
	}
	_, err = parseAll(strings.ReplaceAll(out, "BenchmarkFanOut/", "BenchmarkSpread/"))
	if err == nil || !strings.Contains(err.Error(), "there is no Go benchmark FanOut any more") {
		t.Errorf("without one: %v", err)
	}
}
