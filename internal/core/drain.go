package core

import "math"

// drain is a state that was left while changes of it were on their way. The leave is sent when they are answered, and a
// new join of the same state after that: so every answer of the server is to a change that is known here, and what is
// unanswered stays within the server's window. It ends with the connection.
type drain struct {
	n     uint32
	last  uint64 // the highest number on its way
	bytes int    // of those changes, still counted in inFlight
	next  *State // joins the state anew afterwards; nil: none
}

// drain puts the state's leave off, if it has changes on their way.
func (s *State) drain() bool {
	c := s.core
	if s.onWire == 0 {
		return false
	}
	d := &drain{n: s.n, last: s.pending[s.onWire-1].number}
	for _, p := range s.pending[:s.onWire] {
		d.bytes += p.wireSize
	}
	c.inFlight += d.bytes // unlink subtracts them
	delete(c.numbers, s.n)
	c.drains[s.identifier] = d
	s.unlink()
	return true
}

// joinWire queues the state's join: now, or when the same state has drained.
func (c *Core) joinWire(s *State) {
	if d := c.drains[s.identifier]; d != nil {
		d.next = s
		return
	}
	c.controls = append(c.controls, control{join: s})
}

// everyNumber stands for the answers to all changes of a state: the server has closed it.
const everyNumber = math.MaxUint64

// drained learns that the changes up to answered of the state number n have been answered.
func (c *Core) drained(n uint32, answered uint64) {
	for identifier, d := range c.drains {
		if d.n != n || answered < d.last {
			continue
		}
		delete(c.drains, identifier)
		c.inFlight -= d.bytes
		if answered != everyNumber {
			c.controls = append(c.controls, control{leave: n})
		}
		if d.next != nil {
			c.controls = append(c.controls, control{join: d.next})
		}
	}
}
