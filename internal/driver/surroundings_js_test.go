package driver

import (
	"syscall/js"
	"testing"
)

// Node has none of these events, so the test brings a page of its own.
func TestThePageTellsWhenItIsBack(t *testing.T) {
	made := js.Global().Get("Function").New(`
		const heard = [], page = name => ({
			addEventListener(event, call) { heard.push([name + event, call]) },
			removeEventListener(event, call) { const i = heard.findIndex(([n, c]) => n === name + event && c === call); heard.splice(i, 1) }
		})
		Object.assign(globalThis, page("window "), {document: page("document ")})
		return heard`).Invoke()
	defer js.Global().Get("Function").New(`
		delete globalThis.addEventListener; delete globalThis.removeEventListener; delete globalThis.document`).Invoke()
	calls := 0
	stop := watchSurroundings(func() { calls++ })
	want := []string{"window online", "window pageshow", "document visibilitychange"}
	if got := made.Length(); got != len(want) {
		t.Fatalf("%d events are heard, want %d", got, len(want))
	}
	for i, name := range want {
		if got := made.Index(i).Index(0).String(); got != name {
			t.Errorf("event %d is %s, want %s", i, got, name)
		}
		made.Index(i).Index(1).Invoke()
	}
	if calls != len(want) {
		t.Errorf("told %d times, want %d", calls, len(want))
	}
	if stop(); made.Length() != 0 {
		t.Errorf("%d events are still heard", made.Length())
	}
}
