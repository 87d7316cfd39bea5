package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain is the program itself where a torture starts it as its victim, and what other tests start.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "scratch": // has a folder for a torture
		_, _, err := newScratch(os.Args[2])
		fmt.Println(err)
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	case slices.Contains(os.Args, "mute"): // a victim that does not listen
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	if slices.Contains(os.Args, "victim") {
		if err := program(os.Stdout).Run(context.Background(), os.Args); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, row := range []struct{ flag, value, want string }{
		{"--longest", "0", "--longest must be at least 1, not 0"},
		{"--burst", "0", "--burst must be at least 1, not 0"},
		{"--history", "-1", "--history must be at least 1, not -1"},
		{"--rooms", "0", "--rooms must be at least 1, not 0"},
		{"--torture", "0", "--torture must be at least 1, not 0"},
		{"--torture-lasts", "0s", "--torture-lasts must be at least 1s, not 0s"},
	} {
		err := program(io.Discard).Run(t.Context(), []string{"demo", "--address", "127.0.0.1:0", row.flag, row.value})
		if err == nil || err.Error() != row.want {
			t.Errorf("%s %s: %v, want %q", row.flag, row.value, err, row.want)
		}
	}
}

// Nobody holds a connection by a request that never ends.
func TestRequestsThatNeverEndAreGivenUp(t *testing.T) {
	web := newWeb(http.NotFoundHandler(), time.Millisecond)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- web.Serve(listener) }()
	defer func() {
		_ = web.Close()
		<-served
	}()
	for name, request := range map[string]string{
		"headers": "GET / HTTP/1.1\r\nHost: here\r\nX: ",
		"a body":  "POST /torture HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, request)
			_, _ = io.Copy(io.Discard, conn) // returns when the server has closed
		})
	}
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
