//go:build !js

package jointtest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
)

// mostWriters is how many may write in one history.
const mostWriters = 32

// content is what the state of a history holds, as plainly as it can be said. The checkers replay changes on it, so that
// they share no code with what they check.
type content struct {
	a, b, sum int64
	log       string              // the elements, each with a space after it
	tags      [mostWriters]uint32 // the number of each writer's change that was applied last; 0: none
}

// initialContent is the value with which a history begins.
func initialContent() map[string]any {
	return map[string]any{"a": 0, "b": 0, "sum": 0, "log": []any{}}
}

// tagName is the property in which a writer leaves the number of its change. Nobody else writes it.
func tagName(writer int) string { return "w" + strconv.Itoa(writer) }

// contentOf reads a value of the state.
func contentOf(v document.Value) content {
	c := content{a: int64(v.Get("a").Number()), b: int64(v.Get("b").Number()), sum: int64(v.Get("sum").Number())}
	var log strings.Builder
	for _, element := range v.Get("log").Elements() {
		log.WriteString(element.Text())
		log.WriteByte(' ')
	}
	c.log = log.String()
	for writer := range c.tags {
		c.tags[writer] = uint32(v.Get(tagName(writer)).Number())
	}
	return c
}

// kind is what a change of a history does.
type kind uint8

const (
	merging     kind = iota // sets a, and empties the log if it clears
	adding                  // adds to sum
	appending               // puts an element at the end of log
	transaction             // computes b from a and b
)

// tag names a change of a history: the writer, and its number from 1 on.
type tag struct {
	writer int
	number uint32
}

func (t tag) String() string { return fmt.Sprintf("%d.%d", t.writer, t.number) }

// change is one that a writer asked for.
type change struct {
	tag
	kind         kind
	value        int64
	clears       bool
	seenA, seenB int64 // what a transaction computed from
}

// computed is what a transaction makes of b.
func (c *change) computed() int64 { return c.seenA + c.seenB%1000 + c.value }

// apply returns what an accepted change makes, and false when it could not be accepted here: a transaction that saw
// something else.
func (c *change) apply(on content) (content, bool) {
	switch c.kind {
	case merging:
		on.a = c.value
		if c.clears {
			on.log = ""
		}
	case adding:
		on.sum += c.value
	case appending:
		on.log += c.String() + " "
	case transaction:
		if on.a != c.seenA || on.b != c.seenB {
			return on, false
		}
		on.b = c.computed()
	}
	on.tags[c.writer] = c.number
	return on, true
}

// outcome is what a writer knows of its change.
type outcome uint8

const (
	accepted outcome = iota
	refused          // it was not applied
	unknown          // it was applied or not, or will be
)

// event is a change or a read of one writer. Call and back are readings of the history's clock, which gives every number
// once: what was back before another was called really was.
type event struct {
	writer     int
	change     *change // nil: a read
	outcome    outcome // of a change
	version    uint64  // of an accepted change; of a client's confirmed value
	read       content
	last       bool // the read came when all changes had their verdicts
	confirmed  bool // the read is of a client's confirmed value, which may lag behind the server's
	call, back int64
}

// sight is what a client that was never disturbed has heard of one version.
type sight struct {
	from, version uint64
	tags          []tag // of the changes in it; of a healthy server's exactly one
	view          content
}
