package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// page is the component. All of it belongs to go-app's goroutine.
type page struct {
	app.Compo
	ctx    app.Context // the page's: that of a button ends with the button
	room   string
	link   *link
	own    []*own
	most   int    // messages shown
	notice string // a sentence until it is closed
	failed string // why there is no connection at all
	served bool   // it was connected since it has entered
	name   string
	guest  string // the name of somebody who gives none
	person string // ends the keys of what the browser keeps of its user; not empty: of one of several, who share it
	tick   *time.Ticker

	bottom   bool // the reader is at the newest message
	news     bool // there are newer ones than the reader sees
	last     string
	distance int // from the end, to keep while earlier messages are put before; 0: none
	details  bool
}

// OnNav enters the room that the address names, at first and when a link leads to another one.
func (p *page) OnNav(ctx app.Context) {
	p.ctx = ctx
	room, err := url.PathUnescape(strings.TrimPrefix(ctx.Page().URL().EscapedPath(), "/go/"))
	if err != nil || room == p.room {
		return
	}
	query := ctx.Page().URL().Query()
	if p.room == "" {
		p.guest = "Anonymous"
		if guest := query.Get("guest"); guest != "" {
			p.guest, p.person = guest, "-"+guest
		}
		p.name = query.Get("name")
		if p.name == "" {
			p.name = recall("chat-name" + p.person)
		}
		remember("chat-name"+p.person, p.name)
		watchNetwork(ctx)
		p.watchClock(ctx)
	}
	p.room, p.own, p.most, p.bottom = room, ownFrom(recallHere("chat-own-go-"+room)), shown, true
	ctx.Page().SetTitle(room + " · chat in Go")
	p.enter(ctx)
	ctx.Defer(func(app.Context) { setValue("name", p.name) })
}

// OnDismount leaves the room.
func (p *page) OnDismount() {
	if p.link != nil {
		p.link.leave()
	}
	p.tick.Stop()
}

// enter connects, also again after an end.
func (p *page) enter(ctx app.Context) {
	if p.link != nil {
		p.link.leave()
	}
	identifier := recall("chat-client" + p.person)
	if identifier == "" {
		identifier = random()
		remember("chat-client"+p.person, identifier)
	}
	at := ctx.Page().URL()
	l, err := enter(ctx, endpoint(), identifier, at.Query().Get("token"), p.room, func() { p.look(ctx) }, p.told)
	if err != nil {
		p.failed = sentence(err)
		return
	}
	p.link, p.notice, p.failed, p.served = l, "", "", false
	ctx.Update()
}

// told hears errors that nobody waits for; most of them are in the status.
func (p *page) told(err error) {
	if isReplaced(err) {
		p.notice = sentence(err)
	}
}

// watchClock draws the seconds while the client waits, and what developers see.
func (p *page) watchClock(ctx app.Context) {
	p.tick = time.NewTicker(500 * time.Millisecond)
	go func() {
		for range p.tick.C {
			ctx.Dispatch(func(ctx app.Context) {
				if !p.details && (p.link == nil || p.link.client.Status().Phase != wasmclient.Waiting) {
					ctx.PreventUpdate()
				}
			})
		}
	}()
}

// look is called when something has changed, before it is drawn.
func (p *page) look(ctx app.Context) {
	p.submit(ctx)
	if slices.ContainsFunc(p.own, func(o *own) bool { return o.refused != "" }) {
		p.own = without(p.own, p.link.state.GetState().Get("messages"))
		p.keep()
	}
	p.ctx.Defer(p.settleScroll)
}

// submit gives the client what waits for the room to be there, in order.
func (p *page) submit(ctx app.Context) {
	l := p.link
	for _, o := range p.own {
		if o.submitted || o.refused != "" {
			continue
		}
		if err := l.ended(); err != nil {
			o.refused = sentence(err)
			continue
		}
		if !l.state.Joined() {
			return
		}
		pending, err := l.state.SubmitAppend(context.Background(), "messages", o.value())
		if err != nil {
			o.refused = sentence(err)
			continue
		}
		o.submitted = true
		go func() {
			_, err := pending.Wait(context.Background())
			ctx.Dispatch(func(ctx app.Context) {
				if err != nil {
					o.refused = sentence(err)
				} else {
					p.drop(o.id)
				}
				ctx.Defer(p.settleScroll)
			})
		}()
	}
}

// keep is for when the page is loaded again.
func (p *page) keep() { rememberHere("chat-own-go-"+p.room, keepText(p.own)) }

func (p *page) drop(id string) {
	kept := p.own[:0:0]
	for _, o := range p.own {
		if o.id != id {
			kept = append(kept, o)
		}
	}
	p.own = kept
	p.keep()
}

func (p *page) sender() string {
	if name := strings.TrimSpace(p.name); name != "" {
		return name
	}
	return p.guest
}

// onSend takes the text; the message is in the list before the server has heard of it.
func (p *page) onSend(ctx app.Context, e app.Event) {
	e.PreventDefault()
	text := strings.TrimSpace(valueOf("message"))
	if text == "" || p.link == nil {
		return
	}
	setValue("message", "")
	p.own = append(p.own, &own{message: message{random(), p.sender(), text, time.Now().UnixMilli()}})
	p.bottom, p.news = true, false
	p.keep()
	p.look(ctx)
}

func (p *page) onName(ctx app.Context, _ app.Event) {
	p.name = valueOf("name")
	remember("chat-name"+p.person, p.name)
}

// edit puts a refused message back where it was written.
func (p *page) edit(m message) {
	setValue("message", m.text)
	focus("message")
	p.drop(m.id)
}

func (p *page) onRoom(ctx app.Context, e app.Event) {
	e.PreventDefault()
	if room := strings.TrimSpace(valueOf("room")); room != "" && room != p.room {
		setValue("room", "")
		at := *ctx.Page().URL()
		at.Path, at.RawPath = "/go/"+room, "/go/"+url.PathEscape(room)
		ctx.NavigateTo(&at)
	}
}

// status says in a word how the connection is, and the end if there is one.
func (p *page) status() (text, phase, ended string) {
	if p.link == nil {
		return "Ended: " + p.failed, "ended", p.failed
	}
	status := p.link.client.Status()
	if err := p.link.ended(); err != nil {
		ended = sentence(err)
		return "Ended: " + ended, "ended", ended
	}
	switch {
	case !online():
		return "Offline", "waiting", ""
	case status.Phase == wasmclient.Waiting:
		seconds := max(1, int((time.Until(status.NextRetry)+time.Second-1)/time.Second))
		return fmt.Sprintf("Reconnecting in %d s", seconds), "waiting", ""
	case status.Phase == wasmclient.Connected && p.link.state.Joined():
		return "Connected", "connected", ""
	}
	return "Connecting", "waiting", ""
}

// announcement is what a screen reader says of the connection: its loss and its return, each once. The seconds between them
// would be said one by one; the alert tells an end.
func (p *page) announcement(phase string) string {
	switch {
	case phase == "ended":
		return ""
	case phase == "connected":
		p.served = true
		return "Connected"
	case p.served:
		return "The connection is lost. What you write is sent when it is back."
	}
	return "Connecting"
}
