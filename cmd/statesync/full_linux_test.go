package main_test

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// limitFiles lets no file that the process writes from now on be longer than that.
func limitFiles(t *testing.T, p *process, bytes uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: bytes, Max: bytes}
	_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64,
		uintptr(p.command.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if failed != 0 {
		t.Fatalf("prlimit: %v", failed)
	}
}

// A server whose disk takes no more refuses changes, and goes on to show what it has: to clients, and to an export. It ends
// with an error, and the next one has what was acknowledged and nothing of what was refused.
func TestServerWhoseDiskTakesNoMoreIsReadOnAndEndsWithAnError(t *testing.T) {
	folder := t.TempDir()
	server, address := serve(t, "--data", folder, "--create-missing")
	if _, stderr, code := runs(t, "", "update", address, "s", `{"precious":1}`); code != 0 {
		t.Fatalf("update ended with %d: %s", code, stderr)
	}
	before := exported(t, folder)
	limitFiles(t, server, 1)
	if _, stderr, code := runs(t, "", "update", address, "s", `{"precious":2}`); code != 1 || !strings.Contains(stderr, "storage_failed") {
		t.Errorf("update ended with %d: %s", code, stderr)
	}
	if _, stderr, code := runs(t, `{"identifier":"s","value":{"other":1}}`, "import", "--replace", "--data", folder); code != 1 || !strings.Contains(stderr, "line 1 was refused") {
		t.Errorf("import ended with %d: %s", code, stderr)
	}
	if stdout, stderr, code := runs(t, "", "get", address, "s"); code != 0 || stdout != `{"precious":1}`+"\n" {
		t.Errorf("get ended with %d, %q: %s", code, stdout, stderr)
	}
	if got := exported(t, folder); got != before {
		t.Errorf("exported %s, want %s", got, before)
	}
	server.signal(syscall.SIGTERM)
	if code := server.exit(); code != 1 || !strings.Contains(server.stderr.text(), "the store has failed") {
		t.Errorf("serve ended with %d", code)
	}
	if got := exported(t, folder); got != before {
		t.Errorf("after the end exported %s, want %s", got, before)
	}
}
