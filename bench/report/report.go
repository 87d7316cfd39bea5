package report

import (
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
	Short      bool // everything was done once only, and little of it
	Began      time.Time
	Took       time.Duration
}

// Benchmark is a line of `go test -bench`.
type Benchmark struct {
	Package, Name                   string
	Nanoseconds, Bytes, Allocations float64
}

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

// Write writes RESULTS.md and chart.svg, and what the README quotes of them.
func Write(root string, run Run) error {
	results := run.results()
	if err := os.WriteFile(filepath.Join(root, "bench/RESULTS.md"), []byte(results), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "bench/chart.svg"), []byte(run.chart()), 0o644); err != nil {
		return err
	}
	readme := filepath.Join(root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	return os.WriteFile(readme, quoted.ReplaceAll(text, []byte(run.quote())), 0o644)
}

// quoted is the block that RESULTS.md and the README have in common; a test at the root compares them.
var quoted = regexp.MustCompile(`(?s)<!-- bench -->.*?<!-- end -->`)

// quote is what the README says.
func (run Run) quote() string {
	t := run.Table
	var b strings.Builder
	b.WriteString("<!-- bench -->\n| server processor time in us | ours | floor | centrifuge | gorilla | ws, as version 1 | socket.io |\n|---|---|---|---|---|---|---|\n")
	for _, m := range []Measure{
		{"burst-1000", "us", "a delivery, 1,000 subscribers, 64 updates in flight"},
		{"single-100", "us", "a delivery, 100 subscribers, one update at a time"},
		{"append-10000", "us", "a message appended to 10,000, 10 subscribers"},
		{"join", "us", "a client that joins a state of 100 KB"},
	} {
		b.WriteString("| " + m.Title + row(t, m, run.Peers, Table.Median) + "\n")
	}
	b.WriteString("| KiB resident for an idle connection" + row(t, Measure{"many", "KiB", ""}, run.Peers, Table.Median) + "\n<!-- end -->")
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
	"kernel says two seconds after the last client has joined, with nothing forced.\n" +
	"The floor is what Go can do at least: it looks at no update, frames it once, and writes everything that waits in one call. ws is the hub of version 1: a Map, a shallow merge, the property\n" +
	"sent on whole; socket.io does the same with its rooms. Servers without an append send the whole array; those without a resume send the state again. `bench/hub` and `bench/node` have them all.\n"

func (run Run) results() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Results\n\nMade by `make bench` on %s at commit %s in %v, on %s.\nPeers: %s.\n\n%s\n![chart](chart.svg)\n\n", run.Began.UTC().Format("2006-01-02 15:04"),
		strings.TrimSpace(run.Commit), run.Took.Round(time.Second), run.Machine, run.versions(), method)
	if run.Short {
		b.WriteString("**This was a short run, to see that everything works: its figures say nothing.**\n\n")
	}
	b.WriteString("## What must be reached\n\n| work | at most | measured | |\n|---|---|---|---|\n")
	for _, l := range Limits {
		got, ok := l.Judge(run.Table)
		verdict := "met"
		switch {
		case l.Most == "printed":
			verdict = ""
		case !ok:
			verdict = "**not met**: " + l.Why
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.Work, l.Most, got, verdict)
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
	if s, ok := run.Table.Get(m.Work, peer, m.Value); ok {
		return s.String()
	}
	if err := run.Table.cell(m.Work, peer).Err; err != nil {
		return "failed: " + strings.NewReplacer("|", " ", "\n", " ").Replace(err.Error())
	}
	return "-"
}

func (run Run) versions() string {
	var list []string
	for _, peer := range run.Peers {
		if version := run.Versions[peer]; version != "" {
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
	few, many := found["FanOut/100"], found["FanOut/1000"]
	verdict := "met"
	if many-few >= 1 {
		verdict = "**not met**"
	}
	return fmt.Sprintf("Steady fan-out allocates nothing per subscriber: %s (%.0f allocations with 100 subscribers, %.0f with 1,000).", verdict, few, many)
}
