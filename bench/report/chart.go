package report

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// panels are the measures that the chart shows.
var panels = []Measure{
	{"burst-100", "us", "burst, 100 subscribers: us per delivery"},
	{"burst-1000", "us", "burst, 1,000 subscribers: us per delivery"},
	{"single-100", "us", "one at a time, 100 subscribers: us per delivery"},
	{"many", "us", "1,000 states x 10 clients: us per delivery"},
	{"many", "KiB", "idle connection: KiB"},
	{"join", "us", "join a state of 100 KB: us"},
	{"append-10000", "us", "append to 10,000 messages: us"},
	{"append-10000", "bytes", "the same: bytes per subscriber"},
}

const (
	panelWidth, panelHeight = 400, 170
	chartTop                = 80 // the title and the legend
	barLeft, barRoom        = 80, 230
)

// chartStyle has a dark form for those who prefer one. Text and bars differ from what is behind them by 4.5 to 1 and 3 to 1
// at least (WCAG 2.2, 1.4.3 and 1.4.11), in both.
const chartStyle = `<style>
.ground { fill: #ffffff } text { fill: #1b1f24 } .ours { fill: #1769aa } .floor { fill: #7d8a97 } .peer { fill: #b3661a } .spread { stroke: #1b1f24; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .ours { fill: #58a6ff } .floor { fill: #8b949e } .peer { fill: #d98a3d } .spread { stroke: #e6edf3 }
}
</style>
`

// chart draws a panel of bars for each measure. A bar's length is linear from zero, and a line over it goes from the least
// to the largest of the rounds.
func (run Run) chart() string {
	rows := (len(panels) + 1) / 2
	width, height := 2*panelWidth+20, chartTop+rows*panelHeight+10
	title := "What a server costs: processor time, memory and bytes; shorter is better"
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img" aria-label="%s">`+"\n", width, height, title)
	b.WriteString(chartStyle + `<rect class="ground" width="100%" height="100%"/>` + "\n")
	fmt.Fprintf(&b, `<text x="15" y="24" font-size="16" font-weight="bold">%s</text>`+"\n", title)
	fmt.Fprintf(&b, `<text x="15" y="42">Medians, and lines from the least to the largest round; %s, %s</text>`+"\n", run.Began.UTC().Format("2006-01-02"), html.EscapeString(run.Machine))
	x := 15
	for _, entry := range []struct{ peer, says string }{{"ours", "ours"}, {"floor", "the floor: the least that Go can do"}, {"", "what else one would pick"}} {
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="52" width="12" height="12"/><text x="%d" y="62">%s</text>`+"\n", barClass(entry.peer), x, x+17, entry.says)
		x += 40 + 7*len(entry.says)
	}
	for i, m := range panels {
		run.panel(&b, m, 15+i%2*panelWidth, chartTop+20+i/2*panelHeight)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func barClass(peer string) string {
	if peer == "ours" || peer == "floor" {
		return peer
	}
	return "peer"
}

func (run Run) panel(b *strings.Builder, m Measure, x, y int) {
	most := 0.0
	for _, peer := range run.Peers {
		if s, ok := run.Table.Get(m.Work, peer, m.Value); ok {
			most = max(most, s.High)
		}
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", x, y, m.Title)
	for i, peer := range run.Peers {
		s, ok := run.Table.Get(m.Work, peer, m.Value)
		long := func(value float64) float64 {
			if most <= 0 || !ok {
				return 0
			}
			return math.Max(1, value/most*barRoom)
		}
		top, left := y+10+i*21, float64(x+barLeft)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="16"/>`, x+barLeft-6, top+13, peer, barClass(peer), x+barLeft, top, long(s.Median))
		if s.High > s.Low {
			fmt.Fprintf(b, `<path class="spread" d="M%.1f %dH%.1f"/>`, left+long(s.Low), top+8, left+long(s.High))
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`+"\n", left+long(s.High)+5, top+13, short(s.Median))
	}
}
