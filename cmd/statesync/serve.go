package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores"
	"github.com/server-state-sync/server-state-sync/stores/disk"
)

// drainTimeout bounds how long serve takes to end gently.
const drainTimeout = 10 * time.Second

func serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve states to clients",
		Description: `Listens until ctrl-C or SIGTERM; then what has arrived is answered, clients are told to come back, and the program ends.
With --data the states are kept in a folder, and are there again after the next start, also when this one was killed: what
was acknowledged is on the disk. Without it they are in memory, and begin anew from the file of --states.

Example: statesync serve --data DIR --states states.json
where the file holds identifiers, each with its initial value: {"demo": {"numbers": [], "counter": 0}}. A state that the
folder has goes before one in the file.`,
		Flags: []cli.Flag{
			dataFlag(makesFolder),
			&cli.StringFlag{
				Name: "durability", Value: string(stores.Synced), Sources: cli.EnvVars("STATESYNC_DURABILITY"),
				Usage: "what --data does before a change is acknowledged: synced, the disk has it; written, the operating system has it, which is faster and may lose acknowledged changes when the machine loses power",
			},
			&cli.StringFlag{
				Name: "address", Value: "127.0.0.1:5000", Sources: cli.EnvVars("STATESYNC_ADDRESS"),
				Usage: "`HOST:PORT` to listen on; :5000 is every interface, port 0 a free port",
			},
			&cli.StringFlag{
				Name: "states", TakesFile: true, Sources: cli.EnvVars("STATESYNC_STATES"),
				Usage: "make the states of this JSON `FILE` at the start",
			},
			&cli.BoolFlag{
				Name: "create-missing", Sources: cli.EnvVars("STATESYNC_CREATE_MISSING"),
				Usage: "make any state that a client asks for and that is not there, as an empty object",
			},
			&cli.StringSliceFlag{
				Name: "allowed-origins", Sources: cli.EnvVars("STATESYNC_ALLOWED_ORIGINS"),
				Usage: "origins of web pages that may connect besides the server's own host (behind a proxy on this machine: all of them), as https://example.com, with commas between; * is all",
			},
			&cli.StringFlag{
				Name: "cert", TakesFile: true, Sources: cli.EnvVars("STATESYNC_CERT"),
				Usage: "speak TLS with the certificates in this PEM `FILE`",
			},
			&cli.StringFlag{
				Name: "key", TakesFile: true, Sources: cli.EnvVars("STATESYNC_KEY"),
				Usage: "the certificate's key, a PEM `FILE`",
			},
			&cli.StringFlag{
				Name: "token", Sources: cli.EnvVars("STATESYNC_TOKEN"),
				Usage: "let in only clients that have this access token; better in the environment, because others on this machine can read a command line in the list of processes",
			},
			&cli.StringFlag{
				Name: "log-level", Value: "info", Sources: cli.EnvVars("STATESYNC_LOG_LEVEL"),
				Usage: "what is logged on standard error: debug, info, warn or error",
			},
		},
		Action: serve,
	}
}

func serve(ctx context.Context, command *cli.Command) (err error) {
	if _, err := take(command); err != nil {
		return err
	}
	options, err := serverOptions(command)
	if err != nil {
		return err
	}
	states, err := statesOf(command)
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	store, err := storeOf(command, &options)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { // when all is answered, all is kept
			if failed := store.Close(); err == nil && failed != nil {
				err = fmt.Errorf("keep the states: %w", failed)
			}
		}()
	}
	syncer, err := server.New(options)
	if err != nil {
		return usageErrorf("serve: %w", err)
	}
	defer func() { _ = syncer.Close() }()
	for _, state := range states {
		_, err := syncer.CreateState(server.StateOptions{Identifier: state.identifier, InitialValue: state.value})
		switch {
		case errors.Is(err, stores.ErrCorrupt): // the others are served
			options.Logger.Error("a state of the file is damaged in the folder", "error", err)
		case err != nil && (store == nil || !errors.Is(err, server.ErrStateExists)):
			return fmt.Errorf("make the state %q: %w", state.identifier, err)
		}
	}
	if store != nil {
		stopControl, err := listenControl(command.String("data"), syncer, options.Logger)
		if err != nil {
			options.Logger.Warn("statesync export and import will not work while this server runs", "error", err)
		} else {
			defer stopControl()
			context.AfterFunc(ctx, stopControl) // before the states end, so that no export is a part of one
		}
	}
	if err := syncer.Start(command.String("address")); err != nil {
		return fmt.Errorf("listen on %s: %w", command.String("address"), err)
	}
	warnIfOpen(options, syncer.Addr())
	fmt.Fprint(command.Root().Writer, welcome(clientAddress(syncer.Addr(), options.TLS != nil), command.String("data"), states))
	<-ctx.Done()
	options.Logger.Info("shutting down: what has arrived is answered, clients are told to come back")
	err = drain(syncer)
	options.Logger.Info("shut down")
	return err
}

