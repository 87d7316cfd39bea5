package serverstatesync_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// npm's page of the package leads to the repository, and to the folder in it.
func TestThePackageNamesItsRepository(t *testing.T) {
	var manifest struct {
		Homepage, License string
		Repository        struct{ Type, URL, Directory string }
		Bugs              struct{ URL string }
	}
	if err := json.Unmarshal([]byte(read(t, "npm/package.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"homepage":             {manifest.Homepage, "https://" + module + "#readme"},
		"bugs.url":             {manifest.Bugs.URL, "https://" + module + "/issues"},
		"repository.type":      {manifest.Repository.Type, "git"},
		"repository.url":       {manifest.Repository.URL, "git+https://" + module + ".git"},
		"repository.directory": {manifest.Repository.Directory, "npm"},
	} {
		if got, want := pair[0], pair[1]; got != want {
			t.Errorf("npm/package.json has the %s %q, want %q", what, got, want)
		}
	}
	if !strings.Contains(read(t, "README.md"), "License: "+manifest.License) {
		t.Errorf("npm/package.json has the license %s, and README.md another", manifest.License)
	}
}

var member = regexp.MustCompile(`(?m)^  (?:readonly )?(\w+)[<(:]`)

// membersOf lists the members that an interface of TypeScript declares.
func membersOf(t *testing.T, source, name string) []string {
	t.Helper()
	_, body, found := strings.Cut(source, "export interface "+name+"<")
	body, _, ended := strings.Cut(body, "\n}\n")
	if !found || !ended {
		t.Fatalf("there is no interface %s", name)
	}
	names := map[string]bool{}
	for _, match := range member.FindAllStringSubmatch(body, -1) {
		names[match[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// The README's table of hooks has those that createSyncHooks returns.
func TestReadmeHasEveryHook(t *testing.T) {
	types := read(t, "npm/src/react-types.ts")
	var want []string
	for _, name := range membersOf(t, types, "SyncHooks") {
		if name != "suspense" {
			want = append(want, name)
			continue
		}
		for _, below := range membersOf(t, types, "SuspenseHooks") {
			want = append(want, name+"."+below)
		}
	}
	_, rows, _ := strings.Cut(read(t, "README.md"), "| hook | what it gives |\n|---|---|\n")
	rows, _, _ = strings.Cut(rows, "\n\n")
	var got []string
	for row := range strings.Lines(rows) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			got = append(got, name[1])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 10 || !slices.Equal(got, want) {
		t.Errorf("the README's table of hooks has\n%v\nand npm/src/react-types.ts\n%v", got, want)
	}
}

// The README says which Go is needed, and it is that of go.mod; what it says to clone is this module.
func TestReadmeSaysWhatToCloneAndWhichGoBuildsIt(t *testing.T) {
	_, version, _ := strings.Cut(read(t, "go.mod"), "\ngo ")
	said := regexp.MustCompile(`\bGo (\d+\.\d+)`).FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(said) < 3 {
		t.Errorf("the README names a version of Go %d times only", len(said))
	}
	for _, match := range said {
		if !strings.HasPrefix(version, match[1]) {
			t.Errorf("the README names %s, and go.mod Go %.6s", match[0], version)
		}
	}
	clone := "    git clone https://" + module + "\n    cd " + module[strings.LastIndex(module, "/")+1:] + "\n    make run\n"
	if !strings.Contains(read(t, "README.md"), clone) {
		t.Errorf("the README does not have\n%s", clone)
	}
}
