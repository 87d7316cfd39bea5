package jsbridge

import (
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
)

// Steps are what JavaScript applies to its copy of a view: a JSON array of [kind, path, ...], where a path is an array of
// names and indexes that exist. The kinds, by their letters:
//
//	["s",path,value]  sets a member, or puts another element in the place of one; the empty path is the whole
//	["i",path,value]  inserts an element before an index
//	["r",path]        removes a member or an element
//	["n",path,by]     adds a number to the number at the path
//	["m",path,from]   takes what is at from, and then sets or inserts it at the path
//	["c",path,from]   sets or inserts at the path what is at from
//
// Set or insert is told by the path: an index inserts.
type steps []byte

// operations appends normalized operations, as an entry has them.
func (s steps) operations(ops []document.Op) steps {
	for _, op := range ops {
		switch op.Kind {
		case document.Add:
			kind := byte('s')
			if n := len(op.Path); n > 0 && op.Path[n-1].IsIndex() {
				kind = 'i'
			}
			s = s.step(kind, op.Path).value(op.Value)
		case document.Replace:
			s = s.step('s', op.Path).value(op.Value)
		case document.Remove:
			s = s.step('r', op.Path)
		case document.Increment:
			s = s.step('n', op.Path).value(op.Value)
		case document.Move:
			s = append(s.step('m', op.Path), ',').path(op.From)
		case document.Copy:
			s = append(s.step('c', op.Path), ',').path(op.From)
		default:
			continue // a test changes nothing
		}
		s = append(s, ']')
	}
	return s
}

// difference appends what leads to a view from one that differs in the named properties, which it had where the view
// has them no longer.
func (s steps) difference(view document.Value, names []string) steps {
	for _, name := range names {
		path := document.Path{document.Key(name)}
		if v := view.Get(name); v.Exists() {
			s = append(s.step('s', path).value(v), ']')
		} else {
			s = append(s.step('r', path), ']')
		}
	}
	return s
}

// finish returns the steps as one JSON text, in their own memory.
func (s steps) finish() []byte {
	if len(s) == 0 {
		return []byte("[]")
	}
	s[0] = '[' // in the place of the first step's comma
	return append(s, ']')
}

func (s steps) step(kind byte, path document.Path) steps {
	return append(s, ',', '[', '"', kind, '"', ',').path(path)
}

func (s steps) path(path document.Path) steps {
	s = append(s, '[')
	for i, token := range path {
		if i > 0 {
			s = append(s, ',')
		}
		if token.IsIndex() {
			s = strconv.AppendInt(s, int64(token.Index), 10)
		} else {
			s = document.MustOf(token.Name).AppendJSON(s)
		}
	}
	return append(s, ']')
}

func (s steps) value(v document.Value) steps { return v.AppendJSON(append(s, ',')) }
