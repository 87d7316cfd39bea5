package server

import (
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/core"
)

// modelChange is a change that a client made. Each carries a tag, which says afterwards whether it happened.
type modelChange struct {
	tag     string
	updates document.Value // of a merge or a transaction
	element string         // the id of the element that it marks
	mark    string         // the name of the mark
	verdict *core.Verdict
}

// submit makes a random change.
func (c *modelClient) submit() {
	s := c.states[modelStates[c.random.IntN(len(modelStates))]]
	if s == nil {
		return
	}
	k := &modelChange{tag: c.tag(c.name + "-")}
	change := c.randomChange(s, k)
	ticket, err := s.Submit(c.now(), change)
	if err == nil {
		c.logf("%s: submit %s to %s: %+v", c.name, k.tag, s.Identifier(), change)
		c.tickets[ticket] = k
		c.changes = append(c.changes, k)
		if s.Pending() > 2 {
			c.counts.chained++
		}
	}
	c.effects()
}

func (c *modelClient) randomChange(s *modelState, k *modelChange) core.Change {
	switch n := c.random.IntN(20); {
	case n < 4:
		k.updates = c.randomUpdates(s, k)
		return core.Merge{Updates: k.updates}
	case n < 7:
		change := core.Transaction{Basis: s.Basis()}
		change.Updates, change.Reads = c.randomTransaction(s, k)
		k.updates = change.Updates
		return change
	case n < 11:
		return c.markElement(s, k)
	default:
		return c.tagged(k, c.randomOps(s, k)...)
	}
}

func (c *modelClient) tagProperty() string { return "tag:" + c.name }

// tagged returns a patch with the tag.
func (c *modelClient) tagged(k *modelChange, ops ...document.PatchOp) core.Change {
	tag := document.PatchOp{Kind: document.Add, Path: "/" + c.tagProperty(), Value: document.MustOf(k.tag)}
	return core.Patch{Ops: append(ops, tag)}
}

func (c *modelClient) randomUpdates(s *modelState, k *modelChange) document.Value {
	updates := document.MustOf(map[string]any{c.tagProperty(): k.tag})
	switch c.random.IntN(6) {
	case 0:
		return updates.With("list", document.MustOf(append(elementsOf(s.View().Get("list")), c.element())))
	case 1:
		list := elementsOf(s.View().Get("list"))
		c.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return updates.With("list", document.MustOf(list))
	case 2:
		return updates.With("doc", document.MustOf(map[string]any{"items": []any{c.element()}, "by": c.name}))
	default:
		return updates.With("last", document.MustOf(c.random.IntN(4))).With(c.name, document.MustOf(map[string]any{"n": c.random.IntN(3)}))
	}
}

// randomTransaction computes updates from what the view holds.
func (c *modelClient) randomTransaction(s *modelState, k *modelChange) (document.Value, []string) {
	updates := document.MustOf(map[string]any{c.tagProperty(): k.tag})
	if c.random.IntN(3) == 0 {
		return updates.With("last", document.MustOf(s.View().Get("last").Number()+1)), nil
	}
	return updates.With("log", document.MustOf(append(elementsOf(s.View().Get("log")), k.tag))), []string{"log"}
}

// markElement sets a member of an element that is known by its id.
func (c *modelClient) markElement(s *modelState, k *modelChange) core.Change {
	array := []string{"/list", "/doc/items"}[c.random.IntN(2)]
	list := s.View().At(array)
	if list.Len() == 0 || s.Phase() != core.StateJoined {
		return c.tagged(k, c.randomOps(s, k)...) // before the first join, a path is resolved when that comes
	}
	i := c.random.IntN(list.Len())
	k.element, k.mark = list.Index(i).Get("id").Text(), c.tag("mark")
	return c.tagged(k, document.PatchOp{Kind: document.Add, Path: fmt.Sprintf("%s/%d/%s", array, i, k.mark), Value: document.MustOf(c.name)})
}

func (c *modelClient) randomOps(s *modelState, k *modelChange) (ops []document.PatchOp) {
	for range c.random.IntN(4) {
		ops = append(ops, c.randomOp(s))
	}
	if c.random.IntN(3) == 0 {
		ops = append(ops, document.PatchOp{Kind: document.Add, Path: "/log/-", Value: document.MustOf(k.tag)})
	}
	return ops
}

func (c *modelClient) randomOp(s *modelState) document.PatchOp {
	array := []string{"/list", "/doc/items"}[c.random.IntN(2)]
	n := max(s.View().At(array).Len(), 1)
	at := func() string { return fmt.Sprintf("%s/%d", array, c.random.IntN(n)) }
	switch c.random.IntN(13) {
	case 0, 1:
		return document.PatchOp{Kind: document.Add, Path: array + "/-", Value: document.MustOf(c.element())}
	case 2:
		return document.PatchOp{Kind: document.Add, Path: at(), Value: document.MustOf(c.element())}
	case 3:
		return document.PatchOp{Kind: document.Remove, Path: at()}
	case 4:
		return document.PatchOp{Kind: document.Replace, Path: at(), Value: document.MustOf(c.element())}
	case 5:
		return document.PatchOp{Kind: document.Move, From: at(), Path: at()}
	case 6, 7:
		return document.PatchOp{Kind: document.Increment, Path: "/sum", Value: document.MustOf(1 + c.random.IntN(3))}
	case 8:
		return document.PatchOp{Kind: document.Test, Path: "/last", Value: document.MustOf(c.random.IntN(4))}
	case 9:
		return document.PatchOp{Kind: document.Copy, From: at(), Path: "/copied"}
	case 10:
		return document.PatchOp{Kind: document.Move, From: at(), Path: "/moved"}
	case 11:
		return document.PatchOp{Kind: document.Remove, Path: []string{"/copied", "/moved"}[c.random.IntN(2)]}
	default:
		return document.PatchOp{Kind: document.Add, Path: "/last", Value: document.MustOf(c.random.IntN(4))}
	}
}

// elementsOf returns the elements of an array as document.Of takes them.
func elementsOf(v document.Value) (list []any) {
	for _, element := range v.Elements() {
		list = append(list, element)
	}
	return list
}
