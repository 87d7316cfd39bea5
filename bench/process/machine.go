package process

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

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

// A Meter measures what others use of the processors.
type Meter struct{ busy, total, own time.Duration }

// NewMeter begins.
func NewMeter() (Meter, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Meter{}, err
	}
	m, err := parseStat(string(text))
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} { // the servers are children, and have been waited for
		var u unix.Rusage
		err = errors.Join(err, unix.Getrusage(who, &u))
		m.own += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return m, err
}

// tick is the unit of times in /proc.
const tick = 10 * time.Millisecond

// parseStat reads the first line of /proc/stat: what processes and, last, other machines of the hardware have used, in
// hundredths of a second. What interrupts take is counted as idle: it may be this program's own network.
func parseStat(text string) (m Meter, err error) {
	var user, nice, system, idle, iowait, irq, softirq, steal int64
	if _, err := fmt.Sscanf(text, "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err != nil {
		return m, fmt.Errorf("/proc/stat: %w", err)
	}
	m.busy = time.Duration(user+nice+system+steal) * tick
	m.total = m.busy + time.Duration(idle+iowait+irq+softirq)*tick
	return m, nil
}

// Others returns the percentage of the processors' time since before that was used by others.
func (m Meter) Others(before Meter) float64 {
	return max(0, 100*float64(m.busy-before.busy-(m.own-before.own))/float64(m.total-before.total))
}
