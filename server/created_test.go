package server

import (
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/stores"
)

// A time is one moment in every zone, also in those whose offset RFC 3339 cannot write.
func TestTimeOfCreationIsTheSameAfterARestartWhateverItsZone(t *testing.T) {
	moment := newFakeClock().Now().Add(-time.Minute)
	for name, made := range map[string]time.Time{
		"seconds in the offset": moment.In(time.FixedZone("", 53*60+28)),
		"more than a day":       moment.In(time.FixedZone("", 25*3600)),
		"the year 10000":        time.Date(9999, 12, 31, 23, 30, 0, 0, time.UTC).In(time.FixedZone("", 3600)),
	} {
		t.Run(name, func(t *testing.T) {
			f := kept(t, StateOptions{CreatedAt: made})
			f = f.restart(Options{})
			f.create(StateOptions{Identifier: "s"})
			if got := f.stateOf("s").createdAt; !got.Equal(made) {
				t.Errorf("it was created at %v, want %v", got, made)
			}
		})
	}
}

// A clock may have been set back by more than a time.Duration holds.
func TestStateThatWasCreatedInTheFarFutureLivesOn(t *testing.T) {
	far := StateOptions{Identifier: "s", CreatedAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), TTL: time.Hour}
	f := newFixture(t, Options{Store: stores.NewMemory()})
	f.create(far)
	f.clock.advance(time.Minute)
	if !f.exists("s") {
		t.Error("the state has ended")
	}
	f.letRest()
	f.clock.advance(time.Minute)
	if !f.rests("s") {
		t.Error("the state has ended at rest")
	}
}
