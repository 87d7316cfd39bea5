package main

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// message is a message in a room.
type message struct {
	id, from, text string
	at             int64 // milliseconds since 1970, the server's when it has it
}

func messageOf(v document.Value) message {
	return message{v.Get("id").Text(), v.Get("from").Text(), v.Get("text").Text(), int64(v.Get("at").Number())}
}

func (m message) value() map[string]any {
	return map[string]any{"id": m.id, "from": m.from, "text": m.text, "at": m.at}
}

// own is a message of this page that has no verdict yet, or was refused.
type own struct {
	message
	submitted bool
	refused   string // why; "": it was not
}

// item is a message as the list shows it.
type item struct {
	message
	state  string // pending, sent or refused
	reason string
}

// keepText and ownFrom carry messages that are not settled over a reload of the page.
func keepText(mine []*own) string {
	messages := []map[string]any{}
	for _, o := range mine {
		messages = append(messages, o.value())
	}
	text, err := json.Marshal(messages)
	if err != nil {
		return ""
	}
	return string(text)
}

func ownFrom(text string) []*own {
	messages, err := document.Parse([]byte(`{"own":`+text+`}`), document.Limits{})
	if err != nil {
		return nil
	}
	var mine []*own
	for _, m := range messages.Get("own").Elements() {
		mine = append(mine, &own{message: messageOf(m), submitted: true, refused: "The page was loaded again before the server had answered, so this may have been sent or not."})
	}
	return mine
}

// without leaves out what was refused and is in the room all the same: the page before this one had sent it.
func without(mine []*own, messages document.Value) []*own {
	there := map[string]bool{}
	for _, m := range messages.Elements() {
		there[m.Get("id").Text()] = true
	}
	return slices.DeleteFunc(mine, func(o *own) bool { return o.refused != "" && there[o.id] })
}

// shown is how many messages are shown at first, and how many more each time; step is by how many the beginning of the
// list moves, so that it does not shift with every message.
const (
	shown = 100
	step  = shown / 2
)

// firstOf returns where a list of the newest messages begins, most of them and less than a step more.
func firstOf(messages, most int) int { return max(0, (messages-most)/step*step) }

// itemsOf returns the room's messages from the first on, and after them those of this page that are not among them.
func itemsOf(messages document.Value, mine []*own, first int) []item {
	waiting := map[string]*own{}
	for _, o := range mine {
		waiting[o.id] = o
	}
	var items []item
	for i := first; i < messages.Len(); i++ {
		it := item{message: messageOf(messages.Index(i)), state: "sent"}
		if o := waiting[it.id]; o != nil {
			delete(waiting, it.id)
			if o.refused == "" {
				it.state = "pending"
			}
		}
		items = append(items, it)
	}
	for _, o := range mine {
		switch {
		case waiting[o.id] == nil:
		case o.refused != "":
			items = append(items, item{o.message, "refused", o.refused})
		default:
			items = append(items, item{o.message, "pending", ""})
		}
	}
	return items
}

// sentence says an error for people.
func sentence(err error) string {
	coded := new(wasmclient.Error)
	switch {
	case errors.Is(err, wasmclient.ErrStateReplaced):
		return "The room was reset: the server has begun it anew, without what was in it."
	case errors.Is(err, wasmclient.ErrStateRemoved):
		return "The room has ended."
	case errors.Is(err, wasmclient.ErrNotAllowed):
		return "This room is for members: open it with an access token."
	case errors.Is(err, wasmclient.ErrOutcomeUnknown):
		return "The server was restarted before it had answered, so this may have been sent or not."
	case errors.As(err, &coded) && coded.Reason != "":
		return coded.Reason
	case coded.Code.Sentence() != "":
		return coded.Code.Sentence()
	}
	return err.Error()
}
