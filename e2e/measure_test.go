package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// rounds is how often each time is measured; the median is printed.
const rounds = 3

// Measured and printed, not judged: machines differ. Cold is a browser that has never seen the demo, warm the next visit.
func TestTimesAreMeasured(t *testing.T) {
	_, address := demo(t, unhurried...)
	seed := openWindows(t).enter(address, "react", "times", "Seed")
	seed.say("the first state")
	seed.row("the first state", "sent")
	for _, kind := range kinds {
		var cold, warm []float64
		for range rounds {
			w := openWindows(t)
			p := w.blank(chromedp.WithNewBrowserContext())
			call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchRows})
			cold = append(cold, firstState(p, chatOf(address, kind, "times", "Cold")))
			warm = append(warm, firstState(p, chatOf(address, kind, "times", "Warm")))
			unseen(p)
		}
		t.Logf("from navigation to first state, %s: cold %.0f ms, warm %.0f ms (medians of %d)", kind, median(cold), median(warm), rounds)
	}
	for _, from := range kinds {
		for _, to := range kinds {
			t.Logf("from the click in a %s page to the screen of a %s page: %.0f ms (median of %d)", from, to, median(clickToScreen(t, address, from, to)), rounds)
		}
	}
}

// firstState goes to the page and returns how many milliseconds after the navigation its first message was on the screen.
func firstState(p *tab, address string) float64 {
	p.Helper()
	p.navigate(address)
	p.page().row("the first state", "sent")
	return p.number("Math.min(...window.seenRows.values()) - performance.timeOrigin")
}

// unseen leaves the page, so that it costs the next ones nothing.
func unseen(p *tab) { p.navigate("about:blank") }

// clickToScreen presses Enter on one page and looks when another has drawn the message.
func clickToScreen(t *testing.T, address, from, to string) (times []float64) {
	t.Helper()
	w := openWindows(t)
	room := from + "-" + to
	writer, reader := w.enter(address, from, room, "writer"), w.enter(address, to, room, "reader")
	reader.tab.run(watchRows)
	for n := range rounds {
		text := fmt.Sprintf("stopwatch %d", n)
		writer.find("textbox", "Message").fill(text)
		writer.tab.run("addEventListener('click', () => { window.clicked = performance.timeOrigin + performance.now() }, {capture: true, once: true})")
		writer.find("button", "Send").click()
		reader.row(text, "sent")
		var seen float64
		eventually(t, "the message is on the screen", func() (bool, string) {
			seen = reader.tab.number(fmt.Sprintf("Math.min(...[...window.seenRows].filter(([text]) => text.includes(%q)).map(([, at]) => at), 1e300)", text))
			return seen < 1e300, fmt.Sprint(seen)
		})
		times = append(times, seen-writer.tab.number("window.clicked"))
	}
	unseen(writer.tab)
	unseen(reader.tab)
	return times
}

// number evaluates a number on the page itself.
func (p *tab) number(expression string) (n float64) {
	p.Helper()
	answer := call(p, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ReturnByValue: new(true)})
	if answer.ExceptionDetails != nil {
		p.Fatalf("%s: %s: %s", p.name, expression, answer.ExceptionDetails.Text)
	}
	if err := json.Unmarshal([]byte(answer.Result.Value), &n); err != nil {
		p.Fatalf("%s: %s: %v", p.name, expression, err)
	}
	return n
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
