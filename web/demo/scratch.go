package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// scratchNames are the names of the tortures' folders. Who uses one has locked the file inUse in it; the operating system
// lets go of that also where the program is killed, and the folder that is left is removed by the next one.
const (
	scratchNames = "server-state-sync-torture-*"
	inUse        = "in-use"
)

// newScratch makes a folder for a torture, below parent.
func newScratch(parent string) (folder string, remove func(), err error) {
	for {
		scratch, err := os.MkdirTemp(parent, scratchNames)
		if err != nil {
			return "", nil, err
		}
		lock := flock.New(filepath.Join(scratch, inUse))
		held, err := lock.TryLock()
		if err == nil {
			_, err = os.Stat(lock.Path())
		}
		if held && err == nil {
			return filepath.Join(scratch, "states"), func() { removeScratch(scratch, lock) }, nil
		}
		_ = lock.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		} // or another program has removed it before it was locked
	}
}

// removeStale removes the folders that nobody uses any more; those of others, who run or whose they are, stay.
func removeStale(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, scratchNames))
	for _, scratch := range found {
		if info, err := os.Lstat(scratch); err != nil || !info.IsDir() {
			continue
		}
		lock := flock.New(filepath.Join(scratch, inUse))
		if held, err := lock.TryLock(); held && err == nil {
			removeScratch(scratch, lock)
		}
	}
}

// removeScratch removes the folder while it is locked; where a locked file cannot be removed, that follows.
func removeScratch(scratch string, lock *flock.Flock) {
	_ = os.RemoveAll(scratch)
	_ = lock.Close()
	_ = os.RemoveAll(scratch)
}
