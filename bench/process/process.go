// Package process runs the servers of the benchmark, each pinned to a core, and asks the operating system what they use.
package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startTimeout is for a server that has many states to make.
const startTimeout = 60 * time.Second

// Server is a running process.
type Server struct {
	Address netip.AddrPort

	command *exec.Cmd
	errors  bytes.Buffer
	ended   chan struct{} // closed when the process has ended, with err
	err     error
}

// Command is a program that ends when ctx does, with all that it has started, and that does not outlive this one,
// however this one ends. It has a process group of its own, so the keys of a terminal end this program alone.
func Command(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, arguments...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	return c
}

// Start runs a program on the given core. Its first line of output is the address that it listens on.
func Start(ctx context.Context, core int, name string, arguments ...string) (*Server, error) {
	s := &Server{command: Command(ctx, name, arguments...), ended: make(chan struct{})}
	s.command.Stderr = &s.errors
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := onCore(core, s.command.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		lines <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, out)
		s.err = s.command.Wait()
		close(s.ended)
	}()
	select {
	case line := <-lines:
		if s.Address, err = netip.ParseAddrPort(line); err != nil {
			s.Stop()
			return nil, fmt.Errorf("%s gave no address but %q: %s", name, line, s.errors.String())
		}
	case <-time.After(startTimeout):
		s.Stop()
		return nil, fmt.Errorf("%s gave no address within %v", name, startTimeout)
	}
	return s, nil
}

// Listen runs a program on the given core to its end, and hands its lines of output to heard.
func Listen(ctx context.Context, core int, heard func(line string), name string, arguments ...string) error {
	command := Command(ctx, name, arguments...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := onCore(core, command.Start); err != nil {
		return err
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		heard(scanner.Text())
	}
	if err := command.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, complaints.String())
	}
	return nil
}

// onCore runs start with the calling thread on one core: a child inherits that, with all the threads it will have.
func onCore(core int, start func() error) error { return onCores([]int{core}, start) }

// Anywhere runs f with what it starts on both cores.
func (c Cores) Anywhere(f func() error) error { return onCores([]int{c.Load, c.Server}, f) }

func onCores(cores []int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var was, wanted unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		return err
	}
	for _, core := range cores {
		wanted.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &wanted); err != nil {
		return err
	}
	defer func() { _ = unix.SchedSetaffinity(0, &was) }()
	return start()
}

// Stop ends the process and waits for it: gently first, so that it can write its profile.
func (s *Server) Stop() {
	_ = s.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(3 * time.Second):
		_ = s.command.Process.Kill()
		<-s.ended
	}
}

// endTimeout is for a process whose connections are already gone.
const endTimeout = time.Second

// Complaints says how the process has ended, or is about to, and what it has written to its standard error; "" where it runs.
func (s *Server) Complaints() string {
	select {
	case <-s.ended:
		return strings.TrimSuffix(fmt.Sprintf("the server has ended (%v): %s", s.err, strings.TrimSpace(s.errors.String())), ": ")
	case <-time.After(endTimeout):
		return ""
	}
}

// CPU is the processor time that a process has used.
type CPU struct {
	Total        time.Duration // by the kernel's clock of the process, in nanoseconds
	User, System time.Duration // the same in two parts, as the kernel has sampled them, in hundredths of a second
}

// Since returns what was used after before.
func (c CPU) Since(before CPU) CPU {
	return CPU{Total: c.Total - before.Total, User: c.User - before.User, System: c.System - before.System}
}

// Plus returns the sum.
func (c CPU) Plus(other CPU) CPU {
	return CPU{Total: c.Total + other.Total, User: c.User + other.User, System: c.System + other.System}
}

// Kernel returns how much of the total was the kernel's; false where it is too little to have been sampled.
func (c CPU) Kernel() (time.Duration, bool) {
	sampled := c.User + c.System
	if sampled < 10*tick {
		return 0, false
	}
	return time.Duration(float64(c.Total) * float64(c.System) / float64(sampled)), true
}

// CPU returns what the process has used until now.
func (s *Server) CPU() (c CPU, err error) {
	var t unix.Timespec
	clock := int32(^s.command.Process.Pid)<<3 | 2 // CPUCLOCK_SCHED of the whole process
	if err := unix.ClockGettime(clock, &t); err != nil {
		return c, fmt.Errorf("CPU clock of the server: %w", err)
	}
	c.Total = time.Duration(t.Nano())
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	if err != nil {
		return c, fmt.Errorf("CPU time of the server: %w", err)
	}
	c.User, c.System, err = parseTimes(string(stat))
	return c, err
}

// parseTimes reads the fields utime and stime of /proc/PID/stat (proc_pid_stat(5)), the 14th and the 15th. The second one
// is the program's name in parentheses, which may have anything in it.
func parseTimes(stat string) (user, system time.Duration, err error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("/proc/PID/stat is %q", stat)
	}
	u, err := strconv.ParseInt(fields[11], 10, 64)
	s, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(u) * tick, time.Duration(s) * tick, errors.Join(err, err2)
}

// Resident returns the process's resident memory in bytes.
func (s *Server) Resident() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("the kernel does not say how much memory the server has")
}
