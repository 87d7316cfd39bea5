package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// audit is the log of one incarnation of a state, as the test keeps it: what was really accepted.
type audit struct {
	model      *model
	identifier string
	epoch      string
	committed  func(version uint64, err error)
	values     []document.Value // by version
	entries    [][]document.Op  // by version; none for 0
	sessions   []string         // by version: who made it
	waiting    []uint64         // versions that a late log has not committed
	tags       map[string]uint64
	dead       bool
}

// openLog is the model's OpenLog.
func (m *model) openLog(identifier, epoch string, committed func(uint64, error)) (Log, error) {
	a := &audit{
		model: m, identifier: identifier, epoch: epoch, committed: committed, tags: map[string]uint64{},
		entries: [][]document.Op{nil}, sessions: []string{""},
	}
	m.audits[epoch], m.current[identifier] = a, a
	return a, nil
}

// begin notes the initial value, which is no entry.
func (a *audit) begin(value document.Value) { a.values = []document.Value{value} }

func (a *audit) head() uint64 { return uint64(len(a.values)) - 1 }

// Append notes an accepted change.
func (a *audit) Append(version uint64, record []byte) (bool, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(record, &parts); err != nil || len(parts) != 3 {
		a.model.failf("record %s: %v", record, err)
	}
	ops, err := protocol.DecodeOps(parts[2], ownLimits)
	if err != nil {
		a.model.failf("record %s: %v", record, err)
	}
	next, again, err := document.Apply(a.values[a.head()], ops, document.NoLimits)
	switch {
	case err != nil:
		a.model.failf("version %d cannot be applied: %v: %s", version, err, record)
	case version != a.head()+1:
		a.model.failf("version %d came after %d", version, a.head())
	case !sameOps(again, ops):
		a.model.failf("version %d is not normalized: %s", version, record)
	}
	a.values, a.entries = append(a.values, next), append(a.entries, ops)
	a.sessions = append(a.sessions, strings.Trim(string(parts[0]), `"`))
	a.noteTags(version, ops)
	a.model.logf("%s %s %d: %s", a.identifier, a.epoch, version, record)
	if a.model.late {
		a.waiting = append(a.waiting, version)
	}
	return !a.model.late, nil
}

// noteTags finds the tags of the changes in an entry, and holds each to be there once in the whole run.
func (a *audit) noteTags(version uint64, ops []document.Op) {
	for _, op := range ops {
		if op.Kind != document.Add || len(op.Path) != 1 || !keeps(op.Path[0].Name) {
			continue
		}
		tag := op.Value.Text()
		for _, other := range a.model.audits {
			if at, twice := other.tags[tag]; twice {
				a.model.failf("change %s was applied twice: as %d and as %d", tag, at, version)
			}
		}
		a.tags[tag] = version
	}
}

// keeps reports whether a property carries the tag of a change. The interceptor lets these through.
func keeps(property string) bool { return strings.HasPrefix(property, "tag:") }

// commit reports the first n of the versions that wait.
func (a *audit) commit(n int) {
	if n == 0 || a.dead {
		return
	}
	version := a.waiting[n-1]
	a.waiting = slices.Delete(a.waiting, 0, n)
	a.committed(version, nil)
}

// Close ends the log with its state.
func (a *audit) Close() error {
	a.dead, a.waiting = true, nil
	return nil
}

// checkNothingLost holds the values to what was accepted: the log only ever grows at its end, a line once, and the sum is
// that of all increments.
func (a *audit) checkNothingLost() {
	sum, lines := 0.0, 0
	for version := 1; version < len(a.values); version++ {
		for _, op := range a.entries[version] {
			if op.Kind == document.Increment && op.Path[0].Name == "sum" {
				sum += op.Value.Number()
			}
		}
		before, after := elementsOf(a.values[version-1].Get("log")), elementsOf(a.values[version].Get("log"))
		if len(after) < len(before) || !document.MustOf(before).Equal(document.MustOf(after[:len(before)])) {
			a.model.failf("version %d has the log %v, and before it was %v", version, after, before)
		}
		lines = len(after)
	}
	value := a.values[a.head()]
	if got := value.Get("sum").Number(); got != sum {
		a.model.failf("the sum is %v, and increments make %v", got, sum)
	}
	once := map[string]bool{}
	for _, line := range value.Get("log").Elements() {
		once[line.Text()] = true
	}
	if len(once) != lines {
		a.model.failf("the log has a line twice: %s", value.Get("log"))
	}
}

// find returns where a tag is in the whole run.
func (m *model) find(tag string) (*audit, uint64) {
	for _, a := range m.audits {
		if version, ok := a.tags[tag]; ok {
			return a, version
		}
	}
	return nil, 0
}

// checkVerdict holds one change to what really happened to it.
func (m *model) checkVerdict(c *modelClient, k *modelChange) {
	if k.verdict == nil {
		m.failf("%s: change %s has no verdict", c.name, k.tag)
	}
	a, version := m.find(k.tag)
	v := k.verdict
	switch {
	case v.Accepted():
		if version == 0 || version != v.Version {
			m.failf("%s: change %s was accepted as %d, and the log has it as %d", c.name, k.tag, v.Version, version)
		}
		if a.sessions[version] != c.session {
			m.failf("%s: change %s is in the log as one of %s", c.name, k.tag, a.sessions[version])
		}
		k.checkEffect(a, version)
	case mayHaveHappened(v.Code):
	case version != 0:
		m.failf("%s: change %s was refused with %v, and is in the log as %d", c.name, k.tag, v.Code, version)
	}
	m.counts.note(v.Code, k)
}

// mayHaveHappened reports whether a verdict leaves open what the server decided.
func mayHaveHappened(code protocol.Code) bool {
	return code == protocol.CodeOutcomeUnknown || code == protocol.CodeStateReplaced ||
		code == protocol.CodeStateRemoved || code == protocol.CodeClosed
}

func (c *modelCounts) note(code protocol.Code, k *modelChange) {
	switch code {
	case 0:
		c.accepted++
	case protocol.CodeOutcomeUnknown:
		c.unknown++
	case protocol.CodeStale:
		c.stale++
	case protocol.CodeConflict:
		c.conflict++
	case protocol.CodeBaseTooOld:
		c.tooOld++
	case protocol.CodeStateBusy:
		c.busy++
	case protocol.CodeStateReplaced:
		c.replaced++
	case protocol.CodeStateRemoved:
		c.removed++
	default:
		c.refused++
	}
}

// checkEffect holds an accepted change to what it asked for, unless the interceptor rewrote it.
func (k *modelChange) checkEffect(a *audit, version uint64) {
	m, entry, after := a.model, a.entries[version], a.values[version]
	if m.rewritten[k.tag] {
		m.counts.rewritten++
		return
	}
	for name, value := range k.updates.Members() {
		if !after.Get(name).Equal(value) {
			m.failf("change %s set %s to %s, and version %d has %s", k.tag, name, value, version, after.Get(name))
		}
	}
	if k.element == "" {
		return
	}
	for _, op := range entry {
		last := len(op.Path) - 1
		if op.Kind != document.Add || op.Path[last].Name != k.mark {
			continue
		}
		m.counts.elements++
		if got := after.At(op.Path[:last].String()).Get("id").Text(); got != k.element {
			m.failf("change %s was for %s and landed on %s: %s", k.tag, k.element, got, fmt.Sprint(op.Path))
		}
		return
	}
	m.failf("change %s marks nothing in version %d", k.tag, version)
}
