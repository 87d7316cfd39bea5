package disk

import (
	"errors"
	"os"
	"syscall"
)

// Sync waits for the data, and for the length when that has changed. Times of access are not waited for.
func (f osFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}
