package e2e

import (
	"strings"
	"testing"
)

// What these tests rest on: a page that does wrong is heard, whatever it does.
func TestAPageThatDoesWrongIsHeard(t *testing.T) {
	page := hosted(t, map[string]string{"page.tsx": `
		console.error('a console error', 7);
		console.assert(false, 'an assertion');
		console.log('not an error');
		setTimeout(() => { throw new Error('an exception'); });
		Promise.reject(new Error('a rejection'));
		fetch('/missing');
		fetch('https://example.com/').catch(() => undefined);
	`})
	w := openWindows(t)
	p := w.open(page.address)
	wrong := []string{"error: a console error 7", "assert: an assertion", "an exception", "a rejection", "404", "Content Security Policy"}
	for _, text := range wrong {
		eventually(t, "the console has "+text, func() (bool, string) {
			heard := strings.Join(p.console.unexpected(), "\n")
			return strings.Contains(heard, text), heard
		})
	}
	if heard := strings.Join(p.console.unexpected(), "\n"); strings.Contains(heard, "not an error") {
		t.Errorf("an ordinary line counts as an error: %s", heard)
	}
	p.console.asked("https://example.com/icon.png")
	if heard := strings.Join(p.console.unexpected(), "\n"); !strings.Contains(heard, "leaves this machine: https://example.com/icon.png") {
		t.Errorf("a request to another machine is not told: %s", heard)
	}
	p.expect(append(wrong, "example.com")...)
	if heard := p.console.unexpected(); heard != nil {
		t.Errorf("errors that the test has named still count: %q", heard)
	}
}
