package jsbridge_test

import (
	"errors"
	"strings"
	"syscall/js"
	"testing"

	"github.com/server-state-sync/server-state-sync/jsbridge"
)

// The page of these tests has a WebSocket that plays a server with one state, "chat": it accepts every change and refuses
// those of the property "bad".
const page = `
globalThis.WebSocket = class {
	constructor(url, protocols) { this.url = url; this.protocol = "server-state-sync.v1"; this.readyState = 0; this.bufferedAmount = 0; this.version = 1;
		this.offered = protocols; globalThis.lastSocket = this;
		setTimeout(() => { this.readyState = 1; this.onopen?.({type: "open"}) }, 0) }
	answer(...messages) { setTimeout(() => this.onmessage?.({type: "message", data: messages.map(m => JSON.stringify(m)).join("\n")}), 0) }
	send(frame) { for (const line of frame.split("\n")) { const m = JSON.parse(line)
		switch (m[0]) {
		case "hello": this.answer(["welcome", "s", {heartbeat: 15000, window: 512, windowBytes: 4194304, maxMessage: 1048576}]); break
		case "join": if (m[2] === "chat") this.answer(["joined", m[1], "e", 1, 0, [], {messages: [], n: 1}])
			else this.answer(["closed", m[1], 4200, "there is no such state"]); break
		case "merge": case "patch": case "transaction":
			if (m[4].bad) this.answer(["refused", m[1], m[2], 4300, "bad"])
			else this.answer(["accepted", m[1], m[2], ++this.version]) } } }
	close(code, reason) { this.readyState = 3; setTimeout(() => this.onclose?.({type: "close", code, reason, wasClean: true}), 0) }
}
WebSocket.OPEN = 1; WebSocket.CONNECTING = 0; WebSocket.CLOSING = 2; WebSocket.CLOSED = 3
`

// await returns what the Promise resolves with, or the error that it is rejected with.
func await(promise js.Value) (js.Value, error) {
	resolved, rejected := make(chan js.Value, 1), make(chan js.Value, 1)
	resolve := js.FuncOf(func(_ js.Value, args []js.Value) any { resolved <- args[0]; return nil })
	reject := js.FuncOf(func(_ js.Value, args []js.Value) any { rejected <- args[0]; return nil })
	defer resolve.Release()
	defer reject.Release()
	promise.Call("then", resolve, reject)
	select {
	case v := <-resolved:
		return v, nil
	case e := <-rejected:
		return js.Undefined(), errors.New(e.Get("code").String() + "|" + e.Get("message").String())
	}
}

func text(v js.Value) string { return js.Global().Get("JSON").Call("stringify", v).String() }

func evaluate(code string) js.Value {
	return js.Global().Get("Function").New("return " + code).Invoke()
}

// connected returns a client object that is connected to "chat".
func connected(t *testing.T) js.Value {
	t.Helper()
	js.Global().Call("eval", page)
	client := jsbridge.Constructor().Invoke("ws://fake", "ada", "secret")
	if _, err := await(client.Call("onConnection")); err != nil {
		t.Fatal(err)
	}
	state, err := await(client.Call("connectToState", "chat"))
	if err != nil || text(state) != `{"messages":[],"n":1}` {
		t.Fatalf("connectToState: got %s, %v", text(state), err)
	}
	return client
}

func TestTheSeedsMethods(t *testing.T) {
	client := connected(t)
	if got := text(js.Global().Get("lastSocket").Get("offered")); got != `["server-state-sync.v1","token.c2VjcmV0"]` {
		t.Errorf("the page offers %s", got)
	}
	heard := make(chan string, 8)
	listener := js.FuncOf(func(_ js.Value, args []js.Value) any { heard <- text(args[0]) + text(args[1]); return nil })
	defer listener.Release()
	client.Call("addStateUpdateListener", "x", listener, evaluate(`["n"]`))

	version, err := await(client.Call("updateState", evaluate(`({n: 2})`)))
	if err != nil || version.Int() != 2 || text(client.Call("getState")) != `{"messages":[],"n":2}` {
		t.Errorf("updateState: got %v, %v", version, err)
	}
	if got := <-heard; got != `{"n":2}{"n":1}` {
		t.Errorf("the listener heard %s", got)
	}
	if _, err := await(client.Call("updateState", evaluate(`(previous => ({n: previous.n + 10}))`))); err != nil {
		t.Error(err)
	}
	if _, err := await(client.Call("patchState", evaluate(`[{op: "add", path: "/messages/-", value: "hi"}]`))); err != nil {
		t.Error(err)
	}
	if got := text(client.Call("getState")); got != `{"messages":["hi"],"n":12}` {
		t.Errorf("the state is %s", got)
	}
	if !client.Call("removeStateUpdateListener", "x").Bool() || client.Call("removeStateUpdateListener", "x").Bool() {
		t.Error("the listener cannot be removed once")
	}
	if _, err := await(client.Call("close")); err != nil {
		t.Error(err)
	}
}

