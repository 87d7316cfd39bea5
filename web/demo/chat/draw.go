package main

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Render draws the page.
func (p *page) Render() app.UI {
	text, phase, ended := p.status()
	return app.Main().Class("chat").Body(
		app.Header().Body(
			app.H1().Body(app.Bdi().Text(p.room)),
			app.Span().Class("badge").Text("Go"),
			app.P().Class("connection").Role("status").Aria("label", "Connection").Aria("live", "off").DataSet("phase", phase).Text(text),
			app.P().Class("unseen").Role("status").Aria("label", "Announcement").Text(p.announcement(phase)),
		),
		p.alerts(ended),
		p.list(text),
		app.Form().Class("write").OnSubmit(p.onSend).Body(
			app.Label().Class("name").Body(app.Text("Your name "),
				app.Input().ID("name").MaxLength(40).Attr("autocomplete", "nickname").Placeholder("%s", p.guest).OnInput(p.onName)),
			app.Label().Class("message").Body(app.Text("Message "),
				app.Input().ID("message").Attr("autocomplete", "off").Attr("enterkeyhint", "send").Dir("auto")),
			app.Button().Type("submit").Text("Send"),
		),
		app.Footer().Body(
			p.developers(),
			app.Form().Class("rooms").OnSubmit(p.onRoom).Body(
				app.Label().Body(app.Text("Another room "),
					app.Input().ID("room").MaxLength(40).Pattern(`\s*[^.\s].*`).Title("A room's name begins with a letter or a digit.").Attr("autocomplete", "off").Placeholder("%s", p.room)),
				app.Button().Type("submit").Text("Go there"),
			),
		),
	)
}

func (p *page) alerts(ended string) app.UI {
	alert := ended
	if alert == "" {
		alert = p.notice
	}
	return app.Div().Class("alerts").Role("alert").Body(
		app.If(alert != "", func() app.UI { return app.P().Text(alert) }),
		app.If(ended != "", func() app.UI {
			return app.Button().Type("button").Text("Connect again").OnClick(func(app.Context, app.Event) { p.enter(p.ctx) }, app.EventScope("again"))
		}).ElseIf(alert != "", func() app.UI {
			return app.Button().Type("button").Text("Close").OnClick(func(app.Context, app.Event) { p.notice = "" }, app.EventScope("close"))
		}),
	)
}

func (p *page) list(status string) app.UI {
	var items []item
	first := 0
	if p.link != nil {
		messages := p.link.state.GetState().Get("messages")
		first = firstOf(messages.Len(), p.most)
		items = itemsOf(messages, p.own, first)
	}
	if last := lastOf(items); last != p.last {
		p.last, p.news = last, !p.bottom && last != ""
	}
	return app.Div().Class("read").Body(
		app.Div().ID("log").Class("log").Role("log").Aria("label", "Messages").TabIndex(0).OnScroll(p.onScroll).Body(
			app.If(first > 0, func() app.UI {
				return app.Button().Type("button").Class("earlier").Text(fmt.Sprintf("Show earlier ones (%d)", first)).OnClick(p.onEarlier)
			}),
			app.If(len(items) == 0 && status == "Connected", func() app.UI {
				return app.P().Class("empty").Text("Nobody has written anything here yet.")
			}),
			app.Ol().Body(app.Range(items).Slice(func(i int) app.UI { return &line{Page: p, Item: items[i], Mine: items[i].from == p.sender()} })),
		),
		app.If(p.news, func() app.UI {
			return app.Button().Type("button").Class("news").Text("New messages").OnClick(p.onNews)
		}),
	)
}

func lastOf(items []item) string {
	if len(items) == 0 {
		return ""
	}
	return items[len(items)-1].id
}

// developers is what a developer wants to see of the connection.
func (p *page) developers() app.UI {
	var facts [][2]string
	if p.details && p.link != nil {
		_, version := p.link.state.Confirmed()
		status := p.link.client.Status()
		latency := "unknown"
		if status.Latency > 0 {
			latency = fmt.Sprintf("%d ms", status.Latency.Milliseconds())
		}
		facts = [][2]string{
			{"Version", fmt.Sprint(version)}, {"Pending", fmt.Sprint(status.Pending)},
			{"Bytes in", metered("bytesIn")}, {"Bytes out", metered("bytesOut")},
			{"Messages in", metered("messagesIn")}, {"Messages out", metered("messagesOut")},
			{"Latency", latency}, {"Module", moduleSize()},
		}
	}
	return app.Details().Class("developers").On("toggle", p.onDetails).Body(
		app.Summary().Text("For developers"),
		app.Dl().Body(app.Range(facts).Slice(func(i int) app.UI {
			return app.Div().Body(app.Dt().Text(facts[i][0]), app.Dd().Text(facts[i][1]))
		})),
		app.Button().Type("button").Text("Cut the connection").OnClick(func(app.Context, app.Event) { cut() }),
	)
}

func (p *page) onDetails(ctx app.Context, _ app.Event) {
	p.details = ctx.JSSrc().Get("open").Bool()
	ctx.Defer(p.settleScroll)
}
