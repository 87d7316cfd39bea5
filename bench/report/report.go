package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Run is everything that is written.
type Run struct {
	Table      Table
	Peers      []string
	Versions   map[string]string // of the peers
	Benchmarks []Benchmark
	Machine    string
	Commit     string
	Short      bool    // everything was done once only, and little of it
	Partial    bool    // not everything was
	Others     float64 // the percentage of the processors' time that was neither the benchmark's nor idle
	Began      time.Time
	Took       time.Duration
}

// Benchmark is a line of `go test -bench`.
type Benchmark struct {
	Package, Name                   string
	Nanoseconds, Bytes, Allocations float64
}

// Quiet is the most of Others on a machine that is idle otherwise.
const Quiet = 5

// A Measure is a row of the table over all peers.
type Measure struct{ Work, Value, Title string }

// Measures are those rows, and the panels of the chart.
var Measures = []Measure{
	{"burst-100", "us", "burst, 100 subscribers: us per delivery"},
	{"burst-1000", "us", "burst, 1,000 subscribers: us per delivery"},
	{"single-100", "us", "one at a time, 100 subscribers: us per delivery"},
	{"paced-100", "p50", "50 updates a second, 100 subscribers: p50 in ms"},
	{"paced-100", "p99", "the same: p99 in ms"},
	{"many", "us", "1,000 states x 10 clients, 1 update a second each: us per delivery"},
	{"many", "KiB", "10,000 idle connections: KiB resident each"},
	{"append-100", "us", "append to 100 messages, 10 subscribers: us"},
	{"append-100", "bytes", "the same: bytes per subscriber"},
	{"append-1000", "us", "append to 1,000 messages: us"},
	{"append-1000", "bytes", "the same: bytes per subscriber"},
	{"append-10000", "us", "append to 10,000 messages: us"},
	{"append-10000", "bytes", "the same: bytes per subscriber"},
	{"idiom-10000", "us", "the same by the seed's idiom: us"},
	{"join", "us", "5,000 clients join a state of 100 KB: us each"},
	{"join", "resume us", "the same, resuming with nothing missed: us each"},
	{"stalls", "p99 before", "1,000 subscribers, 50 updates a second: p99 in ms"},
	{"stalls", "p99", "the same after 100 have stopped reading: p99 in ms"},
	{"stalls", "MiB", "the same: growth of the server's memory in MiB"},
}

// Write writes RESULTS.md and chart.svg, and what the README quotes of them: all, or where the disk takes not all, none.
func Write(root string, run Run) error {
	readme, err := readme(root)
	if err != nil {
		return err
	}
	return replace(root, map[string][]byte{
		"bench/RESULTS.md": []byte(run.Results()),
		"bench/chart.svg":  []byte(run.chart()),
		"README.md":        quoted.ReplaceAllLiteral(readme, []byte(run.quote())),
	})
}

// CanWrite says before anything is measured what would keep the results from being written.
func CanWrite(root string) error {
	readme, err := readme(root)
	if err != nil {
		return err
	}
	for _, name := range []string{"bench/RESULTS.md", "README.md"} {
		probe, err := os.CreateTemp(filepath.Dir(filepath.Join(root, name)), ".bench-*")
		if err != nil {
			return fmt.Errorf("the results cannot be written: %w", err)
		}
		_, err = probe.Write(readme) // a full disk takes a file's name, and not what is in it
		if err := errors.Join(err, probe.Close(), os.Remove(probe.Name())); err != nil {
			return fmt.Errorf("the results cannot be written: %w", err)
		}
	}
	return nil
}

func readme(root string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, fmt.Errorf("--root must be the repository: %w", err)
	}
	if !quoted.Match(text) {
		return nil, errors.New("README.md does not have the marks <!-- bench --> and <!-- end -->, between which its figures stand")
	}
	return text, nil
}

// replace writes files beside those that they replace, and moves them there when all are written.
func replace(root string, files map[string][]byte) error {
	const part = ".part"
	defer func() {
		for name := range files {
			_ = os.Remove(filepath.Join(root, name+part)) // it is there only where something failed
		}
	}()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name+part), text, 0o644); err != nil {
			return fmt.Errorf("the results are not written, and the old ones stay: %w", err)
		}
	}
	for name := range files {
		if err := os.Rename(filepath.Join(root, name+part), filepath.Join(root, name)); err != nil {
			return err
		}
	}
	return nil
}

// quoted is the block that RESULTS.md and the README have in common; a test at the root compares them.
var quoted = regexp.MustCompile(`(?s)<!-- bench -->.*?<!-- end -->`)

// quote is what the README says.
func (run Run) quote() string {
	t := run.Table
	var b strings.Builder
	heads := strings.Replace(strings.Join(run.Peers, " | "), "ws", "ws, as version 1", 1)
	b.WriteString("<!-- bench -->\n| server processor time in us | " + heads + " |\n|---" + strings.Repeat("|---", len(run.Peers)) + "|\n")
	for _, m := range []Measure{
		{"burst-1000", "us", "a delivery, 1,000 subscribers, 64 updates in flight"},
		{"single-100", "us", "a delivery, 100 subscribers, one update at a time"},
		{"append-10000", "us", "a message appended to 10,000, 10 subscribers"},
		{"join", "us", "a client that joins a state of 100 KB"},
	} {
		b.WriteString("| " + m.Title + row(t, m, run.Peers, Table.Median) + "\n")
	}
	b.WriteString("| KiB resident for an idle connection" + row(t, Measure{"many", "KiB", ""}, run.Peers, Table.Median) + "\n\n")
	fmt.Fprintf(&b, "Medians of three to five rounds on %s, on %s.\n<!-- end -->", run.Began.UTC().Format("2006-01-02"), run.Machine)
	return b.String()
}

