package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// rows are all of them, in the order in which they run.
func rows(m *matrix) []row {
	all := []row{
		{"Node 20", "ES module and CommonJS, WebSocket passed in", runNode("20")},
		{"Node 24", "ES module and CommonJS", runNode("24")},
		{"esbuild " + esbuildVersion(), "ES modules", bundled("esbuild", "esbuild-esm", api.FormatESModule)},
		{"esbuild " + esbuildVersion(), "IIFE", bundled("esbuild", "esbuild-iife", api.FormatIIFE)},
		{"webpack " + m.version("webpack"), "build", webpack},
		{"vite " + m.version("vite"), "development server", viteDev},
		{"vite " + m.version("vite"), "build and preview", viteBuild},
		{"vite " + m.version("vite"), "README's chat, development server", viteReactDev},
		{"vite " + m.version("vite"), "README's chat, build and preview", viteReactBuild},
		{"next " + m.version("next"), "client component, server rendering, build and start", next("next")},
		{"next " + m.version("next"), "the same, built by webpack", next("next-webpack", "--webpack")},
		{"vitest " + m.version("vitest"), "node", vitest("node")},
		{"vitest " + m.version("vitest"), "jsdom", vitest("jsdom")},
		{"jest " + m.version("jest"), "jsdom, CommonJS", jest},
		{"jest " + m.version("jest"), "jsdom, ES modules", jestModules},
	}
	return append(all, pageRows(m)...)
}

// names returns the environment that tells a program the server and the state.
func (m *matrix) names(state string) []string {
	return []string{"STATESYNC_ENDPOINT=" + m.server.address, "STATESYNC_STATE=" + state}
}

// asks returns the query that tells a page the server and the state.
func (m *matrix) asks(state string) string {
	return "?endpoint=" + m.server.address + "&state=" + state
}

func runNode(major string) func(context.Context, *matrix) error {
	return func(ctx context.Context, m *matrix) error {
		node, err := m.node(ctx, major)
		if err != nil {
			return err
		}
		return m.command(ctx, "node", m.names("node-"+major), node, "main.mjs")
	}
}

func webpack(ctx context.Context, m *matrix) error {
	if err := m.command(ctx, "webpack", nil, "node", "build.mjs"); err != nil {
		return err
	}
	site, err := m.publish("webpack/dist", `<script src="main.js"></script>`, nil)
	if err != nil {
		return err
	}
	defer site.stop()
	return m.browser.converge(ctx, site.address+m.asks("webpack"), nil)
}

var local = regexp.MustCompile(`http://(localhost|127\.0\.0\.1):\d+`)

func (m *matrix) vite(ctx context.Context, folder string, command ...string) (*program, error) {
	return m.start(ctx, folder, nil, local, m.bin("vite"), append(command, "--host", "127.0.0.1", "--port", "0")...)
}

func viteDev(ctx context.Context, m *matrix) error {
	site, err := m.vite(ctx, "vite")
	if err != nil {
		return err
	}
	defer site.stop()
	return m.browser.converge(ctx, site.address+m.asks("vite-dev"), nil)
}

func viteBuild(ctx context.Context, m *matrix) error {
	return m.viteBuilt(ctx, "vite", "without React", m.asks("vite-build"))
}

// viteBuilt builds a project, opens it, and weighs what the page has loaded.
func (m *matrix) viteBuilt(ctx context.Context, folder, what, query string) error {
	if err := m.command(ctx, folder, nil, m.bin("vite"), "build"); err != nil {
		return err
	}
	site, err := m.vite(ctx, folder, "preview")
	if err != nil {
		return err
	}
	defer site.stop()
	return m.browser.converge(ctx, site.address+"/"+query, func(p *page) error {
		return m.weigh(p, what, filepath.Join(m.project, folder, "dist"))
	})
}

func viteReactDev(ctx context.Context, m *matrix) error {
	site, err := m.vite(ctx, "vite-react")
	if err != nil {
		return err
	}
	defer site.stop()
	return m.browser.converge(ctx, site.address, nil)
}

func viteReactBuild(ctx context.Context, m *matrix) error {
	app := filepath.Join(m.project, "vite-react", "App.tsx")
	if err := os.WriteFile(app, []byte(strings.ReplaceAll(m.readme, `"demo"`, `"demo-built"`)), 0o644); err != nil {
		return err
	}
	return m.viteBuilt(ctx, "vite-react", chatWeight, "")
}

// next builds the README's chat for the state with Next, whose bundler the flags may choose.
func next(state string, flags ...string) func(context.Context, *matrix) error {
	return func(ctx context.Context, m *matrix) error {
		chat := strings.ReplaceAll(m.chat, `"demo"`, `"`+state+`"`)
		if err := os.WriteFile(filepath.Join(m.project, "next", "app", "chat.jsx"), []byte(chat), 0o644); err != nil {
			return err
		}
		if err := m.command(ctx, "next", nil, m.bin("next"), append([]string{"build"}, flags...)...); err != nil {
			return err
		}
		site, err := m.start(ctx, "next", m.names(state), local, m.bin("next"), "start", "--hostname", "127.0.0.1", "--port", "0")
		if err != nil {
			return err
		}
		defer site.stop()
		p, err := m.browser.open(ctx, site.address+"/server") // a client on the server, before others write
		if err != nil {
			return err
		}
		defer p.close()
		if err := p.until(ready); err != nil {
			return err
		}
		return m.browser.converge(ctx, site.address, nil)
	}
}

func vitest(environment string) func(context.Context, *matrix) error {
	return func(ctx context.Context, m *matrix) error {
		env := append(m.names("vitest-"+environment), "STATESYNC_WS=1")
		if environment == "jsdom" {
			env = append(env, "STATESYNC_PAGE=1")
		}
		return m.command(ctx, "runners", env, m.bin("vitest"), "run", "--globals", "--environment", environment, "--testTimeout", "60000")
	}
}

var jestFlags = []string{"--env", "jsdom", "--rootDir", ".", "--testRegex", `converge\.test\.`, "--testTimeout", "60000"}

// jest runs the tests as CommonJS, as it does without a configuration.
func jest(ctx context.Context, m *matrix) error {
	for _, name := range []string{"converge.js", "mount.js", "runners/converge.test.js"} {
		if err := m.toCommonJS(name); err != nil {
			return err
		}
	}
	return m.command(ctx, "jest/runners", append(m.names("jest"), "STATESYNC_PAGE=1"), m.bin("jest"), jestFlags...)
}

func (m *matrix) toCommonJS(name string) error {
	text, err := os.ReadFile(filepath.Join(m.project, name))
	if err != nil {
		return err
	}
	made := api.Transform(string(text), api.TransformOptions{Format: api.FormatCommonJS, Supported: map[string]bool{"dynamic-import": false}})
	if len(made.Errors) > 0 {
		return fmt.Errorf("%s: %s", name, made.Errors[0].Text)
	}
	to := filepath.Join(m.project, "jest", name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(m.project, "jest", "package.json"), []byte(`{ "type": "commonjs" }`), 0o644); err != nil {
		return err
	}
	return os.WriteFile(to, made.Code, 0o644)
}

func jestModules(ctx context.Context, m *matrix) error {
	env := append(m.names("jest-esm"), "STATESYNC_PAGE=1", "NODE_OPTIONS=--experimental-vm-modules --no-warnings")
	return m.command(ctx, "runners", env, m.bin("jest"), jestFlags...)
}
