package server

import "time"

// clock is the time that the package lives in. Tests replace it to own the time.
type clock interface {
	// Now returns the current time.
	Now() time.Time
	// AfterFunc calls f once after d, not from inside AfterFunc. The result ends that, if it has not begun.
	AfterFunc(d time.Duration, f func()) (stop func())
}

// systemClock is the time of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}
