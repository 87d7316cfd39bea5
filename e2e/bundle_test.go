package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// contentSecurityPolicy is the strictest that the README says the package works under.
const contentSecurityPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws: 'self'; style-src 'self' 'unsafe-inline'; img-src data:"

const document = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>page</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="page.js"></script></html>`

// A site serves one page, bundled from the packed npm package as a user's bundler does it.
type site struct{ address string }

// hosted bundles the sources, of which page.tsx is the entry, and serves the page until the end of the test.
func hosted(t *testing.T, sources map[string]string) site {
	t.Helper()
	script := bundle(t, sources)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", contentSecurityPolicy)
		w.Header().Set("Cache-Control", "no-store")
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(document))
		case "/page.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
		default:
			http.NotFound(w, r)
		}
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return site{listener.Addr().String()}
}

func bundle(t *testing.T, sources map[string]string) []byte {
	t.Helper()
	folder := filepath.Join(filepath.Dir(modules), filepath.FromSlash(t.Name())) // node_modules is above it
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range sources {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(folder, "page.tsx")}, Outfile: filepath.Join(folder, "page.js"),
		Bundle: true, Format: api.FormatESModule, Platform: api.PlatformBrowser, Target: api.ES2022,
		JSX: api.JSXAutomatic, JSXDev: true, Define: map[string]string{"process.env.NODE_ENV": `"development"`},
		NodePaths: []string{filepath.Join(root, "npm", "node_modules")}, LogLevel: api.LogLevelSilent,
	})
	for _, message := range append(result.Errors, result.Warnings...) {
		t.Errorf("bundle: %s", message.Text)
	}
	if t.Failed() {
		t.FailNow()
	}
	return result.OutputFiles[0].Contents
}

// strict mounts the component of a file under React's StrictMode, which runs effects twice.
func strict(importing string) string {
	return "import { StrictMode } from 'react';\nimport { createRoot } from 'react-dom/client';\n" + importing +
		"\ncreateRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);\n"
}

// source reads a file of the repository.
func source(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var readmePage = regexp.MustCompile("(?s)```tsx\n(.*?)```")

// readmeExample returns the README's React example as it is, but for the address.
func readmeExample(t *testing.T, address string) map[string]string {
	t.Helper()
	found := readmePage.FindStringSubmatch(source(t, "README.md"))
	if found == nil {
		t.Fatal("README.md has no React example")
	}
	return map[string]string{
		"page.tsx": strict("import App from './app';"),
		"app.tsx":  replaceOnce(t, found[1], "ws://127.0.0.1:5000", "ws://"+address),
	}
}

// replaceOnce fails where there is nothing to replace.
func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	if strings.Count(text, from) != 1 {
		t.Fatal(fmt.Errorf("%q stands %d times in what this test replaces it in", from, strings.Count(text, from)))
	}
	return strings.Replace(text, from, to, 1)
}
