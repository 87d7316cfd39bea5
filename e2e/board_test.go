package e2e

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// board serves the page of testdata/board.tsx.
func board(t *testing.T) site {
	t.Helper()
	return hosted(t, map[string]string{"page.tsx": strict("import App from './board';"), "board.tsx": source(t, "e2e/testdata/board.tsx")})
}

// of returns the page's address for a state on a server; further pairs are parameters.
func (s site) of(server, state string, pairs ...string) string {
	query := url.Values{"endpoint": {"ws://" + server}, "state": {state}}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return s.address + "/?" + query.Encode()
}

const emptyBoard = `{"board":{"messages":[]}}`

func TestAWrongTokenIsToldInASentenceAndTriedOnce(t *testing.T) {
	_, address := serve(t, emptyBoard, "--token", "secret")
	front, page, w := newProxy(t, address), board(t), openWindows(t)
	p := w.open(page.of(front.address(), "board", "token", "wrong")).expect("unauthorized: ") // nothing on the page listens to onError
	p.page().connection().shows("Ended: ")
	p.page().connection().shows("The access token was not accepted")
	right := w.open(page.of(address, "board", "token", "secret"))
	right.page().say("the right token")
	has(t, "", []string{"the right token"}, right.page())
	if attempts := front.count(); attempts != 1 {
		t.Errorf("a page with a wrong token has connected %d times, want once", attempts)
	}
	p.navigate(page.of(front.address(), "board", "token", "secret"))
	p.page().connection().shows("Connected")
	has(t, "", []string{"the right token"}, p.page())
}

func TestAMissingStateIsToldInASentence(t *testing.T) {
	_, address := serve(t, emptyBoard)
	page, w := board(t), openWindows(t)
	p := w.open(page.of(address, "missing"))
	p.page().alert().shows("there is no such state")
	p.page().connection().shows("Connected") // the connection is good for other states
	p.navigate(page.of(address, "board"))
	p.page().say("found")
	has(t, "", []string{"found"}, p.page())
}

func TestAPageOfAnotherOriginIsToldSoAndTriesOnce(t *testing.T) {
	_, address := serve(t, emptyBoard)
	front, page, w := newProxy(t, address), board(t), openWindows(t)
	abroad := strings.Replace(page.of(front.address(), "board"), "127.0.0.1", elsewhere, 1)
	p := w.open(abroad).expect("origin_refused: ")
	p.page().connection().shows("Ended: ")
	p.page().connection().shows("AllowedOrigins") // the option that lets it in
	home := w.open(page.of(address, "board"))
	home.page().say("from here")
	has(t, "", []string{"from here"}, home.page())
	p.page().connection().shows("Ended: ") // meanwhile
	if attempts := front.count(); attempts != 1 {
		t.Errorf("a page of another origin has connected %d times, want once", attempts)
	}
	p.navigate(page.of(address, "board"))
	has(t, "", []string{"from here"}, p.page())
}

func TestAStateThatIsRemovedWhileOpenIsToldAndComesBackByReloading(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	_, address := serve(t, emptyBoard, "--data", folder)
	page, w := board(t), openWindows(t)
	p := w.open(page.of(address, "board"))
	p.page().say("before")
	has(t, "", []string{"before"}, p.page())
	backup := filepath.Join(t.TempDir(), "backup")
	shell := func(line string) {
		t.Helper()
		if _, err := command(root, "sh", "-c", fmt.Sprintf(line, statesync, folder, backup)); err != nil {
			t.Fatal(err)
		}
	}
	shell("%s export --data %s > %s")
	p.page().say("after the backup")
	has(t, "a", []string{"after the backup"}, p.page())
	shell("%s import --data %s --replace < %s")
	p.page().alert().shows("removed")
	p.reload()
	has(t, "", []string{"before"}, p.page())
}

// A page that is reloaded while it sends loses what had not left it, and nothing else: what arrived is there once, in
// order and without a gap.
func TestReloadInTheMiddleOfASendDoublesNothing(t *testing.T) {
	_, address := serve(t, emptyBoard)
	page, w := board(t), openWindows(t)
	cable := newProxy(t, address)
	p, other := w.open(page.of(cable.address(), "board")), w.open(page.of(address, "board"))
	p.page().connection().shows("Connected")
	for _, d := range []direction{toClient, toServer} {
		cable.silence(d, true)
		p.page().find("button", "Send 300").click()
		p.page().find("status", "Pending").shows("300")
		p.reload()
		cable.silence(d, false)
		p.page().say("reloaded, silent " + d.String())
		other.page().find("log", "Messages").shows("reloaded, silent " + d.String())
	}
	var first []message
	eventually(t, "both pages show the same", func() (bool, string) {
		one, err := p.page().messages()
		if err != nil {
			return false, err.Error()
		}
		first = one
		two, err := other.page().messages()
		return err == nil && fmt.Sprint(one) == fmt.Sprint(two), fmt.Sprintf("%d and %d messages", len(one), len(two))
	})
	next := 0
	for _, text := range texts(first, func(line string) bool { return line != "" }) {
		if !strings.HasPrefix(text, "burst ") {
			t.Logf("%d messages of 300 had left the page before %q", next, text)
			next = 0
			continue
		}
		if text != fmt.Sprintf("burst %d", next) {
			t.Fatalf("%q stands where burst %d is due", text, next)
		}
		next++
	}
}

func TestTwoTabsOfOnePersonAreTwoWriters(t *testing.T) {
	_, address := serve(t, emptyBoard)
	page, w := board(t), openWindows(t)
	one := w.open(page.of(address, "board", "name", "ann"))
	other := w.beside(one, page.of(address, "board", "name", "ann"))
	var want []string
	for i := range 6 {
		text := fmt.Sprintf("message %d", i)
		want = append(want, text)
		[]*tab{one, other}[i%2].page().say(text)
		has(t, "", want, one.page(), other.page())
	}
	one.page().find("button", "Send 300").click()
	other.page().find("button", "Send 300").click()
	for _, p := range []*tab{one, other} {
		eventually(t, "the tab shows 600 more messages", func() (bool, string) {
			all, err := p.page().messages()
			return err == nil && len(all) == len(want)+600, fmt.Sprint(len(all), err)
		})
	}
}
