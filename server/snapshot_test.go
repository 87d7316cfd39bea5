package server

import (
	"fmt"
	"strings"
	"testing"
)

// Clients that come back together are served from one text, also when the state goes on meanwhile.
func TestJumpsShareOneText(t *testing.T) {
	for name, touched := range map[string]int{"catch-up": 50, "snapshot": 100} {
		f := newFixture(t, Options{Limits: Limits{HistoryEntries: 16}})
		f.create(StateOptions{Identifier: "s"})
		all := func(n int, value string) map[string]any {
			updates := map[string]any{}
			for i := range n {
				updates[fmt.Sprint("p", i)] = strings.Repeat(value, 300)
			}
			return updates
		}
		f.update("s", all(100, "a"))
		var clients []*wire
		for i := range 5 {
			clients = append(clients, f.joined(fmt.Sprint("w", i), "s"))
		}
		f.update("s", all(touched, "b"))
		for i := range 40 {
			f.update("s", map[string]any{"x": i})
		}
		var texts []*byte
		for i, w := range clients {
			got := w.recv()
			if i > 0 && (len(got) < 2 || !strings.HasPrefix(got[1], fmt.Sprintf(`["entries",1,43,[["add",["x"],%d]]`, 100))) {
				t.Errorf("%s: client %d got %d messages, the last %.100s", name, i, len(got), got[len(got)-1])
			}
			f.update("s", map[string]any{"x": 100 + i})
			text := f.state("s").catchup.text
			if text == nil {
				text = f.state("s").snapshot.text
			}
			texts = append(texts, &text[0])
		}
		for _, text := range texts {
			if text != texts[0] {
				t.Errorf("%s: it was encoded again", name)
			}
		}
	}
}
