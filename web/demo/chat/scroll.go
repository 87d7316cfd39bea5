package main

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// near is how many pixels from the end still count as at the newest message.
const near = 24

func (p *page) onScroll(ctx app.Context, _ app.Event) {
	box := ctx.JSSrc()
	p.bottom = box.Get("scrollHeight").Int()-box.Get("scrollTop").Int()-box.Get("clientHeight").Int() < near
	if !p.bottom || !p.news {
		ctx.PreventUpdate() // nothing is drawn otherwise
		return
	}
	p.news = false
}

func (p *page) onNews(app.Context, app.Event) {
	p.bottom, p.news = true, false
	p.ctx.Defer(p.settleScroll)
}

// onEarlier shows more, and keeps what is seen where it is.
func (p *page) onEarlier(app.Context, app.Event) {
	box := app.Window().GetElementByID("log")
	p.distance = box.Get("scrollHeight").Int() - box.Get("scrollTop").Int()
	p.most += shown
	p.ctx.Defer(p.settleScroll)
}

// OnResize keeps the newest message in sight when a keyboard or a window takes room away.
func (p *page) OnResize(ctx app.Context) { p.settleScroll(ctx) }

// settleScroll puts the list where its reader is, after it was drawn: at the newest message, or where it was.
func (p *page) settleScroll(app.Context) {
	box := app.Window().GetElementByID("log")
	switch {
	case !box.Truthy():
	case p.distance > 0:
		box.Set("scrollTop", box.Get("scrollHeight").Int()-p.distance)
		p.distance = 0
	case p.bottom:
		box.Set("scrollTop", box.Get("scrollHeight").Int())
	}
}
