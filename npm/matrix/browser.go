package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take; it is generous, for machines that are busy.
const patience = 90 * time.Second

// A browser is a running Chromium.
type browser struct {
	ctx   context.Context
	close func()
}

func startBrowser(ctx context.Context) (*browser, error) {
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "chromium"
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses to run as root
	}
	allocator, release := chromedp.NewExecAllocator(ctx, options...)
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		release()
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return &browser{ctx, func() { cancel(); release() }}, nil
}

// A page is one tab, with what its console complained of.
type page struct {
	ctx   context.Context
	close context.CancelFunc

	mu         sync.Mutex
	complaints []string
}

// open opens the address in a tab of its own.
func (b *browser) open(ctx context.Context, address string) (*page, error) {
	p := &page{}
	tab, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(p.hear))
	stop := context.AfterFunc(ctx, cancel)
	p.ctx, p.close = tab, func() { stop(); cancel() }
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		p.close()
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	return p, nil
}

// hear keeps errors of the console, uncaught exceptions, unhandled rejections, and what the browser itself reports.
func (p *page) hear(event any) {
	var complaint string
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if event.Type != "error" && event.Type != "assert" {
			return
		}
		for _, arg := range event.Args {
			complaint += string(arg.Value) + arg.Description + " "
		}
	case *runtime.EventExceptionThrown:
		complaint = event.ExceptionDetails.Text
		if thrown := event.ExceptionDetails.Exception; thrown != nil {
			complaint += " " + thrown.Description
		}
	case *log.EventEntryAdded:
		if event.Entry.Level != log.EntryLevelError {
			return
		}
		complaint = event.Entry.Text + " " + event.Entry.URL
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, complaint)
}

// quiet fails where the page has complained of anything but what is allowed.
func (p *page) quiet(allowed ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, complaint := range p.complaints {
		if !slices.ContainsFunc(allowed, func(part string) bool { return strings.Contains(complaint, part) }) {
			return fmt.Errorf("the page complains: %s", complaint)
		}
	}
	return nil
}

// until waits until the JavaScript expression is true. A page in the background draws no frames, so it asks by the clock.
func (p *page) until(expression string) error {
	err := chromedp.Do(p.ctx, chromedp.Poll[chromedp.Void]("!!("+expression+")",
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	if err == nil {
		return nil
	}
	shown, _ := p.text("document.documentElement?.outerHTML.slice(0, 2000)")
	return errors.Join(fmt.Errorf("never came true: %s: %w\n%s", expression, err, shown), p.quiet())
}

// text returns what the JavaScript expression comes to, a string.
func (p *page) text(expression string) (string, error) {
	return chromedp.Run(p.ctx, chromedp.Evaluate[string](expression))
}

const (
	ready = `document.querySelector('p')?.textContent === 'first'`
	lines = `JSON.stringify([...document.querySelectorAll('p')].map((line) => line.textContent))`
)

// converge opens the address in two tabs, clicks and writes in both as people do, and waits until both show the same.
// Then it hands one of them on, if there is something more to do with it.
func (b *browser) converge(ctx context.Context, address string, more func(*page) error) error {
	var pages []*page
	for range 2 {
		p, err := b.open(ctx, address)
		if err != nil {
			return err
		}
		defer p.close()
		pages = append(pages, p)
	}
	for i, p := range pages {
		if err := p.until(ready); err != nil {
			return err
		}
		if err := p.use(fmt.Sprintf("from %d", i)); err != nil {
			return err
		}
	}
	if err := agree(pages); err != nil || more == nil {
		return err
	}
	return more(pages[0])
}

// use clicks the counter and sends a message.
func (p *page) use(message string) error {
	return chromedp.Do(p.ctx,
		chromedp.Click(chromedp.CSS("button")),
		chromedp.SendKeys(chromedp.CSS("input"), message),
		chromedp.Click(chromedp.CSS("input ~ button")))
}

// agree waits until all pages show what was done in each, and compares them.
func agree(pages []*page) error {
	const done = `document.querySelector('button').textContent === 'clicked 2 times' && document.querySelectorAll('p').length === 3`
	var shown []string
	for _, p := range pages {
		if err := p.until(done); err != nil {
			return err
		}
		text, err := p.text(lines)
		if err != nil {
			return err
		}
		shown = append(shown, text)
		if err := p.quiet(); err != nil {
			return err
		}
	}
	for _, text := range shown {
		if text != shown[0] || !strings.Contains(text, "from 0") || !strings.Contains(text, "from 1") {
			return fmt.Errorf("the pages show %s", strings.Join(shown, " and "))
		}
	}
	return nil
}
