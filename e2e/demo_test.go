package e2e

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
)

// kinds are the two pages of the demo, the same chat twice.
var kinds = []string{"react", "go"}

var opened = regexp.MustCompile(`open http://\S+/`)

// unhurried lets people write faster than people do.
var unhurried = []string{"--rate", "100000", "--burst", "100000", "--history", "100000"}

// demo starts the demo with states that are kept.
func demo(t *testing.T, flags ...string) (server *program, address string) {
	t.Helper()
	return forgetful(t, append([]string{"--data", filepath.Join(t.TempDir(), "data")}, flags...)...)
}

// forgetful starts the demo with states in memory.
func forgetful(t *testing.T, flags ...string) (server *program, address string) {
	t.Helper()
	address = freeAddress(t)
	return start(t, opened, chat, append([]string{"--address", address}, flags...)...), address
}

// chatOf is the address of a room's page for somebody with that name.
func chatOf(address, kind, room, name string, pairs ...string) string {
	query := url.Values{"name": {name}}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return fmt.Sprintf("%s/%s/%s?%s", address, kind, room, query.Encode())
}

// enter opens a room for another person and waits until the page is connected.
func (w *windows) enter(address, kind, room, name string, pairs ...string) place {
	w.t.Helper()
	l := w.open(chatOf(address, kind, room, name, pairs...)).page()
	l.connection().shows("Connected")
	return l
}

// element is a message as a native client writes it.
func nativeMessage(id, from, text string) string {
	return fmt.Sprintf(`{"id":%q,"from":%q,"text":%q}`, id, from, text)
}

// converge waits until all places show the same rows, each wanted text once, and all sent; it returns the order.
func converge(t *testing.T, want []string, places ...place) []string {
	t.Helper()
	sorted := slices.Sorted(slices.Values(want))
	one := places[0]
	var order []string
	eventually(t, fmt.Sprintf("%s %s shows each of %d messages once, all sent", one.name, one.frame, len(want)), func() (bool, string) {
		all, err := one.messages()
		if err != nil {
			return false, err.Error()
		}
		order = texts(all, func(line string) bool { _, found := slices.BinarySearch(sorted, line); return found })
		open := slices.IndexFunc(all, func(m message) bool { return m.State != "sent" })
		same := slices.Equal(slices.Sorted(slices.Values(order)), sorted)
		return same && open < 0, fmt.Sprintf("%d of %d messages; first that is not sent: %d; %.2000q", len(order), len(want), open, order)
	})
	for _, l := range places[1:] {
		eventually(t, fmt.Sprintf("%s shows what %s shows, in the same order", l.name, one.name), func() (bool, string) {
			all, err := l.messages()
			if err != nil {
				return false, err.Error()
			}
			got := texts(all, func(line string) bool { _, found := slices.BinarySearch(sorted, line); return found })
			open := slices.IndexFunc(all, func(m message) bool { return m.State != "sent" })
			return slices.Equal(got, order) && open < 0, fmt.Sprintf("%d of %d messages; first that is not sent: %d", len(got), len(order), open)
		})
	}
	return order
}

// row waits until the place has a row with the text in that state, and returns what it shows.
func (l place) row(text, state string) (shows string) {
	l.Helper()
	eventually(l.T, fmt.Sprintf("%s has the message %q as %s", l.name, text, state), func() (bool, string) {
		all, err := l.messages()
		if err != nil {
			return false, err.Error()
		}
		for _, m := range all {
			if strings.Contains(m.Text, text) && m.State == state {
				shows = m.Text
				return true, ""
			}
		}
		return false, fmt.Sprintf("%.1000q", all)
	})
	return shows
}

// pressEarlier has the page press "Show earlier ones" as long as that button is there: to find it from outside among a
// thousand rows takes longer than to draw them.
func (l place) pressEarlier() {
	l.Helper()
	l.run(`(function press(left) {
		const button = [...document.querySelectorAll('button')].find((b) => b.textContent.trim().startsWith('Show earlier ones'));
		button?.click();
		if (left > 0) setTimeout(press, 20, button ? 50 : left - 1);
	})(50)`)
}

// showAll waits until the place has that many messages, also those that it shows only when asked for earlier ones.
func (l place) showAll(count int) {
	l.Helper()
	l.pressEarlier()
	eventually(l.T, fmt.Sprintf("%s shows %d messages", l.name, count), func() (bool, string) {
		all, err := l.messages()
		return err == nil && len(all) == count, fmt.Sprintf("%d messages, %v", len(all), err)
	})
}

// offlineErrors are what a browser says by itself of a server that is not there.
var offlineErrors = []string{`WebSocket connection to 'ws://.*' failed`, `net::ERR_`}

// watchRows makes the page note when its first row and each later one came to the screen.
const watchRows = `
	window.seenRows = new Map();
	new MutationObserver(() => requestAnimationFrame(() => {
		for (const row of document.querySelectorAll('[data-state]')) {
			if (!window.seenRows.has(row.innerText)) window.seenRows.set(row.innerText, performance.timeOrigin + performance.now());
		}
	})).observe(document, {subtree: true, childList: true, characterData: true});`

// evaluateOn runs the expression on the page itself.
func (p *tab) run(expression string) {
	p.Helper()
	answer := call(p, runtime.Evaluate, runtime.EvaluateParams{Expression: expression})
	if answer.ExceptionDetails != nil {
		p.Fatalf("%s: %s", p.name, answer.ExceptionDetails.Text)
	}
}
