package main

import (
	"errors"

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

// step is by how many messages the beginning of the list moves, so that it does not shift with every message.
const step = 100

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
		return "The room has ended: everybody had left it."
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
