package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// files are the pages, and what build has made for them.
//
//go:embed pages dist
var files embed.FS

// An asset is a file that build has made: its address has the hash of its content, so browsers may keep it for ever.
type asset struct {
	Path  string `json:"path"`  // below /assets/
	Bytes int    `json:"bytes"` // uncompressed
	Small int    `json:"small"` // as brotli
}

// assets has the files by the names that they had before the hash.
type assets map[string]asset

var errNotBuilt = errors.New("the pages are not built; run make demo")

func readAssets() (assets, error) {
	text, err := files.ReadFile("dist/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotBuilt
	}
	if err != nil {
		return nil, err
	}
	made := assets{}
	return made, json.Unmarshal(text, &made)
}

// policy is the Content-Security-Policy of every page: nothing but what this server has, no inline scripts and styles,
// and WebAssembly.
func policy(host string) string {
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self' ws://" + host + " wss://" + host + "; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"
}

// pages answers everything that is no WebSocket.
type pages struct {
	assets    assets
	templates *template.Template
}

func newPages() (*pages, error) {
	made, err := readAssets()
	if err != nil {
		return nil, err
	}
	p := &pages{assets: made}
	p.templates, err = template.New("").Funcs(template.FuncMap{"asset": p.asset, "size": size}).ParseFS(files, "pages/*.html")
	return p, err
}

func (p *pages) asset(name string) (asset, error) {
	made, ok := p.assets[name]
	if !ok {
		return asset{}, fmt.Errorf("build has made no %s", name)
	}
	made.Path = "/assets/" + made.Path
	return made, nil
}

func (p *pages) icon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/assets/"+p.assets["icon.svg"].Path, http.StatusFound)
}

// size is for people, in kilobytes of 1,000.
func size(bytes int) string {
	if bytes < 1_000_000 {
		return fmt.Sprintf("%d KB", (bytes+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// show answers with a page.
func (p *pages) show(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		if err := p.templates.ExecuteTemplate(&text, name+".html", nil); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		secure(w, r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write([]byte(text.String()))
	}
}

func secure(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy(r.Host))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
}

// encodings are those that build has made, the smallest first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".map": "application/json",
}

// serveAsset answers with a built file, in the smallest form that the browser takes.
func (p *pages) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	kind := contentTypes[path.Ext(name)]
	if kind == "" {
		http.NotFound(w, r)
		return
	}
	text, encoding, err := readSmallest("dist/assets/"+name, r.Header.Get("Accept-Encoding"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	secure(w, r)
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Vary", "Accept-Encoding")
	header.Set("Content-Length", fmt.Sprint(len(text)))
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
}

func readSmallest(file, accepted string) (text []byte, encoding string, err error) {
	for _, encoding := range encodings {
		if !accepts(accepted, encoding.name) {
			continue
		}
		if text, err := files.ReadFile(file + encoding.suffix); err == nil {
			return text, encoding.name, nil
		}
	}
	text, err = files.ReadFile(file)
	return text, "", err
}

// accepts reports whether the header Accept-Encoding names the encoding and does not refuse it by q=0.
func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == encoding {
			q := strings.ReplaceAll(quality, " ", "")
			return !strings.HasPrefix(q, "q=0") || strings.Trim(q, "q=0.") != ""
		}
	}
	return false
}
