package main

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// line draws a message. It is a component, which go-app leaves as it is while its exported fields stay the same: of a long
// list only what has changed costs anything.
type line struct {
	app.Compo
	Page *page
	Item item
	Mine bool
}

// marks say what is not sent.
var marks = map[string]string{"pending": " sending", "refused": " not sent"}

// Render draws the message.
func (l *line) Render() app.UI {
	it := l.Item
	element := app.Li().DataSet("state", it.state)
	if l.Mine {
		element = element.Class("mine")
	}
	clock, whole := clockOf(it.at)
	return element.Body(
		app.P().Class("by").Body(
			app.Bdi().Class("from").Text(it.from), app.Text(" "),
			app.Time().DateTime(time.UnixMilli(it.at).UTC().Format(time.RFC3339)).Attr("title", whole).Text(clock),
			app.If(it.state != "sent", func() app.UI { return app.Span().Class("mark").Text(marks[it.state]) }),
		),
		app.P().Class("text").Dir("auto").Text(it.text),
		app.If(it.state == "refused", l.refusal),
	)
}

func (l *line) refusal() app.UI {
	return app.Div().Class("refusal").Body(
		app.P().Class("reason").Text(l.Item.reason),
		app.Button().Type("button").Text("Edit").OnClick(l.onEdit),
		app.Button().Type("button").Text("Dismiss").OnClick(l.onDismiss),
	)
}

func (l *line) onEdit(app.Context, app.Event)    { l.Page.edit(l.Item.message) }
func (l *line) onDismiss(app.Context, app.Event) { l.Page.drop(l.Item.id) }
