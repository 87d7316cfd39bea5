package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// What the page needs of the browser around it; load.ts gives it chatMeter.

func isReplaced(err error) bool { return errors.Is(err, wasmclient.ErrStateReplaced) }

func random() string {
	var b [12]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func endpoint() string { return app.Window().Get("location").Get("origin").String() + "/sync" }

func online() bool { return app.Window().Get("navigator").Get("onLine").Bool() }

// watchNetwork draws when the browser goes offline and comes back. The page lives as long as its window.
func watchNetwork(ctx app.Context) {
	for _, event := range []string{"online", "offline"} {
		app.Window().Call("addEventListener", event, app.FuncOf(func(app.Value, []app.Value) any {
			ctx.Update()
			return nil
		}))
	}
}

// recall returns what the browser keeps of its user, and recallHere what it keeps for this tab; where it keeps nothing, the
// page lives without.
func recall(key string) string     { return stored("localStorage", key) }
func recallHere(key string) string { return stored("sessionStorage", key) }

func remember(key, value string)     { store("localStorage", key, value) }
func rememberHere(key, value string) { store("sessionStorage", key, value) }

func stored(storage, key string) (value string) {
	defer func() { _ = recover() }() // a browser may refuse its storage with an exception
	if kept := app.Window().Get(storage).Call("getItem", key); kept.Truthy() {
		value = kept.String()
	}
	return value
}

func store(storage, key, value string) {
	defer func() { _ = recover() }()
	app.Window().Get(storage).Call("setItem", key, value)
}

// The fields are the browser's: go-app would not empty one that it has not seen filled.

func valueOf(id string) string { return app.Window().GetElementByID(id).Get("value").String() }

func setValue(id, value string) { app.Window().GetElementByID(id).Set("value", value) }

func focus(id string) { app.Window().GetElementByID(id).Call("focus") }

func metered(what string) string { return strconv.Itoa(app.Window().Get("chatMeter").Get(what).Int()) }

func cut() { app.Window().Get("chatMeter").Call("cut") }

// moduleSize is what this program weighed on its way to the browser.
func moduleSize() string {
	bytes, _ := strconv.Atoi(app.Window().GetElementByID("module").Get("dataset").Get("small").String())
	return fmt.Sprintf("%d KB", bytes/1000)
}

// clocks keeps what the browser made of a minute, in the viewer's zone and habit: asking it costs more than drawing.
var clocks = map[int64][2]string{}

func clockOf(at int64) (clock, whole string) {
	minute := at / 60_000
	made, ok := clocks[minute]
	if !ok {
		date := app.Window().Get("Date").New(at)
		none := app.Window().Get("undefined")
		made = [2]string{
			date.Call("toLocaleTimeString", none, map[string]any{"hour": "2-digit", "minute": "2-digit"}).String(),
			date.Call("toLocaleString", none, map[string]any{"dateStyle": "full", "timeStyle": "short"}).String(),
		}
		clocks[minute] = made
	}
	return made[0], made[1]
}
