package server

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A rule that does not answer is not asked again on top of that: one goroutine waits, and what came meanwhile is one
// more question when it has answered at last.
func TestRuleThatDoesNotAnswerIsNotAskedAgainMeanwhile(t *testing.T) {
	timed(t, Options{SelfDestructInterval: time.Minute}, func(t *testing.T, f *fixture) {
		var asked, inside atomic.Int32
		release := make(chan struct{})
		f.create(StateOptions{Identifier: "s", SelfDestruct: func(int, time.Time) bool {
			if inside.Add(1) > 1 {
				t.Error("the rule is asked twice at a time")
			}
			defer inside.Add(-1)
			if asked.Add(1) == 1 {
				<-release
				return true // too late
			}
			return false
		}})
		w := f.joined("w", "s")
		time.Sleep(time.Hour)
		w.send(`["leave",1]`)
		synctest.Wait()
		if got := asked.Load(); got != 1 {
			t.Errorf("the rule was asked %d times", got)
		}
		close(release)
		synctest.Wait()
		if got := asked.Load(); got != 2 {
			t.Errorf("the rule was asked %d times after its answer, want 2", got)
		}
		if !f.exists("s") {
			t.Error("the answer that came too late has ended the state")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := asked.Load(); got != 3 {
			t.Errorf("the rule was asked %d times, want 3", got)
		}
	})
}
