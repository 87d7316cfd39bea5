package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// React, go-app and a native Go client talk to each other, from two browser contexts and from five.
func TestReactGoAndNativeClientsConverge(t *testing.T) {
	_, address := demo(t, unhurried...)
	for _, people := range []int{2, 5} {
		room := fmt.Sprintf("room-%d", people)
		w := openWindows(t)
		var places []place
		var want []string
		for i := range people {
			places = append(places, w.enter(address, kinds[i%2], room, fmt.Sprintf("person %d", i)))
		}
		watcher, writer := follow(t, address+"/sync", room), write(t, address+"/sync", room, "messages", "--json")
		for round := range 3 {
			for i, l := range places {
				text := fmt.Sprintf("round %d of person %d", round, i)
				want = append(want, text)
				l.say(text)
			}
			text := fmt.Sprintf("round %d of a terminal", round)
			want = append(want, text)
			writer.line(nativeMessage(text, "terminal", text))
		}
		converge(t, want, places...)
		for _, text := range want {
			watcher.says(text)
		}
		row := places[0].row("round 0 of person 1", "sent")
		for _, visible := range []string{"person 1", ":"} { // the sender, and a time
			if !containsText(row, visible) {
				t.Errorf("a message shows %q, which lacks %q", row, visible)
			}
		}
	}
}

// 18 React pages and two in Go send 50 messages each at the same moment.
func TestTwentyPagesSendAtTheSameMoment(t *testing.T) {
	const each = 50
	_, address := demo(t, unhurried...)
	w := openWindows(t)
	var places []place
	for i := range 20 {
		kind := "react"
		if i >= 18 {
			kind = "go"
		}
		l := w.join(places, chatOf(address, kind, "crowd", fmt.Sprintf("p%d", i)))
		unwatch(l.tab)
		places = append(places, l)
	}
	var want []string
	for i := range places {
		for n := range each {
			want = append(want, crowdText(i, n))
		}
	}
	began := time.Now()
	var all sync.WaitGroup
	for i, l := range places {
		l.find("textbox", "Message").focus()
		all.Go(func() {
			for n := range each {
				l.insert(crowdText(i, n))
				l.press("\r")
			}
		})
	}
	all.Wait()
	typed := time.Since(began)
	for _, l := range places {
		l.pressEarlier() // all at once
	}
	for _, l := range places {
		l.showAll(len(want))
	}
	converge(t, want, places...)
	t.Logf("%d pages typed %d messages in %v; after %v every page showed all, once and in the same order",
		len(places), len(want), typed.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

func crowdText(page, n int) string { return fmt.Sprintf("page %d says %d", page, n) }

// join shows the address in a small window, of the same person as the first place.
func (w *windows) join(places []place, address string) place {
	w.t.Helper()
	person := chromedp.WithNewBrowserContext()
	if len(places) > 0 {
		person = chromedp.WithExistingBrowserContext(places[0].person)
	}
	p := w.blank(person)
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 360, Height: 480, DeviceScaleFactor: 1})
	p.navigate(address)
	p.page().connection().shows("Connected")
	return p.page()
}

// unwatch ends what the driver copies of the page by itself, each frame of its WebSocket too, which would cost more than the page.
func unwatch(p *tab) {
	p.Helper()
	call(p, css.Disable, cdp.Empty{})
	call(p, dom.Disable, cdp.Empty{})
	call(p, network.Disable, cdp.Empty{})
}

// A reader who is at the end sees new messages, and one who has scrolled up stays where they read.
func TestScrollStaysWhereAReaderExpects(t *testing.T) {
	_, address := demo(t, unhurried...)
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			w := openWindows(t)
			reader, writer := w.enter(address, kind, "long", "reader"), w.enter(address, "react", "long", "writer")
			before, err := reader.messages()
			if err != nil {
				t.Fatal(err)
			}
			for n := range 40 {
				writer.say(fmt.Sprintf("line %d", len(before)+n))
			}
			reader.row(fmt.Sprintf("line %d", len(before)+39), "sent")
			atEnd := "(() => { const e = " + scroller + "; return e.scrollHeight - e.clientHeight - e.scrollTop < 5 })()"
			becomes(t, reader, atEnd, true)
			top := "(() => { const e = " + scroller + "; return Math.round(e.scrollTop) })()"
			if _, err := evaluate[bool](reader, "(() => { "+scroller+".scrollTop = 10; return true })()"); err != nil {
				t.Fatal(err)
			}
			becomes(t, reader, top, 10)
			writer.say("while they read")
			reader.row("while they read", "sent")
			becomes(t, reader, top, 10)
			reader.say("now I answer")
			becomes(t, reader, atEnd, true)
		})
	}
}

// scroller finds what scrolls the messages: the log, or what is around it.
const scroller = `(() => { let e = document.querySelector('[role=log]');
	while (e.parentElement && e.scrollHeight <= e.clientHeight) e = e.parentElement; return e })()`

func TestTheNameIsKeptOnReload(t *testing.T) {
	_, address := demo(t, unhurried...)
	for _, kind := range kinds {
		w := openWindows(t)
		l := w.open(fmt.Sprintf("%s/%s/names", address, kind)).page()
		l.connection().shows("Connected")
		l.find("textbox", "Your name").fill("Grace " + kind)
		l.press("\t")
		l.say("my name is kept, " + kind)
		if row := l.row("my name is kept, "+kind, "sent"); !containsText(row, "Grace "+kind) {
			t.Errorf("the message shows %q, without its sender", row)
		}
		l.navigate(fmt.Sprintf("%s/%s/names", address, kind))
		l.find("textbox", "Your name").there()
		eventually(t, "the name is there again", func() (bool, string) {
			name := l.find("textbox", "Your name").value()
			return name == "Grace "+kind, name
		})
		row := l.row("my name is kept, "+kind, "sent")
		if !containsText(row, "Grace "+kind) {
			t.Errorf("after the reload the message shows %q", row)
		}
	}
	twoPeople(t, openWindows(t).open(address+"/"))
}

// The frames of the front page share what the browser keeps, and stay two people.
func twoPeople(t *testing.T, front *tab) {
	inGo, inReact := place{front, "Go page"}, place{front, "React page"}
	for i, l := range []place{inGo, inReact} {
		l.connection().shows("Connected")
		l.find("textbox", "Your name").fill([]string{"Grace", "Ada"}[i])
	}
	front.reload()
	for _, l := range []place{inGo, inReact} {
		l.connection().shows("Connected")
		l.say("from the " + l.frame)
	}
	for text, from := range map[string]string{"from the Go page": "Grace", "from the React page": "Ada"} {
		if row := inReact.row(text, "sent"); !containsText(row, from) {
			t.Errorf("after the reload of both frames %s shows %q", from, row)
		}
	}
	if client, err := evaluate[int](front.page(), "new Set(['chat-client-Ann', 'chat-client-Bob'].map((key) => localStorage.getItem(key)).filter(Boolean)).size"); err != nil || client != 2 {
		t.Errorf("the frames have %d identifiers, want 2: %v", client, err)
	}
}
