package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

func TestTheChatTellsAWrongTokenOnce(t *testing.T) {
	_, address := demo(t)
	for _, kind := range kinds {
		front, w := newProxy(t, address), openWindows(t)
		l := w.open(chatOf(front.address(), kind, "tokens", "Eve", "token", "wrong")).page()
		l.connection().shows("Ended: ")
		l.alert().shows("token")
		tried := front.count()
		other := w.enter(address, kind, "tokens", "Ann", "token", "right")
		other.say("with the right token, " + kind)
		other.row("with the right token, "+kind, "sent")
		l.connection().shows("Ended: ") // while somebody else came and was answered
		if sockets, now := l.console.attempts(), front.count(); sockets != 1 || now != tried {
			t.Errorf("%s: a page with a wrong token has tried %d WebSockets, want 1, and made %d connections after %d", kind, sockets, now, tried)
		}
		l.navigate(chatOf(front.address(), kind, "tokens", "Eve", "token", "right"))
		l.connection().shows("Connected")
		l.row("with the right token, "+kind, "sent")
	}
}

func TestTheChatTellsARoomThatIsNotThereOrNotAllowed(t *testing.T) {
	_, address := demo(t)
	for _, kind := range kinds {
		rooms := map[string]string{"-no-such-room-": "no such room", "members-" + kind: "for members"}
		rooms["%FF"] = map[string]string{"go": "valid utf-8", "react": "no such room"}[kind] // the page reads the name from the address
		for room, says := range rooms {
			w := openWindows(t)
			l := w.open(chatOf(address, kind, room, "Bob")).page()
			eventually(t, fmt.Sprintf("%s: the page of %s says %q in a sentence", kind, room, says), func() (bool, string) {
				alert, _ := l.alert().text()
				status, _ := l.connection().text()
				return strings.Contains(strings.ToLower(alert), says), alert + " | " + status
			})
			l.navigate(chatOf(address, kind, "members-"+kind, "Bob", "token", "member"))
			l.connection().shows("Connected")
			l.say("let in")
			l.row("let in", "sent")
		}
	}
}

// The address of a room that is named .. would be that of another page: the field does not take it.
func TestTheFieldForAnotherRoomLeadsToRoomsOnly(t *testing.T) {
	_, address := demo(t)
	for _, kind := range kinds {
		w := openWindows(t)
		l := w.enter(address, kind, "first-"+kind, "Ann")
		field, button := l.find("textbox", "Another room"), l.find("button", "Go there")
		for _, name := range []string{"..", ".", " .. "} {
			field.fill(name)
			becomes(t, l, `document.querySelector('.rooms input').validity.patternMismatch`, true)
			button.click()
		}
		field.fill("हिन्दी")
		button.click()
		becomes(t, l, `decodeURIComponent(location.pathname)`, "/"+kind+"/हिन्दी")
		l.connection().shows("Connected")
	}
}

// A refused message says why, is kept for its writer, and can be edited and sent again, or dismissed.
func TestTheChatTellsWhyAMessageIsRefused(t *testing.T) {
	t.Parallel()
	_, address := demo(t, "--longest", "20", "--rate", "0.2", "--burst", "3")
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := openWindows(t)
			l, other := w.enter(address, kind, "refused-"+kind, "Long-"+kind), w.enter(address, "react", "refused-"+kind, "Reader")
			other.say("what was said before")
			l.row("what was said before", "sent")
			long := strings.TrimSpace(strings.Repeat("this message is longer than twenty ", 300))
			l.say(long)
			if row := l.row("this message is longer", "refused"); !strings.Contains(row, "too long") {
				t.Errorf("the refused message shows %q, without the reason", row)
			}
			becomes(t, l, "document.body.innerText.split('too long').length - 1", 1) // said once
			becomes(t, l, inSight("sent"), true)                                     // what is refused does not fill the log
			l.find("button", "Edit").click()
			eventually(t, "the refused message is in the textbox", func() (bool, string) {
				value := l.find("textbox", "Message").value()
				return value == long, value
			})
			l.say("shorter")
			l.row("shorter", "sent")
			becomes(t, l, "document.querySelector('[role=alert]').innerText", "")
			other.row("shorter", "sent")
			for n := range 4 {
				l.say(fmt.Sprintf("quick %d", n))
			}
			if row := l.row("quick", "refused"); !strings.Contains(row, "too fast") {
				t.Errorf("the refused message shows %q, without the reason", row)
			}
			for {
				all, err := l.messages()
				if err != nil {
					t.Fatal(err)
				}
				if !anyRow(all, "refused") {
					break
				}
				l.find("button", "Dismiss").click()
				refused := countRows(all, "refused")
				eventually(t, "one refused message less", func() (bool, string) {
					now, err := l.messages()
					return err == nil && countRows(now, "refused") < refused, fmt.Sprint(now)
				})
			}
			eventually(t, "when the person has waited, a message is taken again", func() (bool, string) {
				l.say("patient")
				eventually(t, "it is judged", func() (bool, string) {
					all, err := l.messages()
					return err == nil && !anyRow(all, "pending"), fmt.Sprint(all)
				})
				all, err := l.messages()
				return err == nil && len(texts(sentOf(all), func(line string) bool { return line == "patient" })) == 1, fmt.Sprint(all)
			})
			all, err := other.messages()
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				if m.State != "sent" || strings.Contains(m.Text, "longer than twenty") {
					t.Errorf("the other page shows %+v", m)
				}
			}
		})
	}
}

// inSight tells whether a row in that state is wholly in sight.
func inSight(state string) string {
	return `(() => { const log = document.querySelector('[role=log]').getBoundingClientRect();
		return [...document.querySelectorAll('[data-state=` + state + `]')].some((row) => {
			const { top, bottom } = row.getBoundingClientRect();
			return top >= log.top - 1 && bottom <= log.bottom + 1 }) })()`
}

func countRows(all []message, state string) (n int) {
	for _, m := range all {
		if m.State == state {
			n++
		}
	}
	return n
}

func anyRow(all []message, state string) bool { return countRows(all, state) > 0 }

func sentOf(all []message) (sent []message) {
	for _, m := range all {
		if m.State == "sent" {
			sent = append(sent, m)
		}
	}
	return sent
}

// A front that gives the server another host than the page has is the usual mistake; the person is told which option
// lets the page in, and the page does not try for ever.
func TestTheChatTellsARefusedOrigin(t *testing.T) {
	_, address := demo(t)
	front := rewriting(t, address)
	for _, kind := range kinds {
		w := openWindows(t)
		l := w.open(chatOf(front, kind, "origins", "Abroad")).page()
		l.connection().shows("Ended: ")
		l.alert().shows("origin", "Origin")
		other := w.enter(address, kind, "origins", "Home")
		other.say("from the right address, " + kind)
		other.row("from the right address, "+kind, "sent")
		l.connection().shows("Ended: ") // meanwhile
		if sockets := l.console.attempts(); sockets != 1 {
			t.Errorf("%s: a page of another origin has tried %d connections, want 1", kind, sockets)
		}
		l.navigate(chatOf(address, kind, "origins", "Home"))
		l.connection().shows("Connected")
		l.row("from the right address, "+kind, "sent")
	}
}

// rewriting is a reverse proxy that hides the page's host from the server; it returns its address by another host's name.
func rewriting(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address}) // and the Host header with it
	}}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return strings.Replace(listener.Addr().String(), "127.0.0.1", elsewhere, 1)
}
