package jsbridge_test

import (
	"strings"
	"syscall/js"
	"testing"

	"github.com/server-state-sync/server-state-sync/jsbridge"
)

// collector returns a JavaScript function that collects the JSON text of its arguments in an array.
func collector() js.Value {
	return evaluate(`(() => { const heard = []; return Object.assign((...args) => { heard.push(JSON.stringify(args)) }, {heard}) })()`)
}

func collected(c js.Value) string {
	all := c.Get("heard").Call("join", "\n").String()
	c.Get("heard").Set("length", 0)
	return all
}

func TestAStateIsFollowedByStepsOnceForAllThatCameTogether(t *testing.T) {
	client := connected(t)
	defer func() { _, _ = await(client.Call("close")) }()
	state, follower := client.Call("state", "chat"), collector()
	state.Call("follow", follower)
	if _, err := await(state.Call("ready")); err != nil {
		t.Fatal(err)
	}
	if got, want := collected(follower), `["{\"messages\":[],\"n\":1}","local",1]`; got != want {
		t.Errorf("at first: got %s, want %s", got, want)
	}
	state.Call("patchState", evaluate(`[{op: "add", path: "/messages/-", value: "hi"}]`))
	state.Call("updateState", evaluate(`({n: 2})`))
	if _, err := await(state.Call("updateState", evaluate(`({m: 3})`))); err != nil {
		t.Error(err)
	}
	lines := strings.Split(collected(follower), "\n")
	want := []string{`["[[\"i\",[\"messages\",0],\"hi\"]]","local",1]`, `["[[\"s\",[\"n\"],2]]","local",1]`, `["[[\"s\",[\"m\"],3]]","local",1]`}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		// The calls came from one goroutine without a pause, so they may have come together.
		if got := lines[0]; len(lines) != 1 || !strings.Contains(got, `[\"messages\",0]`) || !strings.Contains(got, `[\"m\"],3`) {
			t.Errorf("got %s", lines)
		}
	}
	if _, err := await(state.Call("transact", evaluate(`(() => ({updates: {n: 5}, reads: ["m"]}))`))); err != nil {
		t.Error(err)
	}
	if got := collected(follower); !strings.Contains(got, `[\"n\"],5`) {
		t.Errorf("after the transaction: %s", got)
	}
	if _, err := await(state.Call("leave")); err != nil {
		t.Error(err)
	}
	if _, err := await(client.Call("updateState", evaluate(`({n: 6})`))); err != nil {
		t.Errorf("the other use of the state is gone: %v", err)
	}
	if got := collected(follower); got != "" {
		t.Errorf("after it was left: %s", got)
	}
}

func TestAStateThatCannotBeJoinedSaysSo(t *testing.T) {
	client := connected(t)
	defer func() { _, _ = await(client.Call("close")) }()
	state := client.Call("state", "missing")
	if _, err := await(state.Call("ready")); err == nil || !strings.HasPrefix(err.Error(), "state_not_found|") {
		t.Errorf("got %v", err)
	}
	if ended, err := await(state.Call("ended")); err != nil || ended.Get("code").String() != "state_not_found" {
		t.Errorf("got %v, %v", ended, err)
	}
	if made := client.Call("state"); made.Get("code").String() != "invalid_argument" {
		t.Errorf("a state without an identifier is %s", text(made))
	}
}

func TestTheStatusIsARecord(t *testing.T) {
	client := connected(t)
	defer func() { _, _ = await(client.Call("close")) }()
	const want = `{"phase":"connected","everConnected":true,"attempt":1,"nextRetryAt":null,"pending":0,"latencyMs":null,"lastError":null}`
	if got := text(client.Call("status")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestATokenMayComeFromAFunction(t *testing.T) {
	js.Global().Call("eval", page)
	for _, row := range []struct{ source, want string }{
		{`() => "secret"`, `["server-state-sync.v1","token.c2VjcmV0"]`},
		{`async () => "secret"`, `["server-state-sync.v1","token.c2VjcmV0"]`},
		{`async () => null`, `["server-state-sync.v1"]`},
	} {
		client := jsbridge.Constructor().Invoke("ws://fake", "ada", evaluate(row.source))
		if _, err := await(client.Call("onConnection")); err != nil {
			t.Fatal(err)
		}
		if got := text(js.Global().Get("lastSocket").Get("offered")); got != row.want {
			t.Errorf("%s offers %s", row.source, got)
		}
		_, _ = await(client.Call("close"))
	}
	for _, row := range []struct{ source, want string }{
		{`() => { throw new Error("none today") }`, "none today"},
		{`async () => { throw new Error("none today") }`, "none today"},
		{`async () => { throw 7 }`, "the token source gave no token: 7"},
		{`() => { throw "none today" }`, "the token source gave no token: none today"},
		{`() => { throw 1n }`, "the token source gave no token: 1"},
		{`() => { throw undefined }`, "the token source gave no token: undefined"},
		{`() => { throw Object.create(null) }`, "a value that has no text"},
		{`() => { throw Object.defineProperty(new Error(), "message", {get() { throw 1 }}) }`, "a value that has no text"},
		{`() => { throw Object.assign(new Error(), {message: 1n}) }`, "the token source gave no token: Error: 1"},
		{`async () => { throw new Proxy({}, {get() { throw 1 }, getPrototypeOf() { throw 1 }}) }`, "a value that has no text"},
		{`() => 7`, "is no string"},
	} {
		client := jsbridge.Constructor().Invoke("ws://fake", "ada", evaluate(row.source))
		told, err := await(client.Call("onError"))
		if err != nil || !strings.Contains(told.Get("message").String(), row.want) {
			t.Errorf("%s: got %s, %v", row.source, told.Get("message"), err)
		}
		_, _ = await(client.Call("close"))
	}
}

func TestWithoutAHostOneNameIsPublished(t *testing.T) {
	before := js.Global().Get("Object").Call("getOwnPropertyNames", js.Global()).Length()
	jsbridge.Publish()
	if js.Global().Get("serverStateSync").Get("connect").Type() != js.TypeFunction {
		t.Error("serverStateSync.connect is not there")
	}
	if got := js.Global().Get("Object").Call("getOwnPropertyNames", js.Global()).Length(); got != before+1 {
		t.Errorf("%d names were published, want 1", got-before)
	}
	js.Global().Delete("serverStateSync")
}

func TestAHostIsGivenItsClient(t *testing.T) {
	js.Global().Call("eval", page)
	host := evaluate(`(() => { const host = {arguments: ["ws://fake", "ada"], ready(client) { host.client = client }}; return host })()`)
	js.Global().Set("serverStateSyncHost", host)
	defer js.Global().Delete("serverStateSyncHost")
	jsbridge.Publish()
	if _, err := await(host.Get("client").Call("onConnection")); err != nil {
		t.Error(err)
	}
	_, _ = await(host.Get("client").Call("close"))
	host.Set("arguments", evaluate(`[1]`))
	jsbridge.Publish()
	if got := host.Get("client").Get("code").String(); got != "invalid_argument" {
		t.Errorf("wrong arguments give the host %s", got)
	}
	if !js.Global().Get("serverStateSync").IsUndefined() {
		t.Error("the page has a name although there is a host")
	}
}
