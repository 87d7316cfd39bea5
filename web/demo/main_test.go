package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is the program itself where a torture starts it as its victim.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "victim") {
		if err := program(os.Stdout).Run(context.Background(), os.Args); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const module = "github.com/server-state-sync/server-state-sync/"

// The Go page needs no detour through JavaScript, and the browser no server.
func TestTheGoPageStandsOnTheGoClient(t *testing.T) {
	for _, build := range []struct {
		of, goos, goarch string
		bans             []string
		needs            string
	}{
		{"./chat", "js", "wasm", []string{"jsbridge", "server", "stores"}, "wasmclient"},
		{".", "", "", []string{"jsbridge"}, "server"},
	} {
		command := exec.Command("go", "list", "-deps", build.of)
		command.Env = os.Environ()
		if build.goos != "" {
			command.Env = append(command.Env, "GOOS="+build.goos, "GOARCH="+build.goarch)
		}
		out, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		imports := strings.Fields(string(out))
		if !slices.Contains(imports, module+build.needs) {
			t.Errorf("%s does not import %s", build.of, build.needs)
		}
		for _, ban := range build.bans {
			if slices.Contains(imports, module+ban) {
				t.Errorf("%s imports %s", build.of, ban)
			}
		}
	}
}
