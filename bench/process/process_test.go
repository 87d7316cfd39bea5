package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// started is a server that starts another process and writes its number to a file.
const started = `sleep 600 & echo "127.0.0.1:1"; echo $! >"$0"; wait`

// TestMain is also a benchmark that starts a server and is ended while that runs.
func TestMain(m *testing.M) {
	if os.Getenv("STATESYNC_BENCH_KILLED") == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), 0, "sleep", "600")
	fmt.Println(s, err) // sleep prints no address: Start waits for it
}

// gone waits until a process is not there, or only its number is.
func gone(t *testing.T, pid string) {
	t.Helper()
	for range 500 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %s still runs", pid)
}

func TestInterruptionEndsWhatAServerHasStarted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	file := t.TempDir() + "/pid"
	s, err := Start(ctx, 0, "sh", "-c", started, file)
	if err != nil {
		t.Fatal(err)
	}
	var pid []byte
	for len(bytes.TrimSpace(pid)) == 0 {
		pid, _ = os.ReadFile(file)
	}
	stop()
	gone(t, strings.TrimSpace(string(pid)))
	if got, want := s.Complaints(), "the server has ended (signal: killed)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sleeper is the child of a process that has become sleep; "" where there is none yet.
func sleeper(t *testing.T, parent int) string {
	t.Helper()
	tasks := fmt.Sprintf("/proc/%d/task", parent)
	list, err := os.ReadDir(tasks)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range list {
		children, _ := os.ReadFile(tasks + "/" + task.Name() + "/children")
		for _, child := range strings.Fields(string(children)) {
			if name, _ := os.ReadFile("/proc/" + child + "/comm"); string(name) == "sleep\n" {
				return child
			}
		}
	}
	return ""
}

// A benchmark that is killed can end nobody; the kernel does.
func TestServersDoNotOutliveAKilledBenchmark(t *testing.T) {
	self := exec.Command("/proc/self/exe")
	self.Env = append(os.Environ(), "STATESYNC_BENCH_KILLED=yes")
	if err := self.Start(); err != nil {
		t.Fatal(err)
	}
	child := ""
	for child == "" {
		child = sleeper(t, self.Process.Pid)
	}
	_ = self.Process.Kill()
	_ = self.Wait()
	gone(t, child)
}

func TestOnlyOneRunMeasures(t *testing.T) {
	name := fmt.Sprint("statesync-bench-test-", os.Getpid())
	first, err := alone(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone(name); err == nil || !strings.Contains(err.Error(), "another run of the benchmark") {
		t.Errorf("a second run begins: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := alone(name)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	_ = again.Close()
}

func TestOthersAreWhatIsNotOurs(t *testing.T) {
	before, err := parseStat("cpu  100 0 50 1000 0 3 4 5 0 0\ncpu0 1 2 3 4\n")
	if err != nil {
		t.Fatal(err)
	}
	after, err := parseStat("cpu  170 10 60 1100 0 3 4 15 0 0\n") // 200 more, of which 100 were used
	if err != nil {
		t.Fatal(err)
	}
	after.own = 600 * time.Millisecond
	if got := after.Others(before); got != 20 {
		t.Errorf("others used %v %%, want 20", got)
	}
	if _, err := parseStat("intr 1 2 3"); err == nil {
		t.Error("what is no such file is read")
	}
}

// A program's name may have anything in it, and stands before the times.
func TestProcessorTimesOfAProcess(t *testing.T) {
	user, system, err := parseTimes("42 (a) S (b) R 1 2 3 4 5 6 7 8 9 10 250 70 0 0 20\n")
	if err != nil || user != 2500*time.Millisecond || system != 700*time.Millisecond {
		t.Errorf("got %v, %v and %v, want 2.5s and 700ms", user, system, err)
	}
	for _, bad := range []string{"", "42 (a) R 1 2 3", "42 (a) R 1 2 3 4 5 6 7 8 9 10 x y 0"} {
		if _, _, err := parseTimes(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if kernel, ok := (CPU{Total: time.Second, User: 750 * time.Millisecond, System: 250 * time.Millisecond}).Kernel(); !ok || kernel != 250*time.Millisecond {
		t.Errorf("the kernel had %v (%v), want 250ms", kernel, ok)
	}
	if _, ok := (CPU{Total: time.Millisecond, User: tick}).Kernel(); ok {
		t.Error("a single sample tells what the kernel had")
	}
}
