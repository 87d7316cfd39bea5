package pageclock

import "testing"

func TestATimerRingsOnceAndNotTooEarly(t *testing.T) {
	timer := New()
	defer timer.Stop()
	began := Now()
	timer.Reset(1 << 40) // longer than a page can
	timer.Reset(30)
	<-timer.Rings()
	if passed := Now() - began; passed < 29 {
		t.Errorf("it rang after %d ms, want 30", passed)
	}
	timer.Reset(20)
	other := New()
	defer other.Stop()
	other.Reset(60)
	select {
	case <-timer.Rings():
	case <-other.Rings():
		t.Fatal("the timer with the longer time rang first")
	}
	<-other.Rings()
	if len(timer.Rings()) != 0 {
		t.Error("it rang twice")
	}
}

func TestATimerThatWasResetForgetsTheRingBefore(t *testing.T) {
	timer, other := New(), New()
	defer timer.Stop()
	defer other.Stop()
	timer.Reset(0)
	other.Reset(20)
	<-other.Rings() // the first has rung too, and nobody took it
	if len(timer.Rings()) != 1 {
		t.Fatal("it did not ring")
	}
	timer.Reset(0)
	timer.Reset(-1)
	other.Reset(20)
	<-other.Rings()
	if len(timer.Rings()) != 0 {
		t.Error("a ring is left of before")
	}
}
