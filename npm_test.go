package serverstatesync_test

import (
	"encoding/json"
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
