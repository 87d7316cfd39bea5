package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// mostComplaints is how many runs of refused lines are told; the rest is counted.
const mostComplaints = 10

// An account counts what became of the lines, tells the refused ones, and shows its count while somebody looks.
type account struct {
	out     io.Writer
	did     string // what is done with a line: appended, imported
	visible bool   // out is a terminal

	mu       sync.Mutex // guards what follows, and writing to out
	waiting  int        // sent, and without an answer
	accepted int
	refused  int
	unknown  int
	lost     int // accepted into a state that is another one now
	run      complaint
	told     int  // complaints
	shown    bool // a line with the count stands on the terminal
}

func newAccount(out io.Writer, did string) *account {
	return &account{out: out, did: did, visible: isTerminal(out)}
}

// isTerminal reports whether somebody may be looking at what is written to the stream, or typing what is read of it.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	stat, err := file.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}

// sent takes a line that is on its way.
func (a *account) sent() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting++
}

// answer takes the verdict on a line that was sent.
func (a *account) answer(line int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting--
	switch {
	case err == nil:
		a.accepted++
	case errors.Is(err, wasmclient.ErrOutcomeUnknown):
		a.unknown++
		a.complain(line, "has an unknown outcome", "have an unknown outcome", err)
	default:
		a.refused++
		a.complain(line, "was refused", "were refused", err)
	}
}

// refuse takes a line that was not sent.
func (a *account) refuse(line int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused++
	a.complain(line, "was refused", "were refused", err)
}

// replaced notes that the state is another one now, without what was appended so far.
func (a *account) replaced(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost = a.accepted
	a.clear()
	fmt.Fprintln(a.out, "statesync:", err)
}

// A complaint tells of lines in a row with which the same was wrong.
type complaint struct {
	first, last int // 0: there is none
	one, many   string
	why         string
}

// complain tells of a line, together with those in a row.
func (a *account) complain(line int, one, many string, err error) {
	if a.run.last == line-1 && a.run.one == one && a.run.why == err.Error() {
		a.run.last = line
		return
	}
	a.tell()
	a.run = complaint{line, line, one, many, err.Error()}
}

// tell writes the complaint that was collected.
func (a *account) tell() {
	c := a.run
	if a.run = (complaint{}); c.last == 0 {
		return
	}
	a.told++
	a.clear()
	switch {
	case a.told > mostComplaints+1:
	case a.told > mostComplaints:
		fmt.Fprintln(a.out, "statesync: more such lines follow; they are counted and not told")
	case c.first == c.last:
		fmt.Fprintf(a.out, "statesync: line %d %s: %s\n", c.first, c.one, c.why)
	default:
		fmt.Fprintf(a.out, "statesync: lines %d to %d %s: %s\n", c.first, c.last, c.many, c.why)
	}
}

// verdict sums up after the last answer: nil when every line that was read is in the state. The cause with which ctx
// ended comes first, then err; a ctx that ended without one was interrupted.
func (a *account) verdict(ctx context.Context, err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tell()
	a.clear()
	sum := counted(a.accepted, "line was", "lines were") + " " + a.did
	if a.lost > 0 {
		sum += fmt.Sprintf(" (the first %d of them before the state was made anew: they are gone)", a.lost)
	}
	if a.refused > 0 {
		sum += fmt.Sprintf(", %d refused", a.refused)
	}
	if unknown := a.unknown + a.waiting; unknown > 0 {
		sum += fmt.Sprintf(", of %d the outcome is unknown", unknown)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	switch {
	case err == nil && ctx.Err() != nil:
		return &exitError{exitInterrupted, errors.New("interrupted: " + sum)}
	case err != nil:
		return fmt.Errorf("%w; %s", err, sum)
	case a.refused+a.unknown+a.waiting+a.lost > 0:
		return errors.New(sum)
	}
	if a.visible {
		fmt.Fprintln(a.out, "statesync: "+sum)
	}
	return nil
}

// showUntil shows the count on a terminal until done is closed.
func (a *account) showUntil(done <-chan struct{}) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
			a.show()
		}
	}
}

func (a *account) show() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.visible {
		fmt.Fprintf(a.out, "\r%d lines %s", a.accepted, a.did)
		a.shown = true
	}
}

// clear takes the count off the terminal, so that a message begins its line.
func (a *account) clear() {
	if a.shown {
		fmt.Fprint(a.out, "\r\x1b[K")
		a.shown = false
	}
}
