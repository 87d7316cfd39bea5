package main_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// terminal opens a pair of which the program gets the second end; what it writes there, and the echo of what is typed on
// the first end, is collected.
func terminal(t *testing.T) (typing *os.File, screen *lines, end *os.File) {
	t.Helper()
	typing, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var unlock, number int32
	control(t, typing, syscall.TIOCSPTLCK, &unlock)
	control(t, typing, syscall.TIOCGPTN, &number)
	end, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	screen = newLines()
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(screen, typing)
	}()
	t.Cleanup(func() {
		_ = end.Close()
		_ = typing.Close()
		<-read
	})
	return typing, screen, end
}

func control(t *testing.T, file *os.File, request uintptr, argument *int32) {
	t.Helper()
	conn, err := file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(argument)))
	})
	if err != nil || failed != 0 {
		t.Fatalf("ioctl: %v, %v", err, failed)
	}
}

func TestGetOnATerminal(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, nestedStates))
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{address, "demo", "/chat/messages"}, "[\n  \"one\",\n  {\n    \"text\": \"two\"\n  }\n]\n"},
		{[]string{address, "demo", "counter"}, "3\n"},
		{[]string{"--json", address, "demo", "/chat/messages"}, `{"version":0,"value":["one",{"text":"two"}]}` + "\n"},
	} {
		_, screen, end := terminal(t)
		p := startWith(t, nil, end, append([]string{"get"}, test.arguments...)...)
		if code := p.exit(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		screen.until(t, test.want, func(text string) bool { return strings.ReplaceAll(text, "\r\n", "\n") == test.want })
	}
}

func TestChangeTypedOnATerminal(t *testing.T) {
	_, address := serve(t, "--states", statesFile(t, exampleStates))
	typing, _, end := terminal(t)
	p := start(t, end, "update", address, "demo")
	p.stderr.says(t, "statesync: type the JSON; ctrl-D at the beginning of a line ends it, and ctrl-C gives up\n")
	feed(t, typing, "{\"counter\":\n7}\n\x04")
	if code := p.exit(); code != 0 || p.stdout.text() != "1\n" {
		t.Errorf("exit code %d, printed %q", code, p.stdout.text())
	}
	if got := valueOf(t, address, "demo", "counter"); got != "7" {
		t.Errorf("the counter is %s", got)
	}
}

// Reading ends with the program, also when nobody types.
func TestInterruptedWhileNobodyTypes(t *testing.T) {
	_, _, end := terminal(t)
	p := start(t, end, "patch", "ws://127.0.0.1:1", "demo")
	p.stderr.says(t, "type the JSON")
	p.signal(os.Interrupt)
	if code := p.exit(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if got := p.stderr.text(); strings.Count(got, "\n") != 1 {
		t.Errorf("said %q", got)
	}
}
