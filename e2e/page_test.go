package e2e

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Where a room ends while somebody is in it, the page says so, and by its button enters the room that is made anew.
func TestARoomThatEndsWhileOpenIsTold(t *testing.T) {
	_, address := demo(t, append([]string{"--ttl", "8s", "--look", "200ms"}, unhurried...)...)
	w := openWindows(t)
	for _, kind := range kinds {
		w.enter(address, kind, "ending-"+kind, "last").say("before the end")
	}
	for _, p := range w.pages {
		l := p.page()
		l.alert().shows("The room has ended.")
		l.connection().shows("Ended: The room has ended.")
		l.find("button", "Connect again").click()
		l.connection().shows("Connected")
		if alert, _ := l.alert().text(); alert != "" {
			t.Errorf("in the new room the alert still says %q", alert)
		}
		if all, err := l.messages(); err != nil || len(texts(all, func(line string) bool { return line == "before the end" })) > 0 {
			t.Errorf("the new room shows %v %v", all, err)
		}
	}
}

// Two tabs of one person are two writers, on both pages and in one room.
func TestTwoTabsOfOnePersonOnTheChat(t *testing.T) {
	_, address := demo(t, unhurried...)
	for _, kind := range kinds {
		w := openWindows(t)
		one := w.enter(address, kind, "tabs-"+kind, "Ann")
		other := w.beside(one.tab, chatOf(address, kind, "tabs-"+kind, "Ann")).page()
		other.connection().shows("Connected")
		var want []string
		for i := range 4 {
			text := fmt.Sprintf("message %d", i)
			want = append(want, text)
			[]place{one, other}[i%2].say(text)
			has(t, "message", want, one, other)
		}
	}
}

// A slow network shows how far the page is.
func TestLoadingShowsProgress(t *testing.T) {
	_, address := demo(t, unhurried...)
	for _, kind := range kinds {
		w := openWindows(t)
		p := w.blank(chromedp.WithNewBrowserContext())
		slow := func(bytesInASecond float64) {
			call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
				MatchedNetworkConditions: []*network.Conditions{{DownloadThroughput: bytesInASecond, UploadThroughput: -1}},
			})
		}
		slow(100_000)
		p.run(fmt.Sprintf("location.href = %q", "http://"+chatOf(address, kind, "slow", "Snail")))
		eventually(t, kind+": the page says how much has come", func() (bool, string) {
			var value float64
			err := p.page().find("progressbar", "Loading").ask("function() { return this.value }", &value)
			text, _ := evaluate[string](p.page(), "document.body.innerText")
			return err == nil && value > 0 && value < 100 && regexp.MustCompile(`Loading the chat, \d+ % of`).MatchString(text), fmt.Sprint(value, " ", err, text)
		})
		slow(-1)
		p.page().connection().shows("Connected")
		becomes(t, p.page(), "document.body.innerText.includes('Loading')", false)
	}
}
