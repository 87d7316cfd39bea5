package core

import (
	"fmt"

	"github.com/server-state-sync/server-state-sync/document"
)

func (c *simClient) randomChange(s *simState) (change Change, element string) {
	switch c.random.IntN(10) {
	case 0, 1:
		return Merge{Updates: c.randomUpdates(s)}, ""
	case 2:
		t := Transaction{Updates: c.randomUpdates(s), Basis: s.Basis()}
		if c.random.IntN(2) == 0 {
			t.Reads = []string{"count"}
		}
		return t, ""
	case 3:
		return c.markElement(s)
	default:
		return c.randomPatch(s), ""
	}
}

func (c *simClient) randomUpdates(s *simState) document.Value {
	switch c.random.IntN(5) {
	case 0:
		return document.MustOf(map[string]any{"count": c.random.IntN(5)})
	case 1:
		return document.MustOf(map[string]any{"list": append(elements(s.View().Get("list")), c.element())})
	case 2:
		list := elements(s.View().Get("list"))
		c.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return document.MustOf(map[string]any{"list": list, "by": c.name})
	case 3:
		return document.MustOf(map[string]any{"doc": map[string]any{"items": []any{c.element()}}})
	default:
		return document.MustOf(map[string]any{c.name: c.random.IntN(3), "last": c.name})
	}
}

// markElement sets a member in an element that is known by its id.
func (c *simClient) markElement(s *simState) (Change, string) {
	list := s.View().Get("list")
	if list.Len() == 0 || !s.known {
		return c.randomPatch(s), ""
	}
	i := c.random.IntN(list.Len())
	op := document.PatchOp{
		Kind: document.Add, Path: fmt.Sprintf("/list/%d/mark%d", i, c.random.Uint32()), Value: document.MustOf(c.name),
	}
	return Patch{Ops: []document.PatchOp{op}}, list.Index(i).Get("id").Text()
}

func (c *simClient) randomPatch(s *simState) Change {
	var ops []document.PatchOp
	for range 1 + c.random.IntN(3) {
		ops = append(ops, c.randomOp(s))
	}
	return Patch{Ops: ops}
}

func (c *simClient) randomOp(s *simState) document.PatchOp {
	list := []string{"/list", "/doc/items"}[c.random.IntN(2)]
	n := max(s.View().At(list).Len(), 1)
	at := func() string { return fmt.Sprintf("%s/%d", list, c.random.IntN(n)) }
	switch c.random.IntN(12) {
	case 0, 1, 2:
		return document.PatchOp{Kind: document.Add, Path: list + "/-", Value: document.MustOf(c.element())}
	case 3:
		return document.PatchOp{Kind: document.Add, Path: at(), Value: document.MustOf(c.element())}
	case 4:
		return document.PatchOp{Kind: document.Remove, Path: at()}
	case 5:
		return document.PatchOp{Kind: document.Replace, Path: at(), Value: document.MustOf(c.element())}
	case 6:
		return document.PatchOp{Kind: document.Move, From: at(), Path: at()}
	case 7:
		return document.PatchOp{Kind: document.Increment, Path: "/count", Value: document.MustOf(1 + c.random.IntN(3))}
	case 8:
		return document.PatchOp{Kind: document.Test, Path: "/count", Value: document.MustOf(s.View().Get("count").Any())}
	case 9:
		return document.PatchOp{Kind: document.Copy, From: []string{"/list", "/doc", "/count"}[c.random.IntN(3)], Path: []string{"/copy", "/doc/items"}[c.random.IntN(2)]}
	case 10:
		return document.PatchOp{Kind: document.Move, From: "/copy", Path: []string{"/list", "/moved"}[c.random.IntN(2)]}
	default:
		return document.PatchOp{Kind: document.Remove, Path: []string{"/copy", "/moved", "/doc/items"}[c.random.IntN(3)]}
	}
}
