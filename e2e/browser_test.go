package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// artifacts is the folder with what a failed test has left, by the test's name.
const artifacts = "out"

// elsewhere is a host that leads to this machine and is no loopback address to a browser: the origin of other people.
const elsewhere = "elsewhere.test"

// startBrowser starts the browser of all tests.
func startBrowser(path string) (stop func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP "+elsewhere+" 127.0.0.1"), chromedp.Flag("lang", "en-US"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses to run as root
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	chromium = ctx
	return func() {
		_ = chromedp.Cancel(ctx)
		cancel()
	}, nil
}

// windows are what one test has open. When the test ends they are checked: a console error that the test has not named,
// an uncaught exception and a request that leaves this machine fail it.
type windows struct {
	t     *testing.T
	pages []*tab
}

// open makes the windows of a test.
func openWindows(t *testing.T) *windows {
	w := &windows{t: t}
	t.Cleanup(w.close)
	return w
}

// A tab is a page in the browser. Tabs of one context share what a browser keeps; other contexts are other people.
type tab struct {
	*testing.T
	ctx     context.Context
	name    string
	console console
	person  cdp.BrowserContextID
}

// open shows the address to another person.
func (w *windows) open(address string) *tab {
	w.t.Helper()
	return w.show(address, chromedp.WithNewBrowserContext())
}

// beside shows the address in another tab of the same person.
func (w *windows) beside(other *tab, address string) *tab {
	w.t.Helper()
	return w.show(address, chromedp.WithExistingBrowserContext(other.person))
}

// over shows the address in another tab of the same window, which sends the other to the background.
func (w *windows) over(other *tab, address string) *tab {
	w.t.Helper()
	return w.show(address, chromedp.WithExistingBrowserContext(other.person), chromedp.WithNewWindow(false))
}

func (w *windows) show(address string, options ...chromedp.ContextOption) *tab {
	w.t.Helper()
	p := w.blank(options...)
	p.navigate(address)
	return p
}

// blank opens an empty tab.
func (w *windows) blank(options ...chromedp.ContextOption) *tab {
	w.t.Helper()
	p := &tab{T: w.t, name: fmt.Sprintf("page-%d", len(w.pages)+1)}
	p.ctx, _ = chromedp.NewContext(chromium, append(options, chromedp.WithListener(p.console.hear))...)
	w.pages = append(w.pages, p)
	if err := chromedp.Do(p.ctx); err != nil {
		w.t.Fatalf("open a page: %v", err)
	}
	info := call(p, target.GetTargetInfo, target.GetTargetInfoParams{})
	p.person = info.TargetInfo.BrowserContextID
	return p
}

// navigate goes to the address and waits until the page has loaded.
func (p *tab) navigate(address string) {
	p.Helper()
	if !strings.Contains(address, ":/") && !strings.HasPrefix(address, "about:") {
		address = "http://" + address
	}
	if _, err := url.Parse(address); err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		p.Fatalf("%s: open %s: %v", p.name, address, err)
	}
}

// reload does what the key F5 does.
func (p *tab) reload() {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Reload()); err != nil {
		p.Fatalf("%s: reload: %v", p.name, err)
	}
}

// call runs a command of the browser's protocol on the page.
func call[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.Helper()
	result, err := try(p, command, params)
	if err != nil {
		p.Fatalf("%s: %s: %v", p.name, command.Method, err)
	}
	return result
}

// try is call for what may fail, such as a question about what was there a moment ago.
func try[P, R any](p *tab, command cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Call(ctx, command, params)
}

// expect names an error that the test provokes.
func (p *tab) expect(patterns ...string) *tab {
	p.console.mu.Lock()
	defer p.console.mu.Unlock()
	for _, pattern := range patterns {
		p.console.expected = append(p.console.expected, regexp.MustCompile(pattern))
	}
	return p
}

func (w *windows) close() {
	for _, p := range w.pages {
		for _, line := range p.console.unexpected() {
			w.t.Errorf("%s: console: %s", p.name, line)
		}
	}
	if w.t.Failed() {
		w.keep()
	}
	for _, p := range slices.Backward(w.pages) { // the first of a person closes what that person has open
		if err := chromedp.Cancel(p.ctx); err != nil {
			w.t.Errorf("%s: close: %v", p.name, err)
		}
	}
}

// keep leaves a picture, the text and the console of each page in a folder, and names it.
func (w *windows) keep() {
	folder, err := filepath.Abs(filepath.Join(artifacts, filepath.FromSlash(w.t.Name())))
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		w.t.Errorf("keep what the pages show: %v", err)
		return
	}
	for _, p := range w.pages {
		text := "console:\n" + p.console.text() + "\n\npage:\n" + p.glance() + "\n"
		if err := os.WriteFile(filepath.Join(folder, p.name+".txt"), []byte(text), 0o644); err != nil {
			w.t.Error(err)
		}
		if picture, err := p.picture(); err != nil {
			w.t.Logf("%s: no screenshot: %v", p.name, err)
		} else if err := os.WriteFile(filepath.Join(folder, p.name+".png"), picture, 0o644); err != nil {
			w.t.Error(err)
		}
	}
	w.t.Logf("screenshots and consoles are in %s", folder)
}

// picture takes a screenshot.
func (p *tab) picture() ([]byte, error) {
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: "png"})
	return shot.Data, err
}

// glance returns the page's address and text, for who looks for the reason of a failure.
func (p *tab) glance() string {
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	const look = `location.href + '\n' + document.body.innerText`
	result, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: look})
	if err != nil || result.Result == nil {
		return fmt.Sprint(err)
	}
	return string(result.Result.Value)
}
