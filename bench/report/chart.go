package report

import (
	"fmt"
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
	barLeft, barRoom        = 80, 230
)

// chart draws a panel of bars for each measure. A bar's length is linear from zero.
func (run Run) chart() string {
	rows := (len(panels) + 1) / 2
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", 2*panelWidth+20, rows*panelHeight+10)
	b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	for i, m := range panels {
		run.panel(&b, m, 15+i%2*panelWidth, 20+i/2*panelHeight)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (run Run) panel(b *strings.Builder, m Measure, x, y int) {
	most := 0.0
	for _, peer := range run.Peers {
		if value := run.Table.Median(m.Work, peer, m.Value); !math.IsNaN(value) {
			most = max(most, value)
		}
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", x, y, m.Title)
	for i, peer := range run.Peers {
		value := run.Table.Median(m.Work, peer, m.Value)
		top := y + 10 + i*21
		color := "#9aa5b1"
		switch peer {
		case "ours":
			color = "#1769aa"
		case "floor":
			color = "#c9d3dd"
		}
		width := 0.0
		if most > 0 && !math.IsNaN(value) {
			width = max(1, value/most*barRoom)
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/><text x="%.1f" y="%d">%s</text>`+"\n",
			x+barLeft-6, top+13, peer, x+barLeft, top, width, color, float64(x+barLeft)+width+5, top+13, short(value))
	}
}
