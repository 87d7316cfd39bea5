package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// picture is the README's, from the root of the repository.
const picture = "web/demo/front.png"

var writePicture = flag.Bool("picture", false, "write the picture that the README shows: the front page after Torture")

// harmed is what the front page says of a torture that was one.
var harmed = regexp.MustCompile(`; [1-9][0-9,]* connections cut, the server killed [1-9][0-9]* times`)

// The front page shows both pages talking to each other. Torture is five writers, 5,000 messages, connections cut and
// the server killed, and nothing is lost or doubled; what the seed's idiom loses stands beside it.
func TestTheFrontPageSurvivesTorture(t *testing.T) {
	_, address := demo(t)
	w := openWindows(t)
	p := w.blank(chromedp.WithNewBrowserContext())
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 1190, DeviceScaleFactor: 1})
	p.navigate(address + "/")
	inGo, inReact := place{p, "Go page"}, place{p, "React page"}
	inGo.connection().shows("Connected")
	inReact.connection().shows("Connected")
	inGo.say("Hello from the page in Go")
	inReact.row("Hello from the page in Go", "sent")
	inReact.say("And hello from React")
	inGo.row("And hello from React", "sent")
	p.page().find("button", "Torture").click()
	began := time.Now()
	within(t, 3*time.Minute, "Torture has ended", func() (bool, string) {
		result, _ := p.page().find("status", "Torture result").text()
		return strings.Contains(result, "5,000 sent, 5,000 here"), result
	})
	result, _ := p.page().find("status", "Torture result").text()
	for _, want := range []string{"0 lost", "0 doubled"} {
		if !strings.Contains(result, want) {
			t.Errorf("Torture ends in %q, want %s", result, want)
		}
	}
	done, err := evaluate[string](p.page(), `document.getElementById('torture-detail').textContent`)
	if err != nil || !harmed.MatchString(done) {
		t.Errorf("nothing was cut, or nobody killed, so this is no torture: %q, %v", done, err)
	}
	checkWords(t, p.page(), result)
	var seed string
	within(t, 3*time.Minute, "the seed's idiom has its result", func() (bool, string) {
		seed, _ = p.page().find("status", "Seed result").text()
		return strings.Contains(seed, "lost"), seed
	})
	t.Logf("after %v: %q; the seed's idiom: %q; %s", time.Since(began).Round(100*time.Millisecond), result, seed, done)
	if strings.Contains(seed, " 0 lost") {
		t.Errorf("the seed's idiom loses nothing, so this is no torture: %q", seed)
	}
	inGo.connection().shows("Connected")
	inReact.connection().shows("Connected")
	shot, err := p.picture()
	if err != nil {
		t.Fatal(err)
	}
	if *writePicture {
		becomes(t, p.page(), "document.documentElement.scrollHeight <= window.innerHeight", true) // it has all of the page
		if err := os.WriteFile(filepath.Join(root, picture), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A torture ends with the program that runs it; the page says so when that is there again, and can begin another one.
func TestATortureThatARestartEndsIsNotRunning(t *testing.T) {
	server, address := forgetful(t, "--torture-lasts", "10m")
	w := openWindows(t)
	p := w.open(address + "/")
	p.expect(offlineErrors...)
	result, button := p.page().find("status", "Torture result"), p.page().find("button", "Torture")
	button.click()
	result.shows("Running")
	server.kill()
	server.again()
	result.shows("The torture ended before its time: the demo was started again.")
	button.click()
	result.shows("Running")
}

var counted = regexp.MustCompile(`\d (\w+)`)

// checkWords holds the page to what it counts: it says of each word of the result what that means.
func checkWords(t *testing.T, l place, result string) {
	var words []string
	for _, found := range counted.FindAllStringSubmatch(result, -1) {
		words = append(words, found[1])
	}
	told, err := evaluate[[]string](l, "[...document.querySelectorAll('dfn')].map((word) => word.textContent)")
	if err != nil || len(words) == 0 || !slices.Equal(told, words) {
		t.Errorf("the page counts %q, and says of %q what they mean: %v", words, told, err)
	}
}
