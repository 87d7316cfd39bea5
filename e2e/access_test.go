package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screens are the pages of the demo.
func screens(address string) map[string]string {
	return map[string]string{
		"front": address + "/", "react": chatOf(address, "react", "access", "Ann"), "go": chatOf(address, "go", "access", "Ann"),
	}
}

// Somebody without a mouse chats: from the top of the page, by Tab, Enter and letters alone.
func TestTheKeyboardIsEnough(t *testing.T) {
	_, address := demo(t, "--longest", "20", "--rate", "1000", "--burst", "1000")
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			w := openWindows(t)
			l := w.enter(address, kind, "keys-"+kind, "Kay")
			l.tabTo("Message")
			l.press("by keys alone\r")
			l.row("by keys alone", "sent")
			l.press("and with the button")
			l.tabTo("Send")
			l.press(" ")
			l.row("and with the button", "sent")
			l.tabTo("Message")
			l.press("this is much too long for it\r")
			l.row("this is much", "refused")
			l.tabTo("Dismiss")
			l.press("\r")
			eventually(t, "the refused message is dismissed", func() (bool, string) {
				all, err := l.messages()
				return err == nil && !anyRow(all, "refused"), fmt.Sprint(all)
			})
			l.tabTo("For developers")
			l.press("\r")
			l.tabTo("Cut the connection")
		})
	}
}

// focused is the label of what has the focus, if it can be seen that it has.
const focused = `(() => { const e = document.activeElement;
	if (!e || e === document.body) return '';
	const style = getComputedStyle(e);
	const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
	const label = e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || '';
	return (seen ? '' : 'unseen: ') + label.trim() })()`

// tabTo presses Tab until the control with that label has the focus.
func (l place) tabTo(label string) {
	l.Helper()
	var way []string
	for range 60 {
		l.press("\t")
		at, err := evaluate[string](l, focused)
		if err != nil {
			l.Fatal(err)
		}
		way = append(way, at)
		if at == label {
			return
		}
	}
	l.Fatalf("%s: by Tab one does not come to %q; the way was %q", l.name, label, way)
}

// The screen of a small telephone: nothing is wider than it, whatever people write.
func TestANarrowScreenNeedsNoScrollingSideways(t *testing.T) {
	_, address := demo(t, unhurried...)
	writer := openWindows(t).enter(address, "react", "access", strings.Repeat("W", 30))
	writer.say(strings.Repeat("W", 300))
	writer.row("WWW", "sent")
	writer.say("https://example.com/" + strings.Repeat("path/", 60))
	for name, screen := range screens(address) {
		w := openWindows(t)
		p := w.blank(chromedp.WithNewBrowserContext())
		call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 320, Height: 568, DeviceScaleFactor: 2, Mobile: true})
		p.navigate(screen)
		if name != "front" {
			p.page().row("WWW", "sent")
			p.page().find("DisclosureTriangle", "For developers").click()
		} else {
			p.page().find("button", "Torture").there()
		}
		becomes(t, p.page(), "document.documentElement.scrollWidth", 320)
		becomes(t, p.page(), "window.innerWidth", 320)
		wide, err := evaluate[[]string](p.page(), tooWide)
		if err != nil || len(wide) > 0 {
			t.Errorf("%s: these reach beyond the screen: %q %v", name, wide, err)
		}
	}
}

// tooWide lists what reaches beyond the right edge, where nothing around it scrolls.
const tooWide = `[...document.querySelectorAll('body *')].filter((e) => {
	const box = e.getBoundingClientRect();
	if (box.width === 0 || box.right <= window.innerWidth + 1 || getComputedStyle(e).position === 'absolute') return false;
	for (let up = e.parentElement; up; up = up.parentElement) if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) return false;
	return true }).map((e) => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right))`

// controls are the roles that a person acts on, as Chromium names them.
var controls = []string{"button", "textbox", "searchbox", "link", "checkbox", "combobox", "DisclosureTriangle", "Iframe", "log", "status", "slider", "switch", "image"}

func TestEveryControlHasALabel(t *testing.T) {
	_, address := demo(t, "--longest", "10")
	for name, screen := range screens(address) {
		w := openWindows(t)
		p := w.open(screen)
		places := []place{p.page()}
		if name == "front" {
			p.page().find("button", "Torture").there()
			places = append(places, place{p, "Go page"}, place{p, "React page"})
		}
		for _, l := range places {
			if name != "front" || l.frame != "" {
				l.connection().shows("Connected")
				l.say("refused, so that its buttons are there, too")
				l.row("refused", "refused")
			}
			checkLabels(t, name, l)
			becomes(t, l, "document.documentElement.lang !== '' && document.title !== ''", true)
		}
	}
}

