package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// storage is what the store does to its folder. Tests put a layer in its place that fails, or loses what was not synced.
type storage interface {
	open(name string) (file, error) // for reading and writing; made when there is none
	list() ([]string, error)
	remove(name string) error
	sync() error // what open made and remove removed
}

// file is what the store does to a segment.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
	size() (int64, error)
}

// format is the version of what stands in the folder. It is the end of an empty file's name, where no bit can flip.
const (
	format       = 1
	formatPrefix = "statesync-format-"
	lockName     = "lock"
	processName  = "process" // beside it, as Windows does not let a locked file be read
)

// folder is a folder of the operating system.
type folder string

type osFile struct{ *os.File }

func (f osFile) size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d folder) open(name string) (file, error) {
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d folder) list() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, err
}

func (d folder) remove(name string) error { return os.Remove(filepath.Join(string(d), name)) }

func (d folder) sync() error { return syncFolder(string(d)) }

// syncFolder does nothing on Windows, where a folder cannot be synced and names are journaled.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}

// makeFolder makes the folder if there is none, with its name on disk before anything is kept in it.
func makeFolder(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		err = makeFolders(filepath.Clean(path), syncFolder)
	} else if err == nil && !info.IsDir() {
		return fmt.Errorf("keep states in %s: it is a file, and must be a folder", path)
	}
	if err != nil {
		return fmt.Errorf("keep states in %s: %w", path, err)
	}
	return nil
}

// makeFolders makes a folder and those above it that are missing, and syncs whatever holds the name of a new one.
func makeFolders(path string, sync func(string) error) error {
	parent := filepath.Dir(path)
	if _, err := os.Stat(parent); errors.Is(err, os.ErrNotExist) {
		if err := makeFolders(parent, sync); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return sync(parent)
}

// lock keeps other processes out of the folder, and leaves this one's id for their message.
func lock(path string) (release func() error, err error) {
	name := filepath.Join(path, lockName)
	l := flock.New(name, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("keep states in %s: %w", path, err)
	}
	if !ok {
		who := "another process"
		if text, err := os.ReadFile(filepath.Join(path, processName)); err == nil && len(text) > 0 {
			who += " (" + strings.TrimSpace(string(text)) + ")"
		}
		return nil, fmt.Errorf("keep states in %s: %s uses it; a folder serves one process at a time: %w", path, who, ErrLocked)
	}
	if err := os.WriteFile(filepath.Join(path, processName), []byte("process "+strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("keep states in %s: %w", path, err), l.Close())
	}
	return l.Close, nil
}

// Exists reports whether there is a folder of states at the path, of whatever format. It makes none.
func Exists(path string) (bool, error) {
	names, err := folder(path).list()
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, formatPrefix) }), err
}

// checkFormat refuses a folder that a newer program wrote, and one that is not ours; it writes the version into an empty one.
func checkFormat(dir storage) error {
	names, err := dir.list()
	if err != nil {
		return err
	}
	foreign, known := "", false
	for _, name := range names {
		if version, ours := strings.CutPrefix(name, formatPrefix); ours {
			n, err := strconv.Atoi(version)
			if err != nil || n > format {
				return fmt.Errorf("%w: the folder's format is %s and this program knows up to %d; use the newer program that wrote it, or export the states there and import them here", ErrFormat, version, format)
			}
			known = true
		} else if name != lockName && name != processName {
			foreign = name
		}
	}
	if known {
		return nil
	}
	if foreign != "" {
		return fmt.Errorf("%w: it holds %s and no file %s%d, so it is not a folder of states; name an empty folder or a new one", ErrFormat, foreign, formatPrefix, format)
	}
	f, err := dir.open(formatPrefix + strconv.Itoa(format))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close(), dir.sync())
}

// thisBoot names the run of the operating system since the machine started; "" where that is not to be had.
func thisBoot() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
