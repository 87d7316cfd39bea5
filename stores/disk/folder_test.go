package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/stores"
)

func openFolder(t *testing.T, path string, options Options) *Store {
	t.Helper()
	s, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneProcessPerFolder(t *testing.T) {
	path := t.TempDir()
	s := openFolder(t, path, Options{})
	_, err := Open(path, Options{})
	if want := fmt.Sprintf("keep states in %s: another process (process %d) uses it", path, os.Getpid()); !errors.Is(err, ErrLocked) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("opening a folder twice: %v, want %s", err, want)
	}
	closeStore(t, s)
	closeStore(t, openFolder(t, path, Options{}))
}

func TestAFolderIsMadeForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	closeStore(t, openFolder(t, path, Options{}))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("the folder has the mode %o, want 700", got)
	}
}

// The name of each folder that is made is on disk: without one of them all below it is lost with the power.
func TestEveryFolderThatIsMadeIsSynced(t *testing.T) {
	above := t.TempDir()
	path := filepath.Join(above, "a", "b", "c")
	var synced []string
	if err := makeFolders(path, func(path string) error { synced = append(synced, path); return syncFolder(path) }); err != nil {
		t.Fatal(err)
	}
	want := []string{above, filepath.Join(above, "a"), filepath.Join(above, "a", "b")}
	if !slices.Equal(synced, want) {
		t.Errorf("synced %q, want %q", synced, want)
	}
	if err := makeFolders(filepath.Join(above, "d"), func(string) error { return errDevice }); !errors.Is(err, errDevice) {
		t.Errorf("a failing sync: %v", err)
	}
}

func TestAFolderThatCannotBeUsedIsRefusedInASentence(t *testing.T) {
	for _, c := range []struct {
		name, file string
		is         error
		want       string
	}{
		{"newer", formatPrefix + "2", ErrFormat, "the folder's format is 2 and this program knows up to 1; use the newer program"},
		{"foreign", "photo.jpg", ErrFormat, "it holds photo.jpg and no file statesync-format-1, so it is not a folder of states"},
		{"no number", formatPrefix + "x", ErrFormat, "the folder's format is x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := t.TempDir()
			if err := os.WriteFile(filepath.Join(path, c.file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path, Options{})
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("opening says %v, want %q", err, c.want)
			}
		})
	}
	both := t.TempDir()
	closeStore(t, openFolder(t, both, Options{}))
	if err := os.WriteFile(filepath.Join(both, formatPrefix+"2"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(both, Options{}); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "the folder's format is 2") {
		t.Errorf("a folder that a newer program has taken over: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil || !strings.Contains(err.Error(), "it is a file, and must be a folder") {
		t.Errorf("opening a file says %v", err)
	}
	if _, err := Open(filepath.Join(file, "below"), Options{}); err == nil || !strings.Contains(err.Error(), "keep states in") {
		t.Errorf("opening a folder that cannot be made says %v", err)
	}
	if _, err := Open(t.TempDir(), Options{Durability: "hopeful"}); err == nil {
		t.Error("an unknown durability was taken")
	}
}

// TestNamesStayInTheFolder looks beside the folder for what names that climb would have made.
func TestNamesStayInTheFolder(t *testing.T) {
	parent := t.TempDir()
	s := openFolder(t, filepath.Join(parent, "data"), Options{})
	for _, name := range []string{"../escaped", "/escaped", "..", "a/../../escaped"} {
		if _, err := s.Create(name, nil, 0, nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.KeepSession(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the folder are %v, error %v", entries, err)
	}
}

func TestTenThousandStatesAreThereAtOnce(t *testing.T) {
	path := t.TempDir()
	s := openFolder(t, path, Options{Durability: stores.Written})
	text := []byte(strings.Repeat("x", 4<<10))
	for i := range 10_000 {
		l, err := s.Create(fmt.Sprint("state ", i), []byte("header"), 0, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	start := time.Now()
	s = openFolder(t, path, Options{})
	opened := time.Since(start)
	states := 0
	if err := s.States(func(_ string, header []byte, err error) {
		if err == nil && string(header) == "header" {
			states++
		}
	}); err != nil || states != 10_000 {
		t.Errorf("%d states are there, error %v", states, err)
	}
	t.Logf("10,000 states of 4 KB: opened in %v, all headers after %v", opened, time.Since(start))
	closeStore(t, s)
}

// TestDiskSpaceComesBack appends 30 times what may stay.
func TestDiskSpaceComesBack(t *testing.T) {
	const segmentBytes = 32 << 10
	path := t.TempDir()
	s := openFolder(t, path, Options{Durability: stores.Written, SegmentBytes: segmentBytes})
	kept := make(chan uint64, 1<<16)
	l, err := s.Create("busy", nil, 0, nil, func(v uint64, _ error) { kept <- v })
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := s.Create("quiet", []byte("h"), 5, []byte("c"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := quiet.Append(6, []byte("r")); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 1<<10)
	for version := uint64(1); version <= 6_000; version++ {
		if _, err := l.Append(version, text); err != nil {
			t.Fatal(err)
		}
		if version%20 == 0 {
			for <-kept < version {
			}
			if err := l.Checkpoint(nil, version, text, version-2); err != nil {
				t.Fatal(err)
			}
		}
	}
	closeStore(t, s)
	size := folderSize(t, path)
	if size > 6*segmentBytes {
		t.Errorf("6 MB of records, of which 5 KB are alive, take %d bytes", size)
	}
	s = openFolder(t, path, Options{})
	if got, err := s.Read("busy"); err != nil || got.Version != 6_000 || got.First != 5_998 || got.Last() != 6_000 {
		t.Errorf("kept %d, from %d to %d, error %v", got.Version, got.First, got.Last(), err)
	}
	if got, err := s.Read("quiet"); err != nil || got.Last() != 6 || string(got.Records[0]) != "r" || string(got.Header) != "h" {
		t.Errorf("the quiet state was not moved along: %+v, error %v", got, err)
	}
	if s.index.live != s.countLive() {
		t.Errorf("%d bytes are said to be alive, and %d are", s.index.live, s.countLive())
	}
	closeStore(t, s)
}

// countLive adds up what the index points to.
func (s *Store) countLive() (sum int64) {
	sum = s.index.opened.frame
	for _, st := range s.index.byNumber {
		sum += st.base.frame
		for _, p := range st.records {
			sum += p.frame
		}
	}
	for _, session := range s.index.sessions {
		sum += session.place.frame
	}
	return sum
}

func folderSize(t *testing.T, path string) (size int64) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}
