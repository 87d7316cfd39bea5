package server

import (
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// A verdict is the version that an accepted change became, with flags above it; refused changes are verdict 0 and
// have a refusal.
type verdict uint64

const (
	altered verdict = 1 << 63 // the result differs from the author's own change, so the answer carries the operations
	indexed verdict = 1 << 62 // the change addressed array elements, so an author that jumped cannot compute the result

	versionMask = 1<<53 - 1
)

// version returns the version that the change became, 0 for a refused one.
func (v verdict) version() uint64 { return uint64(v) & versionMask }

// has reports whether the flag is set.
func (v verdict) has(flag verdict) bool { return v&flag != 0 }

// refusal is why a change was refused, and the version on which it was judged: the answer stands after it.
type refusal struct {
	number   uint64
	position uint64
	code     protocol.Code
	reason   string
}

// maxReason is how many bytes of a reason are kept: a client can bring about reasons that name long keys, and a session
// may have a window of them for each state.
const maxReason = 200

// cut returns the reason, or its beginning where it is too long.
func cut(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	end := maxReason - len("…")
	for end > 0 && !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end] + "…"
}

// verdicts keeps the last verdicts on the changes of one session to one state, at most window of them: whatever
// the session may still ask about. Memory grows with use, eight bytes for an accepted change.
type verdicts struct {
	window   int
	decided  uint64    // the highest number that has a verdict
	ring     []verdict // the verdict on number n stands at n modulo the length
	held     int       // how many are kept, up to decided
	refusals []refusal // of the refused numbers among them, ascending
}

// push records the verdict on the next number.
func (v *verdicts) push(given verdict) {
	if v.held == len(v.ring) && v.held < v.window {
		v.grow()
	}
	v.decided++
	v.ring[v.decided%uint64(len(v.ring))] = given
	v.held = min(v.held+1, len(v.ring))
	if len(v.refusals) > 0 && !v.keeps(v.refusals[0].number) {
		v.dropStale()
	}
}

// dropStale forgets why changes were refused whose verdicts are not kept any more.
func (v *verdicts) dropStale() {
	stale := 0
	for stale < len(v.refusals) && !v.keeps(v.refusals[stale].number) {
		stale++
	}
	n := copy(v.refusals, v.refusals[stale:])
	clear(v.refusals[n:])
	v.refusals = v.refusals[:n]
	if n == 0 {
		v.refusals = nil
	}
}

// pushRefusal records that the next number was refused.
func (v *verdicts) pushRefusal(r refusal) {
	v.push(0)
	r.number, r.reason = v.decided, cut(r.reason)
	v.refusals = append(v.refusals, r)
}

// skip goes on behind a number up to which the session has all verdicts, or none are known.
func (v *verdicts) skip(number uint64) {
	v.decided, v.held, v.refusals = number, 0, nil
}

// grow doubles the ring, up to the window.
func (v *verdicts) grow() {
	ring := make([]verdict, min(max(4, 2*len(v.ring)), v.window))
	for n := v.decided - uint64(v.held) + 1; n <= v.decided; n++ {
		ring[n%uint64(len(ring))] = v.of(n)
	}
	v.ring = ring
}

// keeps reports whether the verdict on the number is known.
func (v *verdicts) keeps(number uint64) bool {
	return number > 0 && number <= v.decided && v.decided-number < uint64(v.held)
}

// of returns the verdict on a number that is kept.
func (v *verdicts) of(number uint64) verdict { return v.ring[number%uint64(len(v.ring))] }

// refusal returns why a number was refused whose verdict is 0 and kept.
func (v *verdicts) refusal(number uint64) refusal {
	for i := len(v.refusals) - 1; i >= 0; i-- {
		if v.refusals[i].number == number {
			return v.refusals[i]
		}
	}
	return refusal{number: number}
}