func checkLabels(t *testing.T, name string, l place) {
	t.Helper()
	nodes, err := l.nodes("", "")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, node := range nodes {
		role := plain(node.Role)
		if !slices.Contains(controls, role) {
			continue
		}
		seen++
		if plain(node.Name) == "" {
			t.Errorf("%s %s: a %s has no label", name, l.frame, role)
		}
	}
	if seen < 3 {
		t.Errorf("%s %s: only %d controls are in the accessibility tree", name, l.frame, seen)
	}
}

// listen makes the page note what a screen reader says of its connection; the seconds of the status beside it are not said.
func (l place) listen() {
	l.Helper()
	for label, want := range map[string]string{"Announcement": "polite", "Connection": ""} {
		nodes, err := l.nodes("status", label)
		if err != nil || len(nodes) != 1 {
			l.Fatalf("%s: there are %d statuses %q: %v", l.name, len(nodes), label, err)
		}
		live := ""
		for _, property := range nodes[0].Properties {
			if property.Name == accessibility.PropertyNameLive {
				live = plain(property.Value)
			}
		}
		if live != want {
			l.Errorf("%s: the status %q is said as %q, want %q", l.name, label, live, want)
		}
	}
	l.run(`window.heard = [];
		for (const e of document.querySelectorAll('[role=status][aria-label=Announcement]'))
			new MutationObserver(() => window.heard.push(e.textContent)).observe(e, {subtree: true, childList: true, characterData: true});`)
}

// plain is the text of a value of the accessibility tree.
func plain(value *accessibility.Value) string {
	if value == nil {
		return ""
	}
	text, err := strconv.Unquote(string(value.Value))
	if err != nil {
		return string(value.Value)
	}
	return text
}

// In the light and in the dark scheme every text has the contrast that WCAG 2 asks for (4.5 to 1), and they differ.
func TestBothColorSchemesCanBeRead(t *testing.T) {
	_, address := demo(t, "--longest", "10")
	for name, screen := range screens(address) {
		w := openWindows(t)
		p := w.blank(chromedp.WithNewBrowserContext())
		backgrounds := map[string]string{}
		for _, scheme := range []string{"light", "dark"} {
			call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			p.navigate(screen)
			if name == "front" {
				p.page().find("button", "Torture").there()
			} else {
				p.page().connection().shows("Connected")
				p.page().say("much too long " + scheme)
				p.page().row("much too long "+scheme, "refused")
				p.page().say(scheme)
				p.page().row(scheme, "sent")
			}
			faint, err := evaluate[[]string](p.page(), faintTexts)
			if err != nil || len(faint) > 0 {
				t.Errorf("%s, %s: these texts are hard to read: %q %v", name, scheme, faint, err)
			}
			if backgrounds[scheme], err = evaluate[string](p.page(), "getComputedStyle(document.body).backgroundColor + getComputedStyle(document.documentElement).backgroundColor"); err != nil {
				t.Fatal(err)
			}
		}
		if backgrounds["light"] == backgrounds["dark"] {
			t.Errorf("%s: both schemes have the background %s", name, backgrounds["light"])
		}
	}
}

// faintTexts lists the visible texts whose contrast with what is behind them is below 4.5.
const faintTexts = `(() => {
	const canvas = document.createElement('canvas'); canvas.width = canvas.height = 1;
	const paint = canvas.getContext('2d', {willReadFrequently: true});
	const rgba = (color) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = color; paint.fillRect(0, 0, 1, 1); return [...paint.getImageData(0, 0, 1, 1).data]; };
	const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] / 255 + below[i] * (1 - top[3] / 255));
	const dark = matchMedia('(prefers-color-scheme: dark)').matches && /dark/.test(getComputedStyle(document.documentElement).colorScheme);
	const behind = (e) => { const layers = []; for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((below, top) => over(top, below), dark ? [18, 18, 18] : [255, 255, 255]); };
	const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const faint = [];
	for (const e of document.querySelectorAll('body *')) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '');
		if (!own || !e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.disabled || /SCRIPT|STYLE/.test(e.tagName)) continue;
		const back = behind(e), front = over(rgba(getComputedStyle(e).color), back);
		const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) faint.push(e.tagName + ' ' + e.innerText.slice(0, 40) + ' ' + ratio.toFixed(2));
	}
	return faint })()`
