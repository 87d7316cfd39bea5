package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// What a killed program has left is removed by the next one; what another one uses, and what is not the torture's, stays.
func TestOnlyStaleScratchIsRemoved(t *testing.T) {
	parent := t.TempDir()
	used, remove, err := newScratch(parent)
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(parent, "server-state-sync-torture-1", "states")
	unlocked := filepath.Join(parent, "server-state-sync-torture-2") // killed before it was locked
	foreign := filepath.Join(parent, "torture-3")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for _, folder := range []string{used, stale, unlocked, foreign, elsewhere} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(parent, "server-state-sync-torture-link")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(parent, "server-state-sync-torture-1", inUse), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removeStale(parent)
	there := func(folder string) bool {
		_, err := os.Stat(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil
	}
	for folder, want := range map[string]bool{used: true, filepath.Dir(stale): false, unlocked: false, foreign: true, link: true} {
		if got := there(folder); got != want {
			t.Errorf("%s is there: got %v, want %v", folder, got, want)
		}
	}
	if entries, err := os.ReadDir(elsewhere); err != nil || len(entries) > 0 {
		t.Errorf("behind the link are %v, %v", entries, err)
	}
	remove()
	if there(filepath.Dir(used)) {
		t.Error("the folder is there after its torture")
	}
}

// The lock of another process holds, and ends with it.
func TestScratchOfAnotherProcessIsRemovedWhenThatIsKilled(t *testing.T) {
	parent := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(program, "scratch", parent)
	stdin, err := other.StdinPipe() // it ends with this process
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	_, readErr := stdout.Read(make([]byte, 1))
	names := func() []string {
		found, err := filepath.Glob(filepath.Join(parent, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := names()
	removeStale(parent)
	during := names()
	_ = other.Process.Kill()
	_ = other.Wait()
	removeStale(parent)
	if readErr != nil || len(before) != 1 || !slices.Equal(before, during) || len(names()) > 0 {
		t.Errorf("%v; it made %v, of which %v stayed while it ran and %v afterwards", readErr, before, during, names())
	}
}
