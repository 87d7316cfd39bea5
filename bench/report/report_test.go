package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func measured() Table {
	t := Table{}
	for _, us := range []float64{0.3, 0.5, 0.4} {
		t.Add("burst-100", "ours", map[string]float64{"us": us})
		t.Add("burst-100", "floor", map[string]float64{"us": us / 2})
	}
	giveUp(t, "ws", "no Node.js")
	return t
}

// giveUp is a round that fails twice.
func giveUp(t Table, peer, why string) {
	t.Fail("burst-100", peer, errors.New(why))
	t.Fail("burst-100", peer, errors.New(why))
	t.Add("burst-100", peer, nil)
}

func TestMediansSpreadsAndRatios(t *testing.T) {
	table := measured()
	if s, _ := table.Get("burst-100", "ours", "us"); s != (Stat{0.4, 0.3, 0.5}) {
		t.Errorf("got %v, want 0.4 (0.3 to 0.5)", s)
	}
	if got := table.Ratio("burst-100", "us", "ours", "floor"); got != (Stat{2, 2, 2}) {
		t.Errorf("the ratio is %v, want 2", got)
	}
	if got := table.Median("burst-100", "nobody", "us"); !math.IsNaN(got) {
		t.Errorf("what was not measured is %v", got)
	}
}

// A limit that was not measured is not met, and the results say what failed.
func TestResultsHideNothing(t *testing.T) {
	text := Run{Table: measured(), Peers: []string{"ours", "floor", "ws"}}.Results()
	for _, want := range []string{
		"| burst, 100 subscribers: us per delivery | 0.45 | 0.40 (0.30 to 0.50) | met |",
		"| the same, against the floor | 1.5 times | 2.00 times (0.40; 0.20) | **not met**",
		"| 5,000 clients join a state of 100 KB: us each | 150 | - | **not measured** |",
		"| append to 100, 1,000, 10,000 messages, 10 subscribers: us | 150, flat | -, -, - | **not measured** |",
		"| -; 1 of 1 rounds failed: no Node.js |",
		"**1 rounds failed and are missing; the cells say why.**",
		"Steady fan-out allocates nothing per subscriber: **not measured**",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the results do not have %q:\n%s", want, text)
		}
	}
}

// A round that failed is told beside the figures of the others, and the ratios are still those of the same rounds.
func TestFailedRoundsAreTold(t *testing.T) {
	table := Table{}
	for i, us := range []float64{1, 10, 100} {
		table.Add("burst-100", "ours", map[string]float64{"us": us})
		if i == 0 {
			giveUp(table, "floor", "it has ended")
			continue
		}
		table.Add("burst-100", "floor", map[string]float64{"us": us / 2})
	}
	if got := table.Ratio("burst-100", "us", "ours", "floor"); got != (Stat{2, 2, 2}) {
		t.Errorf("the ratio is %v, want 2", got)
	}
	text := Run{Table: table, Peers: []string{"ours", "floor"}}.Results()
	if want := "| 27.5 (5.00 to 50.0); 1 of 3 rounds failed: it has ended |"; !strings.Contains(text, want) {
		t.Errorf("the results do not have %q:\n%s", want, text)
	}
	if table.Missing() != 1 {
		t.Errorf("%d rounds are missing, want 1", table.Missing())
	}
}

// A round that was done once more is not missing, and why it had to be is told.
func TestRepeatedRoundsAreTold(t *testing.T) {
	table := Table{}
	table.Fail("burst-100", "ours", errors.New("a connection was lost"))
	table.Add("burst-100", "ours", map[string]float64{"us": 2})
	text := Run{Table: table, Peers: []string{"ours"}}.Results()
	for _, want := range []string{"\n1 rounds failed and were done once more", "| 2.00; 1 of 1 rounds failed at first: a connection was lost |"} {
		if !strings.Contains(text, want) {
			t.Errorf("the results do not have %q:\n%s", want, text)
		}
	}
	if table.Missing() != 0 {
		t.Errorf("%d rounds are missing, want none", table.Missing())
	}
}

