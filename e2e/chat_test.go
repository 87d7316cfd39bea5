package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// message is one row of a chat as a person sees it.
type message struct {
	State string // pending, sent or refused
	Text  string // all that the row shows
}

const rows = "function() { return [...this.querySelectorAll('[data-state]')].map((row) => ({State: row.dataset.state, Text: row.innerText})) }"

// messages returns the rows of the chat in the place.
func (l place) messages() (all []message, err error) {
	err = l.find("log", "Messages").ask(rows, &all)
	return all, err
}

// say writes a message and presses Enter.
func (l place) say(text string) {
	l.Helper()
	l.find("textbox", "Message").fill(text)
	l.press("\r")
}

// connection is the status of the connection.
func (l place) connection() element { return l.find("status", "Connection") }

// alert is the sentence that something has gone wrong.
func (l place) alert() element { return l.find("alert", "") }

// texts finds the wanted texts in the rows, in the order of the rows, with what else is there: each wanted text counts as often as it is
// there.
func texts(all []message, wanted func(text string) bool) (found []string) {
	for _, m := range all {
		for line := range strings.Lines(m.Text) {
			if line = strings.TrimSpace(line); wanted(line) {
				found = append(found, line)
			}
		}
	}
	return found
}

// has waits until each place shows exactly the texts, once each and in this order, among the lines that begin with the
// prefix, and every one of them sent.
func has(t *testing.T, prefix string, want []string, places ...place) {
	t.Helper()
	for _, l := range places {
		eventually(t, fmt.Sprintf("%s %s shows the %d messages in their order, once each, all sent", l.name, l.frame, len(want)), func() (bool, string) {
			all, err := l.messages()
			if err != nil {
				return false, err.Error()
			}
			got := texts(all, func(line string) bool { return strings.HasPrefix(line, prefix) })
			open := slices.IndexFunc(all, func(m message) bool { return m.State != "sent" })
			return slices.Equal(got, want) && open < 0, fmt.Sprintf("%d messages: %q; first that is not sent: %d", len(got), got, open)
		})
	}
}

// containsText reports whether the text stands in what is shown.
func containsText(shown, text string) bool { return strings.Contains(shown, text) }