// storeOf opens the folder of --data and puts it into the options; nil where the states are in memory.
func storeOf(command *cli.Command, options *server.Options) (*disk.Store, error) {
	durability := stores.Durability(command.String("durability"))
	if durability != stores.Synced && durability != stores.Written {
		return nil, usageErrorf("serve: --durability is %q; it may be synced or written", durability)
	}
	folder := command.String("data")
	if folder == "" {
		if command.IsSet("durability") {
			return nil, usageErrorf("serve: --durability is for states that are kept; give their folder by --data")
		}
		return nil, nil
	}
	store, err := disk.Open(folder, disk.Options{Durability: durability, Logger: options.Logger})
	if err != nil {
		return nil, err
	}
	kept := keptOptions(store)
	options.Store, options.RestoreState = kept.Store, kept.RestoreState
	return store, nil
}

// drain ends the server gently.
func drain(syncer *server.StateSyncer) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := syncer.Shutdown(ctx); err != nil {
		return fmt.Errorf("not every client was answered within %v: %w", drainTimeout, err)
	}
	return nil
}

func serverOptions(command *cli.Command) (server.Options, error) {
	options := server.Options{AllowedOrigins: command.StringSlice("allowed-origins")}
	var level slog.Level
	if err := level.UnmarshalText([]byte(command.String("log-level"))); err != nil {
		return options, usageErrorf("serve: --log-level is %q; the levels are debug, info, warn and error", command.String("log-level"))
	}
	options.Logger = slog.New(slog.NewTextHandler(command.Root().ErrWriter, &slog.HandlerOptions{Level: level}))
	if token := command.String("token"); token != "" {
		options.Authorize = requireToken(token)
	}
	if command.Bool("create-missing") {
		options.OnMissingState = func(context.Context, string, any) (server.StateOptions, error) { return server.StateOptions{}, nil }
	}
	var err error
	options.TLS, err = tlsOf(command)
	return options, err
}

// requireToken lets in who has the token. The comparison takes the same time wherever they differ.
func requireToken(token string) func(r *http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if subtle.ConstantTimeCompare([]byte(server.AccessToken(r)), []byte(token)) != 1 {
			return nil, errors.New("the access token is missing or wrong")
		}
		return nil, nil
	}
}

func tlsOf(command *cli.Command) (*server.TLS, error) {
	certFile, keyFile := command.String("cert"), command.String("key")
	if (certFile == "") != (keyFile == "") {
		return nil, usageErrorf("serve: --cert and --key belong together; give both or none")
	}
	if certFile == "" {
		return nil, nil
	}
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate's key: %w", err)
	}
	return &server.TLS{Cert: cert, Key: key}, nil
}

func statesOf(command *cli.Command) ([]initialState, error) {
	if file := command.String("states"); file != "" {
		return readStates(file)
	}
	return nil, nil
}

// clientAddress is the URL by which a client on this machine reaches the server.
func clientAddress(addr net.Addr, secure bool) string {
	scheme := "ws"
	if secure {
		scheme = "wss"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return scheme + "://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// warnIfOpen says so where everybody on a network may write.
func warnIfOpen(options server.Options, addr net.Addr) {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && !tcp.IP.IsLoopback() && options.Authorize == nil {
		options.Logger.Warn("whoever reaches this address can read and change the states; require a token by --token or STATESYNC_TOKEN", "address", addr.String())
	}
}

// welcome says where the server is, where the states are, and what to type next.
func welcome(address, folder string, states []initialState) string {
	var b strings.Builder
	kept := "states are in memory, and end with it; --data DIR keeps them"
	if folder != "" {
		kept = "states are kept in " + absolute(folder)
	}
	fmt.Fprintf(&b, "statesync listens on %s (process %d; ctrl-C ends it)\n%s\n", address, os.Getpid(), kept)
	if len(states) == 0 {
		return b.String()
	}
	identifier, property := states[0].identifier, emptyArray(states[0].value)
	fmt.Fprintf(&b, "\nIn a second terminal, watch the state %q:\n\n    %s watch %s %s\n", identifier, os.Args[0], address, identifier)
	if property != "" {
		fmt.Fprintf(&b, "\nIn a third, feed it:\n\n    seq 1 100000 | %s append --json %s %s %s\n", os.Args[0], address, identifier, property)
	}
	b.WriteByte('\n')
	return b.String()
}

// absolute returns the whole path, for who reads it elsewhere.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// emptyArray returns the first property that waits to be filled, or "".
func emptyArray(value document.Value) string {
	for name, member := range value.Members() {
		if member.Kind() == document.Array && member.Len() == 0 {
			return name
		}
	}
	return ""
}
