package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what must happen soon; on a busy machine soon is long.
const patience = 90 * time.Second

// What the tests run is built once, by the commands that the README names.
var (
	root      string          // of the repository
	tarball   string          // of the npm package
	modules   string          // a folder node_modules with the tarball installed
	chromium  context.Context // the one browser; every test has contexts of its own in it
	statesync string
	chat      string // the demo's program
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if root, err = filepath.Abs(".."); err != nil {
		return 1, err
	}
	if err := os.RemoveAll(artifacts); err != nil {
		return 1, err
	}
	path, err := browserPath()
	if err != nil {
		return 1, err
	}
	if err := build(); err != nil {
		return 1, err
	}
	folder, err := os.MkdirTemp("", "statesync-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := installPackage(folder); err != nil {
		return 1, err
	}
	stop, err := startBrowser(path)
	if err != nil {
		return 1, err
	}
	code = m.Run()
	stop()
	if code == 0 {
		err = goleak.Find()
	}
	return code, err
}

// browserPath finds Chromium, or says how to have it.
func browserPath() (string, error) {
	name := os.Getenv("CHROMIUM")
	if name == "" {
		name = "chromium"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: these tests open pages in Chromium; run scripts/need.sh chromium (on Debian: apt-get install chromium), "+
			"or name one: CHROMIUM=/path/to/it", err)
	}
	return path, nil
}

// build makes the programs and the package by the commands behind make run, make demo and make npm.
func build() error {
	for _, line := range [][]string{{"go", "build", "-o", "bin/", "./cmd/statesync"}, {"scripts/demo.sh"}, {"make", "--no-print-directory", "npm"}} {
		out, err := command(root, line[0], line[1:]...)
		if err != nil {
			return err
		}
		lines := strings.Fields(out)
		if len(lines) > 0 { // make npm says last where the tarball is
			tarball = filepath.Join(root, lines[len(lines)-1])
		}
	}
	statesync, chat = filepath.Join(root, "bin", "statesync"), filepath.Join(root, "bin", "demo")
	return nil
}

// installPackage installs the tarball in an empty project, from nothing but the tarball.
func installPackage(folder string) error {
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"name":"project","private":true}`), 0o644); err != nil {
		return err
	}
	modules = filepath.Join(folder, "node_modules")
	if err := os.Mkdir(modules, 0o755); err != nil {
		return err
	}
	_, err := command(folder, "npm", "install", "--silent", "--offline", "--no-audit", "--no-fund", "--legacy-peer-deps", tarball)
	return err
}

// command runs a program to its end and returns what it has printed.
func command(folder, name string, arguments ...string) (string, error) {
	c := exec.Command(name, arguments...)
	c.Dir = folder
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(arguments, " "), err, out)
	}
	return string(out), nil
}

// eventually polls until the condition holds. What it has seen last is told when it never does.
func eventually(t testing.TB, what string, condition func() (holds bool, seen string)) {
	t.Helper()
	within(t, patience, what, condition)
}

// within is eventually for what takes longer, or may not take as long.
func within(t testing.TB, limit time.Duration, what string, condition func() (holds bool, seen string)) {
	t.Helper()
	pause := 20 * time.Millisecond
	for deadline := time.Now().Add(limit); ; pause = min(pause*3/2, 400*time.Millisecond) { // looking costs the page time, too
		holds, seen := condition()
		if holds {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s; last seen: %s", limit, what, seen)
		}
		<-time.After(pause)
	}
}
