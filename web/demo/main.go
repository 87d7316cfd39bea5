// The program demo serves a chat: one page in Go and one in React over the same states. It is the example that users
// copy: rooms.go has the rules of the chat, this file puts them behind an address.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/time/rate"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores/disk"
)

// requestTimeout is how long a request may take from its first byte to its last.
const requestTimeout = 10 * time.Second

// drainTimeout bounds how long the program takes to end gently.
const drainTimeout = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := program(os.Stdout).Run(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func program(out io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "serve a chat with a page in Go and a page in React",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "address", Value: "127.0.0.1:8000", Usage: "`HOST:PORT` to listen on; port 0 is a free one"},
			&cli.StringFlag{Name: "data", Usage: "keep the rooms in this `FOLDER`; without it they end with the program"},
			&cli.IntFlag{Name: "longest", Value: 500, Usage: "characters that a message may have"},
			&cli.FloatFlag{Name: "rate", Value: 5, Usage: "messages in a second that a user may send"},
			&cli.IntFlag{Name: "burst", Value: 10, Usage: "and at once"},
			&cli.IntFlag{Name: "history", Value: 1000, Usage: "messages that a room keeps; the oldest go"},
			&cli.IntFlag{Name: "rooms", Value: 1000, Usage: "rooms that there may be at a time, the lobby included"},
			&cli.DurationFlag{Name: "ttl", Usage: "how long a room lives, whoever is in it; the lobby stays (default: as long as somebody is in it)"},
			&cli.DurationFlag{Name: "heartbeat", Usage: "silence after which a connection is probed; it is given up after twice that (default: 15s)"},
			&cli.DurationFlag{Name: "grace", Usage: "how long who has lost the connection still counts as being in the room (default: 30s)"},
			&cli.DurationFlag{Name: "look", Usage: "how often empty rooms are looked for (default: 30s)"},
			&cli.IntFlag{Name: "torture", Value: 5000, Usage: "messages of a torture"},
			&cli.DurationFlag{Name: "torture-lasts", Value: 20 * time.Second, Usage: "how long its writers take to send them"},
		},
		Writer:          out,
		HideHelpCommand: true,
		Commands:        []*cli.Command{victimCommand()},
		Action:          serve,
	}
}

// checkFlags refuses what makes no sense.
func checkFlags(command *cli.Command) error {
	for _, name := range []string{"longest", "burst", "history", "rooms", "torture"} {
		if command.Int(name) < 1 {
			return fmt.Errorf("--%s must be at least 1, not %d", name, command.Int(name))
		}
	}
	if lasts := command.Duration("torture-lasts"); lasts < time.Second {
		return fmt.Errorf("--torture-lasts must be at least 1s, not %v", lasts)
	}
	return nil
}

func serve(ctx context.Context, command *cli.Command) (err error) {
	if err := checkFlags(command); err != nil {
		return err
	}
	r := &rooms{
		longest: command.Int("longest"), rate: rate.Limit(command.Float("rate")), burst: command.Int("burst"), history: command.Int("history"),
		most: command.Int("rooms"), ttl: command.Duration("ttl"), now: time.Now, making: newMaking(), paces: map[string]*rate.Limiter{},
	}
	options := r.options()
	options.Heartbeat, options.ReconnectGrace, options.SelfDestructInterval = command.Duration("heartbeat"), command.Duration("grace"), command.Duration("look")
	if folder := command.String("data"); folder != "" {
		store, err := disk.Open(folder, disk.Options{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		options.Store = store
	}
	syncer, err := server.New(options)
	if err != nil {
		return err
	}
	defer func() { _ = syncer.Close() }()
	r.count = func() int { return syncer.Stats().States }
	room, _ := r.restore(lobby)
	if _, err := syncer.CreateState(room); err != nil && !errors.Is(err, server.ErrStateExists) {
		return err
	}
	t, err := newTorturer(command.Int("torture"), command.Duration("torture-lasts"))
	if err != nil {
		return err
	}
	defer t.close()
	handler, err := newHandler(syncer, t)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", command.String("address"))
	if err != nil {
		return err
	}
	fmt.Fprintf(command.Root().Writer, "open http://%s/\n", listener.Addr())
	return serveOn(ctx, listener, handler, syncer)
}

// newHandler puts the states beside the pages: /sync is the endpoint of the clients.
func newHandler(syncer *server.StateSyncer, t *torturer) (http.Handler, error) {
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/sync", syncer)
	mux.Handle("/torture/sync", t.syncer)
	mux.Handle("POST /torture", http.NewCrossOriginProtection().Handler(t)) // for pages of this server only
	mux.HandleFunc("GET /favicon.ico", p.icon)                              // asked for where no page names one
	mux.HandleFunc("GET /{$}", p.show("front"))
	for _, page := range []string{"/go/", "/react/"} { // and no room
		mux.Handle("GET "+page+"{$}", http.RedirectHandler(page+lobby, http.StatusFound))
	}
	mux.HandleFunc("GET /go/{room}", p.show("go"))
	mux.HandleFunc("GET /react/{room}", p.show("react"))
	mux.HandleFunc("GET /assets/", p.serveAsset)
	return mux, nil
}

// newWeb returns a server; limit is how long a request may take to arrive, and WebSockets have time-outs of their own.
func newWeb(handler http.Handler, limit time.Duration) *http.Server {
	return &http.Server{Handler: handler, ReadTimeout: limit, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
}

// serveOn serves until ctx ends; then what has arrived is answered.
func serveOn(ctx context.Context, listener net.Listener, handler http.Handler, syncer *server.StateSyncer) error {
	web := newWeb(handler, requestTimeout)
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := syncer.Shutdown(ctx)
	_ = web.Shutdown(ctx)
	<-ended
	return err
}
