package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/server"
)

func openPages(t *testing.T) *httptest.Server {
	t.Helper()
	syncer, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tormentor, err := newTorturer(50, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := newHandler(syncer, tormentor)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(handler)
	t.Cleanup(func() {
		web.Close()
		tormentor.close()
		_ = syncer.Close()
	})
	return web
}

func get(t *testing.T, address, encodings string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", encodings)
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

var addresses = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

func TestPagesNameOnlyWhatTheServerHas(t *testing.T) {
	web := openPages(t)
	for _, page := range []string{"/", "/go/lobby", "/react/lobby"} {
		response, text := get(t, web.URL+page, "")
		if response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", page, response.Status)
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';") {
			t.Errorf("%s: the policy is %q", page, policy)
		}
		if strings.Contains(text, "<style") || strings.Contains(text, "style=") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(text) {
			t.Errorf("%s has an inline script or style", page)
		}
		found := addresses.FindAllStringSubmatch(text, -1)
		if len(found) < 3 {
			t.Errorf("%s names %d addresses", page, len(found))
		}
		for _, address := range found {
			if !strings.HasPrefix(address[1], "/") || strings.HasPrefix(address[1], "//") {
				t.Errorf("%s names %s", page, address[1])
				continue
			}
			if response, _ := get(t, web.URL+address[1], "br"); response.StatusCode != http.StatusOK {
				t.Errorf("%s names %s: %s", page, address[1], response.Status)
			}
		}
	}
	for _, page := range []string{"/nothing", "/assets/nothing.js", "/assets/manifest.json", "/go/a/b"} {
		if response, _ := get(t, web.URL+page, ""); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", page, response.Status)
		}
	}
}

func TestEveryNameOfARoomHasAPage(t *testing.T) {
	web := openPages(t)
	for _, row := range []struct{ path, location string }{
		{"/go/a%2Fb", ""}, {"/react/%25", ""}, {"/go/%E0%A4%B9%E0%A4%BF", ""}, {"/react/%FF", ""}, {"/go/" + strings.Repeat("a", 5000), ""},
		{"/go/", "/go/lobby"}, {"/react/", "/react/lobby"}, {"/go/..", "/"},
	} {
		response, text := get(t, web.URL+row.path, "")
		if got := response.Header.Get("Location"); got != row.location {
			t.Errorf("%.40s leads to %q, want %q", row.path, got, row.location)
		}
		if row.location == "" && (response.StatusCode != http.StatusOK || !strings.Contains(text, "<title>")) {
			t.Errorf("%.40s: %s", row.path, response.Status)
		}
	}
}

func TestModulesComeCompressedAndAreKept(t *testing.T) {
	web := openPages(t)
	made, err := readAssets()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"chat.wasm", "client.wasm"} {
		for _, row := range []struct{ accepted, want string }{{"gzip, deflate, br", "br"}, {"gzip", "gzip"}, {"br;q=0, gzip", "gzip"}, {"", ""}, {"identity", ""}} {
			response, text := get(t, web.URL+"/assets/"+made[name].Path, row.accepted)
			header := response.Header
			if got := header.Get("Content-Encoding"); got != row.want {
				t.Errorf("%s for %q: the encoding is %q", name, row.accepted, got)
			}
			if header.Get("Content-Type") != "application/wasm" || !strings.Contains(header.Get("Cache-Control"), "immutable") || header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: the header is %v", name, header)
			}
			if row.want == "" && len(text) != made[name].Bytes || row.want == "br" && len(text) != made[name].Small {
				t.Errorf("%s for %q has %d bytes; the manifest says %+v", name, row.accepted, len(text), made[name])
			}
		}
	}
}

func TestATortureIsBegunByOwnPagesOnly(t *testing.T) {
	web := openPages(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/torture", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("a page from elsewhere began a torture: %s", response.Status)
	}
}
