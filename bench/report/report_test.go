package report

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func measured() Table {
	t := Table{}
	for _, us := range []float64{0.3, 0.5, 0.4} {
		t.Add("burst-100", "ours", map[string]float64{"us": us})
		t.Add("burst-100", "floor", map[string]float64{"us": us / 2})
	}
	t.Fail("burst-100", "ws", errors.New("no Node.js"))
	return t
}

func TestMediansSpreadsAndRatios(t *testing.T) {
	table := measured()
	if s, _ := table.Get("burst-100", "ours", "us"); s != (Stat{0.4, 0.3, 0.5}) {
		t.Errorf("got %v, want 0.4 (0.3 to 0.5)", s)
	}
	if got := table.Ratio("burst-100", "us", "ours", "floor"); got != 2 {
		t.Errorf("the ratio is %v, want 2", got)
	}
	if got := table.Median("burst-100", "nobody", "us"); !math.IsNaN(got) {
		t.Errorf("what was not measured is %v", got)
	}
}

// A limit that was not measured is not met, and the results say what failed.
func TestResultsHideNothing(t *testing.T) {
	text := Run{Table: measured(), Peers: []string{"ours", "floor", "ws"}}.results()
	for _, want := range []string{
		"| burst, 100 subscribers: us per delivery | 0.45 | 0.40 (0.30 to 0.50) | met |",
		"| the same, against the floor | 1.5 times | 2.00 times (0.40; 0.20) | **not met**",
		"| 5,000 clients join a state of 100 KB: us each | 150 | - | **not met**",
		"failed: no Node.js",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the results do not have %q:\n%s", want, text)
		}
	}
}

// Where the floor itself is above a limit, the row says so.
func TestRowsTellWhatTheFloorHas(t *testing.T) {
	table := Table{}
	table.Add("single-100", "ours", map[string]float64{"us": 14})
	table.Add("single-100", "floor", map[string]float64{"us": 12})
	table.Add("many", "ours", map[string]float64{"us": 24})
	table.Add("many", "floor", map[string]float64{"us": 20})
	text := Run{Table: table, Peers: []string{"ours", "floor"}}.results()
	for _, want := range []string{"| 14.0; the floor itself has 12.0, more than the limit | **not met**", "| 24.0; the floor has 20.0 | **not met**"} {
		if !strings.Contains(text, want) {
			t.Errorf("the results do not have %q:\n%s", want, text)
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	for x, want := range map[float64]string{0.123: "0.12", 12.34: "12.3", 123.4: "123", 1234567: "1,234,567", -1234: "-1,234", math.NaN(): "-"} {
		if got := short(x); got != want {
			t.Errorf("short(%v) is %q, want %q", x, got, want)
		}
	}
}
