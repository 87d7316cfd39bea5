package server

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// audit is the log of one incarnation of a state, as the test keeps it: what was really accepted.
type audit struct {
	model      *model
	identifier string
	epoch      string
	base       uint64           // the version with which the epoch began; nothing below is known
	values     []document.Value // by version
	entries    [][]document.Op  // by version; none for base
	sessions   []string         // by version: who made it
	log        map[uint64]*modelLog
	tags       map[string]uint64
}

// newAudit begins an epoch with a value, which is no entry.
func (m *model) newAudit(identifier string, header []byte, version uint64, value document.Value) *audit {
	a := &audit{
		model: m, identifier: identifier, epoch: m.epochOf(header), tags: map[string]uint64{}, base: version,
		values: make([]document.Value, version+1), entries: make([][]document.Op, version+1), sessions: make([]string, version+1),
		log: map[uint64]*modelLog{},
	}
	a.values[version] = value
	if m.audits[a.epoch] != nil {
		m.failf("epoch %s began twice", a.epoch)
	}
	m.audits[a.epoch], m.current[identifier] = a, a
	return a
}

func (a *audit) head() uint64 { return uint64(len(a.values)) - 1 }

// truncate forgets the versions above the given one: a crash has lost them.
func (a *audit) truncate(version uint64) {
	a.values, a.entries, a.sessions = a.values[:version+1], a.entries[:version+1], a.sessions[:version+1]
	for tag, at := range a.tags {
		if at > version {
			delete(a.tags, tag)
		}
	}
}

// note notes an accepted change.
func (a *audit) note(version uint64, record []byte) {
	var parts []json.RawMessage
	if err := json.Unmarshal(record, &parts); err != nil || len(parts) < 3 {
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
	a.log[version] = a.model.store.logs[a.identifier]
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

// checkNothingLost holds the values to what was accepted: the log only ever grows at its end, a line once, and the sum is
// that of all increments.
func (a *audit) checkNothingLost() {
	sum, lines := a.values[a.base].Get("sum").Number(), a.values[a.base].Get("log").Len()
	for version := a.base + 1; version <= a.head(); version++ {
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