// row writes a measure's cells.
func row(t Table, m Measure, peers []string, get func(Table, string, string, string) float64) string {
	cells := ""
	for _, peer := range peers {
		cells += " | " + short(get(t, m.Work, peer, m.Value))
	}
	return cells + " |"
}

const method = "Server and load run on a core each, over loopback. In each round every server is a new process; the rounds of a work are interleaved over the servers, each round beginning\n" +
	"with another one. Figures are medians of the rounds, with the least and the largest. `us` are microseconds of the server's processor time, user and system, by the kernel's clock of the process;\n" +
	"updates have about 100 bytes. In flight is what has been sent and not yet been received by every subscriber. Ratios are those of the same round. Resident memory is what the\n" +
	"kernel says two seconds after the last client has joined, with nothing forced. What the kernel had of processor time is what it has sampled a hundred times a second.\n" +
	"An array that is appended to has the length that is named, or up to half more. A round that failed is done once more, and that is told.\n" +
	"The floor is what Go can do at least: it looks at no update, frames it once, and writes everything that waits in one call. ws is the hub of version 1: a Map, a shallow merge, the property\n" +
	"sent on whole; socket.io does the same with its rooms. Servers without an append send the whole array; those without a resume send the state again. `bench/hub` and `bench/node` have them all.\n"

// Results returns the text of RESULTS.md.
func (run Run) Results() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\nMade by `make bench` on %s at commit %s in %v, on %s. Meanwhile other processes and other machines of this hardware took %s %% of the processors' time.\nPeers: %s.\n\n%s\n![chart](chart.svg)\n\n", run.Began.UTC().Format("2006-01-02 15:04"),
		strings.TrimSpace(run.Commit), run.Took.Round(time.Second), run.Machine, short(run.Others), run.versions(), method)
	if run.Short {
		b.WriteString("**This was a short run, to see that everything works: its figures say nothing.**\n\n")
	}
	if missing, failed := run.Table.Missing(), run.Table.Failed(); missing > 0 {
		fmt.Fprintf(&b, "**%d rounds failed and are missing; the cells say why.**\n\n", missing)
	} else if failed > 0 {
		fmt.Fprintf(&b, "%d rounds failed and were done once more; the cells say why.\n\n", failed)
	}
	if run.Partial {
		b.WriteString("**Only some of the works and peers were run.**\n\n")
	}
	if run.Others > Quiet {
		b.WriteString("**The machine was not idle: do not trust the figures.**\n\n")
	}
	b.WriteString("## What must be reached\n\n| work | at most | measured | |\n|---|---|---|---|\n")
	for _, l := range Limits {
		got, verdict := l.Judge(run.Table)
		text := "**not measured**"
		switch {
		case verdict == unmet:
			text = "**not met**: " + l.Why(run.Table)
		case verdict == met && l.Most == "printed":
			text = ""
		case verdict == met:
			text = "met"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.Work, l.Most, got, text)
	}
	b.WriteString("\n## Everybody\n\n| |" + strings.Join(run.Peers, " | ") + " |\n|---" + strings.Repeat("|---", len(run.Peers)) + "|\n")
	for _, m := range Measures {
		b.WriteString("| " + m.Title)
		for _, peer := range run.Peers {
			b.WriteString(" | " + run.cell(m, peer))
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n## Go benchmarks of the hot paths\n\n| benchmark | ns | bytes allocated | allocations |\n|---|---|---|---|\n")
	for _, x := range run.Benchmarks {
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s |\n", x.Package, x.Name, short(x.Nanoseconds), short(x.Bytes), count(x.Allocations))
	}
	b.WriteString("\n" + fanOut(run.Benchmarks) + "\n\n## What the README quotes\n\n" + run.quote() + "\n")
	return b.String()
}

// cell writes a value with its spread, or why it is not there.
func (run Run) cell(m Measure, peer string) string {
	s, _ := run.Table.Get(m.Work, peer, m.Value)
	c := run.Table.cell(m.Work, peer)
	if c.Err == nil {
		return s.String()
	}
	why := strings.NewReplacer("|", " ", "\n", " ").Replace(c.Err.Error())
	if missing := c.missing(); missing > 0 {
		return fmt.Sprintf("%s; %d of %d rounds failed: %s", s, missing, len(c.Rounds), why)
	}
	return fmt.Sprintf("%s; %d of %d rounds failed at first: %s", s, c.Failed, len(c.Rounds), why)
}

func (run Run) versions() string {
	var list []string
	for _, peer := range run.Peers {
		switch version := run.Versions[peer]; {
		case peer == "ours" || peer == "floor":
		case version == "":
			list = append(list, peer+" of a version that is not known")
		default:
			list = append(list, peer+" "+version)
		}
	}
	return strings.Join(list, ", ")
}

func count(x float64) string { return fmt.Sprintf("%.0f", x) }

// fanOut says whether a fan-out in steady state allocates anything for each subscriber.
func fanOut(list []Benchmark) string {
	found := map[string]float64{}
	for _, x := range list {
		found[x.Name] = x.Allocations
	}
	few, had := found["FanOut/100"]
	many, has := found["FanOut/1000"]
	verdict := "met"
	switch {
	case !had || !has:
		verdict = "**not measured**"
	case many-few >= 1:
		verdict = "**not met**"
	}
	return fmt.Sprintf("Steady fan-out allocates nothing per subscriber: %s (%.0f allocations with 100 subscribers, %.0f with 1,000).", verdict, few, many)
}
