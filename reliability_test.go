package serverstatesync_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	quotedTest  = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	testCommand = regexp.MustCompile(`^go test -run \^(\w+)\$ (?:\./)?(\.|[\w/]+)(?: -[\w.]+(?:=\w+)?)*$`)
	makeCommand = regexp.MustCompile(`^make (\w+)(?: [A-Z]+=\w+)?$`)
)

// tableRows returns the cells of the rows of all tables in a text that have this first line.
func tableRows(text, header string) (rows [][]string) {
	for _, table := range strings.Split(text, header+"\n")[1:] {
		for line := range strings.Lines(table) {
			if !strings.HasPrefix(line, "|") {
				break
			}
			if !strings.HasPrefix(line, "|-") {
				rows = append(rows, strings.Split(strings.Trim(line, "| \n"), " | "))
			}
		}
	}
	return rows
}

// Every promise names a test that is there, a command that runs it, and what came of it last.
func TestReliabilityRowsCanBeRepeated(t *testing.T) {
	rows := tableRows(read(t, "RELIABILITY.md"), "| promise | test | command | last figure |")
	if len(rows) < 50 {
		t.Errorf("RELIABILITY.md has %d rows only", len(rows))
	}
	tests, makefile := testsByFolder(t), read(t, "Makefile")
	for _, row := range rows {
		if len(row) != 4 || slices.Contains(row, "") {
			t.Errorf("RELIABILITY.md: a row has a promise, a test, a command and a figure, and one is %q", row)
			continue
		}
		var named, run []string
		for _, match := range quotedTest.FindAllStringSubmatch(row[1], -1) {
			named = append(named, match[1])
		}
		for command := range strings.SplitSeq(row[2], "<br>") {
			one, err := testRunBy(strings.Trim(command, "`"), named, tests, makefile)
			if err != nil {
				t.Errorf("RELIABILITY.md: %v", err)
			}
			run = append(run, one...)
		}
		if !slices.Equal(named, run) {
			t.Errorf("RELIABILITY.md: %s\n\tnames %q\n\truns  %q", row[0], named, run)
		}
	}
}

// testRunBy returns the test that a command runs; for one of make, which runs many, those that are named and there.
func testRunBy(command string, named []string, tests map[string]map[string]bool, makefile string) ([]string, error) {
	if match := makeCommand.FindStringSubmatch(command); match != nil {
		if !strings.Contains(makefile, "\n"+match[1]+": ##") {
			return nil, fmt.Errorf("%s, and the Makefile does not have it", command)
		}
		return slices.DeleteFunc(slices.Clone(named), func(name string) bool {
			for _, folder := range tests {
				if folder[name] {
					return false
				}
			}
			return true
		}), nil
	}
	match := testCommand.FindStringSubmatch(command)
	switch {
	case match == nil:
		return nil, fmt.Errorf("%q is neither make TARGET nor go test -run ^TestName$ ./package", command)
	case !tests[match[2]][match[1]]:
		return nil, fmt.Errorf("%s has no %s", match[2], match[1])
	}
	return match[1:2], nil
}

// The bugs that are put in on purpose stand in RELIABILITY.md with the tests that scripts/mutants.sh runs.
func TestReliabilityListsTheMutants(t *testing.T) {
	want, got := mutantRows(t), []mutantRow(nil)
	caught := regexp.MustCompile("^`(\\w+)` in `([\\w/]+)`$")
	for _, row := range tableRows(read(t, "RELIABILITY.md"), "| bug | what it does | caught by |") {
		match := caught.FindStringSubmatch(row[len(row)-1])
		if len(row) != 3 || match == nil {
			t.Fatalf("RELIABILITY.md: a row is | `BUG` | what it does | `TestName` in `package` |, and one is %q", row)
		}
		got = append(got, mutantRow{strings.Trim(row[0], "`"), match[2], match[1]})
	}
	if !slices.Equal(got, want) {
		t.Errorf("RELIABILITY.md and scripts/mutants.sh differ\n\tgot  %v\n\twant %v", got, want)
	}
}
