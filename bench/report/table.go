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
	Values map[string][]float64 // a number from each round
	Err    error                // why a round failed
}

func (t Table) cell(work, peer string) *Cell {
	peers := t[work]
	if peers == nil {
		peers = map[string]*Cell{}
		t[work] = peers
	}
	if peers[peer] == nil {
		peers[peer] = &Cell{Values: map[string][]float64{}}
	}
	return peers[peer]
}

// Add adds what a round has measured.
func (t Table) Add(work, peer string, values map[string]float64) {
	c := t.cell(work, peer)
	for name, value := range values {
		c.Values[name] = append(c.Values[name], value)
	}
}

// Fail notes that a round failed.
func (t Table) Fail(work, peer string, err error) { t.cell(work, peer).Err = err }

// Stat is a value over all rounds.
type Stat struct{ Median, Low, High float64 }

// Get returns a value; false where no round has measured it.
func (t Table) Get(work, peer, value string) (Stat, bool) {
	list := slices.Sorted(slices.Values(t.cell(work, peer).Values[value]))
	if len(list) == 0 {
		return Stat{math.NaN(), math.NaN(), math.NaN()}, false
	}
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

// Ratio returns the median of the quotients of two peers, round by round: what disturbs the machine disturbs both.
func (t Table) Ratio(work, value, peer, other string) float64 {
	mine, theirs := t.cell(work, peer).Values[value], t.cell(work, other).Values[value]
	var list []float64
	for i := range min(len(mine), len(theirs)) {
		list = append(list, mine[i]/theirs[i])
	}
	if len(list) == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// Line prints all values of a cell, for people who wait.
func (t Table) Line(work, peer string) string {
	c := t.cell(work, peer)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		s, _ := t.Get(work, peer, name)
		parts = append(parts, fmt.Sprintf("%s %s", name, s))
	}
	if c.Err != nil {
		parts = append(parts, "FAILED")
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
