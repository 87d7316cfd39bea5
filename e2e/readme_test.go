package e2e

import (
	"fmt"
	"strings"
	"testing"
)

const demoState = `{"demo":{"messages":[],"counter":0}}`

// The README's React example, under StrictMode, in the strictest Content-Security-Policy: two tabs of one person,
// another person and native clients talk to each other.
func TestTheReadmesReactExampleTalksToNativeClients(t *testing.T) {
	_, address := serve(t, demoState)
	page := hosted(t, readmeExample(t, address))
	watcher, writer := follow(t, address, "demo"), write(t, address, "demo", "messages")
	w := openWindows(t)
	one := w.open(page.address)
	pages := []*tab{one, w.beside(one, page.address), w.open(page.address)}
	for i, p := range pages {
		p.page().find("textbox", "").fill(fmt.Sprintf("from page %d", i))
		p.page().find("button", "Send").click()
		watcher.says(fmt.Sprintf("from page %d", i))
		p.page().find("button", fmt.Sprintf("clicked %d times", i)).click()
		p.page().find("button", fmt.Sprintf("clicked %d times", i+1)).there()
		for _, other := range pages {
			other.page().find("button", fmt.Sprintf("clicked %d times", i+1)).there()
		}
	}
	writer.line("from a terminal")
	for _, p := range pages {
		becomes(t, p.page(), "[...document.querySelectorAll('p')].map((each) => each.textContent).join()",
			"from page 0,from page 1,from page 2,from a terminal")
	}
	if got, want := get(t, address, "demo"), `{"counter":3,"messages":["from page 0","from page 1","from page 2","from a terminal"]}`; got != want {
		t.Errorf("the server has %s, want %s", got, want)
	}
	if attempts := one.console.attempts(); attempts != 1 {
		t.Errorf("under StrictMode the page has made %d connections, want 1", attempts)
	}
}

// The client side of version 1, word for word but for the address and the identifier, which its own text has wrong.
func TestTheSeedsReactExampleRunsWordForWord(t *testing.T) {
	_, address := serve(t, `{"myGroupChat":{"chatMessages":[]}}`)
	seed := replaceOnce(t, source(t, "npm/test/seed.jsx"), "ws://localhost:5000", "ws://"+address)
	page := hosted(t, map[string]string{
		"page.tsx": strict("import { ChatWidget as App } from './seed.jsx';"),
		"seed.jsx": replaceOnce(t, seed, "'abc'", "'myGroupChat'") + "export { ChatWidget };\n",
	})
	const noKeys = `unique "key" prop` // the seed gives its rows none, and React says so while one develops
	w := openWindows(t)
	one, other := w.open(page.address).expect(noKeys), w.open(page.address).expect(noKeys)
	shown := func(p *tab, want int) {
		t.Helper()
		becomes(t, p.page(), "[...document.querySelectorAll('div div div')].map((each) => each.textContent).join()",
			strings.TrimSuffix(strings.Repeat("This is a new message,", want), ","))
	}
	for i, p := range []*tab{one, other, one} {
		shown(p, i)
		p.page().find("button", "Send Message").click()
		shown(one, i+1)
		shown(other, i+1)
	}
	write(t, address, "myGroupChat", "chatMessages", "--json").line(`{"content":"This is a new message"}`)
	shown(one, 4)
	shown(other, 4)
}
