package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/server-state-sync/server-state-sync/server"
)

// controlFile is the Unix socket in the folder of the states by which a running server is asked for them: HTTP, for those
// who may use the folder.
const controlFile = "control"

const (
	stateMark = 's' // begins a line of an answer that is a state
	faultMark = 'e' // begins one that says what could not be read
)

// control answers statesync export and import.
type control struct{ syncer *server.StateSyncer }

// listenControl serves the folder's socket until stop is called. One that a killed server left behind is replaced: who
// has the folder's lock has the socket too.
func listenControl(folder string, syncer *server.StateSyncer, logger *slog.Logger) (stop func(), err error) {
	path := filepath.Join(folder, controlFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make the socket for export and import: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("make the socket for export and import: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("make the socket for export and import: %w", err)
	}
	c := &control{syncer}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /states", c.export)
	mux.HandleFunc("POST /states", c.add)
	ctx, cancel := context.WithCancel(context.Background())
	serving := &http.Server{
		Handler:     mux,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = serving.Serve(listener)
	}()
	return func() {
		cancel()
		_ = serving.Close()
		<-ended
	}, nil
}

// export sends a line for each state, and one for each that cannot be read.
func (c *control) export(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := bufio.NewWriterSize(w, 64<<10)
	err := exportStates(r.Context(), c.syncer, r.URL.Query()["state"], func(line []byte) error {
		_ = out.WriteByte(stateMark)
		_, err := out.Write(line)
		return err
	}, func(why string) {
		_ = out.WriteByte(faultMark)
		_, _ = out.WriteString(strings.ReplaceAll(why, "\n", " ") + "\n")
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the answer must not look whole
	}
}

// add makes the state of the line in the body.
func (c *control) add(w http.ResponseWriter, r *http.Request) {
	line, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestTransfer))
	if err == nil {
		err = addState(c.syncer, line, r.URL.Query().Has("replace"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// running is the keeper of a folder on which a server runs.
type running struct{ client *http.Client }

// dialControl finds the server that runs on the folder.
func dialControl(ctx context.Context, folder string) (*running, error) {
	path := filepath.Join(folder, controlFile)
	dialer := new(net.Dialer)
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	_ = conn.Close()
	return &running{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		},
		MaxIdleConnsPerHost: importsAtOnce,
	}}}, nil
}

// controlURL addresses the socket; the host is never looked up.
const controlURL = "http://statesync/states"

func (k *running) export(ctx context.Context, identifiers []string, visit func(line []byte) error, failed func(why string)) error {
	query := url.Values{"state": identifiers}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, controlURL+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return answerError(response)
	}
	lines := bufio.NewReaderSize(response.Body, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("the running server's answer broke off: %w", err)
		case line[0] == faultMark:
			failed(strings.TrimSuffix(string(line[1:]), "\n"))
		default:
			if err := visit(line[1:]); err != nil {
				return err
			}
		}
	}
}

func (k *running) add(ctx context.Context, line []byte, replace bool) error {
	target := controlURL
	if replace {
		target += "?replace=true"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(line))
	if err != nil {
		return err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusNoContent {
		return answerError(response)
	}
	return nil
}

// answerError is what the server said against it.
func answerError(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil || len(text) == 0 {
		return fmt.Errorf("the running server answered %s", response.Status)
	}
	return errors.New(strings.TrimSpace(string(text)))
}

func (k *running) close() error {
	k.client.CloseIdleConnections()
	return nil
}
