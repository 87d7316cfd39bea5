package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

func esbuildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/evanw/esbuild" {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "?"
}

// bundled makes a page of a folder's main.js with esbuild as it is without options.
func bundled(folder, state string, format api.Format) func(context.Context, *matrix) error {
	return func(ctx context.Context, m *matrix) error {
		to := folder + "/" + state
		if err := m.bundle(folder+"/main.js", to, format); err != nil {
			return err
		}
		tag := `<script src="main.js"></script>`
		if format == api.FormatESModule {
			tag = `<script type="module" src="main.js"></script>`
		}
		site, err := m.publish(to, tag, nil)
		if err != nil {
			return err
		}
		defer site.stop()
		return m.browser.converge(ctx, site.address+m.asks(state), nil)
	}
}

// bundle bundles a file of the project into a folder of it; ES modules are split.
func (m *matrix) bundle(entry, to string, format api.Format) error {
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: m.project, EntryPoints: []string{entry}, Outdir: to, Bundle: true, Write: true, Format: format,
		Splitting: format == api.FormatESModule, LogLevel: api.LogLevelSilent,
	})
	var problems []error
	for _, message := range append(result.Errors, result.Warnings...) {
		problems = append(problems, errors.New(message.Text))
	}
	return errors.Join(problems...)
}

// A header makes a page's server say more than it does by itself.
type header func(http.Header, string)

// publish serves a folder of the project, with a page that holds the tag, at the root of an address of its own.
func (m *matrix) publish(folder, tag string, more header) (*program, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	page := []byte(`<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"></head><body>` + tag + `</body></html>`)
	files := http.FileServer(http.Dir(filepath.Join(m.project, folder)))
	server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if more != nil {
			more(w.Header(), r.URL.Path)
		}
		if r.URL.Path == "/" {
			http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(page))
			return
		}
		files.ServeHTTP(w, r)
	})}
	ended := make(chan struct{})
	go func() {
		_ = server.Serve(listener) // ends with the listener
		close(ended)
	}()
	return &program{"http://" + listener.Addr().String(), func() {
		_ = server.Close()
		<-ended
	}}, nil
}

// pageRows are what may be the matter with a page, in the browser itself.
func pageRows(m *matrix) []row {
	tool := "chromium"
	const policy = "default-src 'self'; img-src data:; connect-src 'self' ws:; script-src 'self'"
	policed := func(more string) header {
		return func(h http.Header, _ string) { h.Set("Content-Security-Policy", policy+more) }
	}
	rows := []row{
		{tool, "a Content-Security-Policy with 'wasm-unsafe-eval'", shows("csp", "", policed(" 'wasm-unsafe-eval'"))},
		{tool, "a Content-Security-Policy without it", refuses("", policed(""), "forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src")},
		{tool, "slim: a module that is HTML", refuses("page.html", nil, "is no WebAssembly module but HTML")},
		{tool, "slim: HTML as application/wasm", refuses("page.html", typed("application/wasm"), "could not be loaded")},
		{tool, "slim: a module that is not there", refuses("missing.wasm", nil, "status 404")},
		{tool, "two copies of the package, four clients", copies},
	}
	for _, kind := range []string{"application/wasm", "application/octet-stream", "text/html"} {
		rows = append(rows, row{tool, "slim: a module served as " + kind, shows(kind[strings.IndexByte(kind, '/')+1:], "client.wasm", typed(kind))})
	}
	return rows
}

// typed serves modules with a content type.
func typed(kind string) header {
	return func(h http.Header, path string) {
		if path != "/" && !strings.HasSuffix(path, ".js") {
			h.Set("Content-Type", kind)
		}
	}
}

// slim serves the page of pages/slim.js, with the package's module beside it.
func (m *matrix) slim(more header) (*program, error) {
	if err := m.bundle("pages/slim.js", "pages/slim", api.FormatESModule); err != nil {
		return nil, err
	}
	module, err := os.ReadFile(filepath.Join(m.project, "node_modules", "server-state-sync", "dist", "client.wasm"))
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(m.project, "pages", "slim")
	if err := os.WriteFile(filepath.Join(folder, "client.wasm"), module, 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, "page.html"), []byte("<!doctype html><title>no module</title>"), 0o644); err != nil {
		return nil, err
	}
	return m.publish("pages/slim", `<script type="module" src="slim.js"></script>`, more)
}

// shows opens a page that works in spite of everything.
func shows(state, module string, more header) func(context.Context, *matrix) error {
	return func(ctx context.Context, m *matrix) error {
		site, err := m.slim(more)
		if err != nil {
			return err
		}
		defer site.stop()
		return m.browser.converge(ctx, site.address+m.asks(state)+"&module="+module, nil)
	}
}

// refuses opens a page whose client must reject with wasm_load and the sentence, and nothing else may go wrong: only the
// browser's own words about it are in the console.
func refuses(module string, more header, sentence string) func(context.Context, *matrix) error {
	return func(ctx context.Context, m *matrix) error {
		site, err := m.slim(more)
		if err != nil {
			return err
		}
		defer site.stop()
		p, err := m.browser.open(ctx, site.address+m.asks("wasm")+"&module="+module)
		if err != nil {
			return err
		}
		defer p.close()
		if err := p.until(`document.querySelector('pre')`); err != nil {
			return err
		}
		text, err := p.text(`document.querySelector('pre').textContent`)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(text, "SyncError wasm_load ") || !strings.Contains(text, sentence) {
			return fmt.Errorf("the page shows %q; want SyncError wasm_load and %q", text, sentence)
		}
		return p.quiet("SyncError: ", "missing.wasm", "Content Security Policy")
	}
}

// copies opens a page with the package and a copy of it.
func copies(ctx context.Context, m *matrix) error {
	from := filepath.Join(m.project, "node_modules", "server-state-sync")
	if err := os.CopyFS(filepath.Join(m.project, "copy", "node_modules", "server-state-sync"), os.DirFS(from)); err != nil {
		return err
	}
	if err := m.bundle("pages/copies.js", "pages/copies", api.FormatESModule); err != nil {
		return err
	}
	site, err := m.publish("pages/copies", `<script type="module" src="copies.js"></script>`, nil)
	if err != nil {
		return err
	}
	defer site.stop()
	p, err := m.browser.open(ctx, site.address+m.asks("copies"))
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.until(`document.querySelector('pre')`); err != nil {
		return err
	}
	text, err := p.text(`document.querySelector('pre').textContent`)
	if err != nil {
		return err
	}
	if text != "nothing is left on globalThis" {
		return errors.New(text)
	}
	return p.quiet()
}