func TestErrorsHaveCodes(t *testing.T) {
	client := connected(t)
	defer func() { _, _ = await(client.Call("close")) }()
	for _, row := range []struct {
		name    string
		promise js.Value
		want    string
	}{
		{"refused", client.Call("updateState", evaluate(`({bad: true})`)), "refused|refused: bad"},
		{"no such state", client.Call("connectToState", "missing"), "state_not_found|state_not_found: there is no such state"},
		{"no identifier", client.Call("connectToState", 1), "invalid_argument|connectToState takes the identifier of a state, a string"},
		{"no updates", client.Call("updateState"), "invalid_argument|updateState takes an object of updates, or a function that returns one"},
		{"a function that throws", client.Call("updateState", evaluate(`(() => { throw new Error("mine") })`)), "<undefined>|mine"},
		{"a circle", client.Call("patchState", evaluate(`(() => { const a = []; a.push(a); return a })()`)), "<undefined>|Converting circular structure to JSON"},
		{"no JSON form", client.Call("updateState", js.Undefined()), "invalid_argument|the value has no JSON form"},
		{"reserved key", client.Call("updateState", evaluate(`JSON.parse('{"__proto__": 1}')`)), "reserved_key|"},
		{"a BigInt", client.Call("updateState", evaluate(`1n`)), "<undefined>|Do not know how to serialize a BigInt"},
		{"a BigInt inside", client.Call("updateState", evaluate(`({n: 1n})`)), "<undefined>|Do not know how to serialize a BigInt"},
		{"a function that returns a BigInt", client.Call("updateState", evaluate(`(() => 1n)`)), "<undefined>|Do not know how to serialize a BigInt"},
		{"a BigInt for a patch", client.Call("patchState", evaluate(`1n`)), "<undefined>|Do not know how to serialize a BigInt"},
		{"a BigInt for an identifier", client.Call("connectToState", evaluate(`1n`)), "invalid_argument|connectToState takes the identifier of a state, a string"},
		{"no patch", client.Call("patchState"), "invalid_argument|patchState takes an array of operations"},
	} {
		_, err := await(row.promise)
		if err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
	if got := text(client.Call("getState")); got != `{"messages":[],"n":1}` {
		t.Errorf("the state is %s", got)
	}
}

func TestOnErrorTellsOneErrorAtATime(t *testing.T) {
	client := connected(t)
	defer func() { _, _ = await(client.Call("close")) }()
	client.Call("addStateUpdateListener", "first", evaluate(`(() => { throw new Error("one") })`))
	client.Call("addStateUpdateListener", "second", evaluate(`(() => { throw "two" })`))
	if _, err := await(client.Call("updateState", evaluate(`({n: 2})`))); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`the listener "first" panicked: JavaScript error: one`, `the listener "second" panicked: a value that has no text`} {
		told, err := await(client.Call("onError"))
		if err != nil || told.Get("message").String() != want {
			t.Errorf("got %v, %v, want %s", told.Get("message"), err, want)
		}
	}
}

func TestTheConstructorChecksItsArguments(t *testing.T) {
	for _, args := range [][]any{{}, {"ws://host"}, {"ws://host", 1}, {1, "ada"}, {"ws://host", "ada", 1}, {"ws://host", "ada", evaluate(`1n`)}, {"ws://host", evaluate(`1n`)}, {"file://host", "ada"}} {
		made := jsbridge.Constructor().Invoke(args...)
		if !made.InstanceOf(js.Global().Get("Error")) || made.Get("code").String() != "invalid_argument" {
			t.Errorf("%v makes %v", args, text(made))
		}
	}
	for _, options := range []string{
		`{backoff: 1}`, `{backoff: {shortestMs: 2, longestMs: 1}}`, `{backoff: {shortestMs: 1}}`, `{connectTimeoutMs: 0}`, `{connectTimeoutMs: NaN}`,
		`{pendingLimit: {changes: 1}}`, `{pendingLimit: {changes: 0, bytes: 1}}`,
	} {
		made := jsbridge.Constructor().Invoke("ws://host", "ada", "", evaluate("("+options+")"))
		name, _, _ := strings.Cut(options[1:], ":")
		if !made.InstanceOf(js.Global().Get("Error")) || !strings.HasPrefix(made.Get("message").String(), "the option "+name) {
			t.Errorf("%s makes %v", options, text(made))
		}
	}
}