// What can't be written whole leaves what is there.
func TestResultsAreWrittenWholeOrNot(t *testing.T) {
	root := t.TempDir()
	old := map[string]string{"README.md": "# A\n<!-- bench -->\nold\n<!-- end -->\nB\n", "bench/RESULTS.md": "old", "bench/chart.svg": "old"}
	if err := CanWrite(root); err == nil || !strings.Contains(err.Error(), "--root must be the repository") {
		t.Errorf("an empty folder is taken for the repository: %v", err)
	}
	if err := os.Mkdir(filepath.Join(root, "bench"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range old {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "bench/chart.svg.part"), 0o755); err != nil { // nothing can be written there
		t.Fatal(err)
	}
	run := Run{Table: measured(), Peers: []string{"ours", "floor", "ws"}}
	if err := Write(root, run); err == nil || !strings.Contains(err.Error(), "the old ones stay") {
		t.Errorf("got %v", err)
	}
	for name, want := range old {
		if got, err := os.ReadFile(filepath.Join(root, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q after all (%v)", name, got, err)
		}
	}
	if err := errors.Join(CanWrite(root), Write(root, run)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "README.md"))
	if want := "# A\n" + run.quote() + "\nB\n"; err != nil || string(got) != want {
		t.Errorf("the README is %q, want %q (%v)", got, want, err)
	}
	if err := os.WriteFile(filepath.Join(root, "README.md"), []byte("# A"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CanWrite(root); err == nil || !strings.Contains(err.Error(), "does not have the marks") {
		t.Errorf("a README without the marks: %v", err)
	}
}

// What disturbed the machine stands above the figures.
func TestADisturbedMachineIsTold(t *testing.T) {
	for others, want := range map[float64]bool{0.3: false, 12: true} {
		text := Run{Table: measured(), Others: others}.Results()
		if got := strings.Contains(text, "**The machine was not idle"); got != want || !strings.Contains(text, "took "+short(others)+" %") {
			t.Errorf("with %v %% of others: told %v, want %v", others, got, want)
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
	text := Run{Table: table, Peers: []string{"ours", "floor"}}.Results()
	for _, want := range []string{"| 14.0; the floor itself has 12.0, more than the limit | **not met**", "| 24.0; the floor has 20.0 | **not met**"} {
		if !strings.Contains(text, want) {
			t.Errorf("the results do not have %q:\n%s", want, text)
		}
	}
}

// The reason beside a row that is not met quotes what the same run has measured.
func TestReasonsAreMeasured(t *testing.T) {
	table := Table{}
	table.Add("single-100", "ours", map[string]float64{"us": 14, "us kernel": 9})
	table.Add("single-100", "floor", map[string]float64{"us": 10, "us kernel": 8.5})
	text := Run{Table: table, Peers: []string{"ours", "floor"}}.Results()
	if want := "**not met**: of 14.0 us the kernel has 9.00 and the program 5.00 (the floor: 8.50 and 1.50): each subscriber"; strings.Count(text, want) != 2 {
		t.Errorf("the results do not have twice %q:\n%s", want, text)
	}
	for _, l := range Limits { // a reason is asked for in a table that lacks some of what it quotes, too
		if l.Most != "printed" && l.Why(Table{}) == "" {
			t.Errorf("%s has no reason", l.Work)
		}
	}
}

// The chart is an image of its own: well-formed, with a name, a legend and every peer in each panel.
func TestChart(t *testing.T) {
	run := Run{Table: measured(), Peers: []string{"ours", "floor", "ws"}, Machine: "a <machine> & more"}
	chart := run.chart()
	decoder := xml.NewDecoder(strings.NewReader(chart))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v:\n%s", err, chart)
		}
	}
	for want, times := range map[string]int{">ws</text>": len(panels), ">ours</text>": len(panels) + 1, "prefers-color-scheme: dark": 1, `aria-label="What a server costs`: 1, "a &lt;machine&gt; &amp; more": 1, `class="spread" d="M`: 2} {
		if got := strings.Count(chart, want); got != times {
			t.Errorf("the chart has %q %d times, want %d", want, got, times)
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
