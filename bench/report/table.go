// Package report writes what was measured: the table with its limits, a chart, and what the README quotes.
package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Table has what the rounds have measured, by work, peer and value.
type Table map[string]map[string]*Cell

// Cell is one work by one peer.
type Cell struct {
	Rounds []map[string]float64 // in their order; nil for one that was given up
	Failed int                  // how many attempts failed; a round has two
	Err    error                // why the last of them did
}

// Kernel is added to the name of a value that is processor time: how much of it the kernel had.
const Kernel = " kernel"

// missing is how many rounds were given up.
func (c *Cell) missing() (n int) {
	for _, values := range c.Rounds {
		if values == nil {
			n++
		}
	}
	return n
}

func (t Table) cell(work, peer string) *Cell {
	peers := t[work]
	if peers == nil {
		peers = map[string]*Cell{}
		t[work] = peers
	}
	if peers[peer] == nil {
		peers[peer] = &Cell{}
	}
	return peers[peer]
}

// Add adds what a round has measured; nil: the round was given up.
func (t Table) Add(work, peer string, values map[string]float64) {
	c := t.cell(work, peer)
	c.Rounds = append(c.Rounds, values)
}

// Fail notes that an attempt at a round failed. Add is called for the round all the same.
func (t Table) Fail(work, peer string, err error) {
	c := t.cell(work, peer)
	c.Failed, c.Err = c.Failed+1, err
}

// Missing is how many rounds were given up, of whatever work and peer.
func (t Table) Missing() (n int) { return t.sum((*Cell).missing) }

// Failed is how many attempts failed.
func (t Table) Failed() int { return t.sum(func(c *Cell) int { return c.Failed }) }

func (t Table) sum(of func(*Cell) int) (n int) {
	for _, peers := range t {
		for _, c := range peers {
			n += of(c)
		}
	}
	return n
}

// Stat is a value over all rounds.
type Stat struct{ Median, Low, High float64 }

// Get returns a value; false where no round has measured it.
func (t Table) Get(work, peer, value string) (Stat, bool) {
	var list []float64
	for _, values := range t.cell(work, peer).Rounds {
		if x, ok := values[value]; ok {
			list = append(list, x)
		}
	}
	return statOf(list)
}

// statOf sorts the list; false where it is empty.
func statOf(list []float64) (Stat, bool) {
	if len(list) == 0 {
		return Stat{math.NaN(), math.NaN(), math.NaN()}, false
	}
	slices.Sort(list)
	middle := list[len(list)/2]
	if len(list)%2 == 0 {
		middle = (list[len(list)/2-1] + middle) / 2
	}
	return Stat{middle, list[0], list[len(list)-1]}, true
}

// Median is the median alone; NaN where there is none, which is within no limit.
func (t Table) Median(work, peer, value string) float64 {
	s, ok := t.Get(work, peer, value)
	if !ok {
		return math.NaN()
	}
	return s.Median
}

// Ratio returns the quotients of two peers, round by round: what disturbs the machine disturbs both. A round that failed
// for one of them has none.
func (t Table) Ratio(work, value, peer, other string) Stat {
	mine, theirs := t.cell(work, peer).Rounds, t.cell(work, other).Rounds
	var list []float64
	for i := range min(len(mine), len(theirs)) {
		x, had := mine[i][value]
		y, has := theirs[i][value]
		if had && has {
			list = append(list, x/y)
		}
	}
	s, _ := statOf(list)
	return s
}

// Line prints all values of a cell, for people who wait.
func (t Table) Line(work, peer string) string {
	c := t.cell(work, peer)
	var parts []string
	measured := map[string]bool{}
	for _, values := range c.Rounds {
		for name := range values {
			measured[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		s, _ := t.Get(work, peer, name)
		parts = append(parts, fmt.Sprintf("%s %s", name, s))
	}
	if c.Err != nil {
		parts = append(parts, fmt.Sprintf("FAILED %d times, %d of %d rounds missing", c.Failed, c.missing(), len(c.Rounds)))
	}
	return strings.Join(parts, ", ")
}

// String writes the median, and the spread where it can be seen.
func (s Stat) String() string {
	median, low, high := short(s.Median), short(s.Low), short(s.High)
	if low == high {
		return median
	}
	return fmt.Sprintf("%s (%s to %s)", median, low, high)
}

// short writes a number with two digits behind the point where it is small, and none where it is large.
func short(x float64) string {
	switch abs := math.Abs(x); {
	case math.IsNaN(x):
		return "-"
	case abs < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case abs < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
