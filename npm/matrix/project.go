package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// A matrix is the project with the package in it, and what its rows share.
type matrix struct {
	project string // its folder, absolute
	readme  string // the README's chat
	chat    string // the same in JavaScript, as a client component
	server  *program
	browser *browser
	said    output // by the tools of the present row
	weights []weight
}

// state is the value that each row's state begins with; README.md's example calls its own demo.
const state = `{"counter":0,"messages":["first"]}`

// stateNames are the states of the rows: each row has one of its own.
var stateNames = []string{
	"node-20", "node-24", "esbuild-esm", "esbuild-iife", "webpack", "vite-dev", "vite-build", "demo", "demo-built", "next", "next-webpack",
	"vitest-node", "vitest-jsdom", "jest", "jest-esm", "csp", "wasm", "octet-stream", "html", "copies",
}

// prepare makes the project in out/matrix, installs the tarball in it, and starts the server and the browser.
func prepare(ctx context.Context, tarball string) (*matrix, error) {
	project, err := filepath.Abs(filepath.Join("out", "matrix"))
	if err != nil {
		return nil, err
	}
	tarball, err = filepath.Abs(tarball)
	if err != nil {
		return nil, err
	}
	m := &matrix{project: project}
	if err := m.install(ctx, tarball); err != nil {
		return nil, fmt.Errorf("make the project: %w\n%s", err, m.said.String())
	}
	if err := m.serve(ctx); err != nil {
		return nil, err
	}
	if err := m.writeReadme(); err != nil {
		m.close()
		return nil, err
	}
	if m.browser, err = startBrowser(ctx); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *matrix) close() {
	if m.browser != nil {
		m.browser.close()
	}
	m.server.stop()
}

// install copies the fixtures, installs what the lock file names where that is not there yet, and then the tarball, as
// its users do.
func (m *matrix) install(ctx context.Context, tarball string) error {
	entries, err := os.ReadDir(m.project)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if entry.Name() != "node_modules" {
			if err := os.RemoveAll(filepath.Join(m.project, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.CopyFS(m.project, os.DirFS(filepath.Join("matrix", "project"))); err != nil {
		return err
	}
	if err := m.installLocked(ctx, m.project); err != nil {
		return err
	}
	return m.command(ctx, ".", nil, "npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline", tarball)
}

// installLocked runs npm ci in a folder whose node_modules are not those of its lock file.
func (m *matrix) installLocked(ctx context.Context, folder string) error {
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return err
	}
	mark := filepath.Join(folder, "node_modules", ".installed")
	if there, err := os.ReadFile(mark); err == nil && bytes.Equal(there, lock) {
		return nil
	}
	relative, err := filepath.Rel(m.project, folder)
	if err != nil {
		return err
	}
	if err := m.command(ctx, relative, nil, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	return os.WriteFile(mark, lock, 0o644)
}

// serve starts the built server with a state for each row.
func (m *matrix) serve(ctx context.Context) error {
	states := map[string]json.RawMessage{}
	for _, name := range stateNames {
		states[name] = json.RawMessage(state)
	}
	text, err := json.Marshal(states)
	if err != nil {
		return err
	}
	file := filepath.Join(m.project, "states.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	program, err := filepath.Abs(filepath.Join("..", "bin", "statesync"))
	if err != nil {
		return err
	}
	m.server, err = m.start(ctx, ".", nil, regexp.MustCompile(`ws://127\.0\.0\.1:\d+`), program, "serve", "--address", "127.0.0.1:0", "--states", file)
	return err
}

var chatOfReadme = regexp.MustCompile("(?s)```tsx\n(.*?)```")

// writeReadme puts the README's chat into the fixture that shows it as it is, and keeps it for those that build it; only its
// server is that of the matrix, and its state the one with that name.
func (m *matrix) writeReadme() error {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		return err
	}
	found := chatOfReadme.FindSubmatch(text)
	if found == nil || !bytes.Contains(found[1], []byte(`"ws://127.0.0.1:5000"`)) || !bytes.Contains(found[1], []byte(`"demo"`)) {
		return errors.New("README.md has no chat in a block of tsx, with its server and state")
	}
	m.readme = strings.ReplaceAll(string(found[1]), "ws://127.0.0.1:5000", m.server.address)
	if err := os.WriteFile(filepath.Join(m.project, "vite-react", "App.tsx"), []byte(m.readme), 0o644); err != nil {
		return err
	}
	plain := api.Transform(m.readme, api.TransformOptions{Loader: api.LoaderTSX, JSX: api.JSXPreserve})
	if len(plain.Errors) > 0 {
		return errors.New(plain.Errors[0].Text)
	}
	m.chat = "'use client';\n" + string(plain.Code)
	return nil
}

// version returns the version of an installed package.
func (m *matrix) version(name string) string {
	text, err := os.ReadFile(filepath.Join(m.project, "node_modules", name, "package.json"))
	if err != nil {
		return "?"
	}
	var manifest struct{ Version string }
	if json.Unmarshal(text, &manifest) != nil {
		return "?"
	}
	return manifest.Version
}

// node returns the program of a major version of Node: the machine's own, or else one that npm has.
func (m *matrix) node(ctx context.Context, major string) (string, error) {
	own, err := exec.LookPath("node")
	if err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(ctx, own, "--version").Output(); err == nil && strings.HasPrefix(string(out), "v"+major+".") {
		return own, nil
	}
	folder := filepath.Join(m.project, "..", "matrix-node-"+major)
	from := filepath.Join("matrix", "nodes", major)
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return "", err
		}
	}
	if err := m.installLocked(ctx, folder); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(folder, "node_modules", "node-*", "bin", "node"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm has no Node %s for this machine: install it", major)
	}
	return found[0], nil
}
