package server

import (
	"context"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// change is one that waits for its judgment, or is judged.
type change struct {
	// Of a session's change; record is nil for one by the program.
	record *record
	peer   *peer // the connection that brought it
	number uint64
	base   uint64    // the version that its author had confirmed
	size   int       // bytes on the wire
	turned uint64    // the last number of the session before it that was turned away
	held   time.Time // when it began to wait in the state's line
	behind int       // how many right behind it were turned away
	fault  *Error    // what is wrong with its content; then nothing below is set

	// What it does: one of updates, ops and patch.
	updates document.Value
	ops     []document.Op
	patch   []document.PatchOp // by the program: resolved on the current value
	indexed bool               // ops address array elements

	transaction bool
	reads       []string
	readAll     bool
	answered    uint64 // the highest own number whose answer the transaction had seen

	handle *Handle // of a change by the program
	ctx    context.Context
	client any // the clientInformation that came with it
}

// author returns who made the change.
func (c *change) author() author {
	if c.record == nil {
		return byServer
	}
	return c.record.author
}

// clientInformation returns what the program knows of the author now, not when the change was sent.
func (c *change) clientInformation() any {
	if c.record == nil {
		return c.client
	}
	return c.record.session.clientInformation()
}

// newChange returns what the messages merge, patch and transaction have in common.
func newChange(m protocol.Change) *change {
	return &change{number: m.Number, base: m.Base, size: m.Size, fault: m.Fault}
}

// mergeChange returns the change that a merge message asks for.
func mergeChange(m protocol.Merge) *change {
	c := newChange(m.Change)
	c.updates = m.Updates
	return c
}

// patchChange returns the change that a patch message asks for.
func patchChange(m protocol.Patch) *change {
	c := newChange(m.Change)
	c.ops, c.indexed = m.Ops, document.HasIndex(m.Ops)
	return c
}

// transactionChange returns the change that a transaction message asks for.
func transactionChange(m protocol.Transaction) *change {
	c := newChange(m.Change)
	c.transaction, c.updates = true, m.Updates
	c.reads, c.readAll, c.answered = m.Reads, m.ReadAll, m.Answered
	return c
}
