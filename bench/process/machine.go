package process

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// wantedFiles is enough for 10,000 connections of the load, or of a server.
const wantedFiles = 20_000

// RaiseFiles lets this process and those that it starts have as many files as the benchmark needs.
func RaiseFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Max = max(limit.Max, wantedFiles)
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("the benchmark needs %d open files: raise the hard limit (ulimit -Hn) to that, or run it as root: %w", wantedFiles, err)
	}
	return nil
}

// Cores are where things run.
type Cores struct{ Load, Server int }

const pinned = "STATESYNC_BENCH_CORES"

// PinSelf begins this program anew with all its threads on one core, unless that has been done, and returns that core
// and another one for the servers. share allows that to be the same one.
func PinSelf(share bool) (c Cores, err error) {
	if done := os.Getenv(pinned); done != "" {
		_, err := fmt.Sscan(done, &c.Load, &c.Server)
		return c, err
	}
	load, server, err := cores(share)
	if err != nil {
		return c, err
	}
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	runtime.LockOSThread()
	var one unix.CPUSet
	one.Set(load)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return c, err
	}
	return c, unix.Exec(self, os.Args, append(os.Environ(), fmt.Sprintf("%s=%d %d", pinned, load, server)))
}

// cores returns the core for the load and another one for the servers.
func cores(share bool) (load, server int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, err
	}
	var may []int
	for i := range 1024 {
		if set.IsSet(i) {
			may = append(may, i)
		}
	}
	if len(may) == 1 && share {
		return may[0], may[0], nil
	}
	if len(may) < 2 {
		return 0, 0, fmt.Errorf("the benchmark needs two cores, one for the servers and one for the load, and may use %d", len(may))
	}
	return may[0], may[1], nil
}

// Describe returns what a reader wants to know of the machine.
func Describe() string {
	processor := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				processor = strings.TrimSpace(value)
				break
			}
		}
	}
	var name unix.Utsname
	_ = unix.Uname(&name)
	kernel := unix.ByteSliceToString(name.Release[:])
	node := "no Node.js"
	if out, err := exec.Command("node", "--version").Output(); err == nil {
		node = "Node.js " + strings.TrimSpace(strings.TrimPrefix(string(out), "v"))
	}
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, %s", processor, cpuCount(), kernel, runtime.Version(), node)
}

func cpuCount() int {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.NumCPU()
	}
	return strings.Count("\n"+string(text), "\nprocessor\t")
}

// Alone holds, until it is closed or this process ends, what only one process of the machine may have: two that measure
// at once would measure each other.
func Alone() (io.Closer, error) { return alone("statesync-bench") }

func alone(name string) (io.Closer, error) {
	held, err := net.Listen("unix", "@"+name) // a name without a file, which the kernel gives back
	if err != nil {
		return nil, fmt.Errorf("another run of the benchmark is under way on this machine; wait for it, or use --short: %w", err)
	}
	return held, nil
}
