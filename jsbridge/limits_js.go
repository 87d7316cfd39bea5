package jsbridge

import (
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/internal/driver"
)

// setLimits takes the members backoff, connectTimeoutMs and pendingLimit; those that are not there stay as they are by
// default.
func setLimits(options *driver.Options, given js.Value) error {
	if v := given.Get("backoff"); !v.IsUndefined() {
		options.BackoffMin, options.BackoffMax = amount(v, "shortestMs"), amount(v, "longestMs")
		if options.BackoffMin == 0 || options.BackoffMax < options.BackoffMin {
			return argumentError("the option backoff is an object with shortestMs, from 1, and longestMs, which is not below it")
		}
	}
	if !given.Get("connectTimeoutMs").IsUndefined() {
		options.ConnectTimeout = amount(given, "connectTimeoutMs")
		if options.ConnectTimeout == 0 {
			return argumentError("the option connectTimeoutMs is a number from 1")
		}
	}
	if v := given.Get("pendingLimit"); !v.IsUndefined() {
		options.PendingChanges, options.PendingBytes = int(amount(v, "changes")), int(amount(v, "bytes"))
		if options.PendingChanges == 0 || options.PendingBytes == 0 {
			return argumentError("the option pendingLimit is an object with changes and bytes, numbers from 1")
		}
	}
	return nil
}

// mostAmount, as milliseconds, is 34 years: what is beyond it, such as Infinity, is no limit.
const mostAmount = 1 << 40

// amount returns a member that is a number from 1, and 0 of anything else.
func amount(object js.Value, member string) int64 {
	if typeOf(object) != js.TypeObject {
		return 0
	}
	if n := numberOf(object.Get(member)); n >= 1 { // as NaN is not
		return int64(min(n, mostAmount))
	}
	return 0
}

// numberOf returns the number, and 0 of what is none, a BigInt among it.
func numberOf(v js.Value) (n float64) {
	defer func() { _ = recover() }()
	return v.Float()
}
