package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/wasmclient"
)

// clientFlags are those of every command that connects.
func clientFlags(own ...cli.Flag) []cli.Flag {
	return append(own,
		&cli.StringFlag{
			Name: "token", Sources: cli.EnvVars("STATESYNC_TOKEN"),
			Usage: "access token; better in the environment, because others on this machine can read a command line in the list of processes",
		},
		&cli.StringFlag{
			Name: "ca", TakesFile: true, Sources: cli.EnvVars("STATESYNC_CA"),
			Usage: "trust the certificates in this PEM `FILE` too, as for a server with a certificate of its own making",
		},
		&cli.DurationFlag{
			Name: "connect-timeout", Value: 10 * time.Second, Sources: cli.EnvVars("STATESYNC_CONNECT_TIMEOUT"),
			Usage: "give up when the first connection takes longer; 0 waits for ever. A connection lost later is always made again",
		},
		&cli.StringFlag{
			Name: "client-identifier", Value: "statesync", Sources: cli.EnvVars("STATESYNC_CLIENT_IDENTIFIER"),
			Usage: "name of this client, for the server's log and rules",
		},
	)
}

// dial makes the client that the flags describe; it connects by itself. The client must be closed.
func dial(command *cli.Command, address string) (*wasmclient.Client, error) {
	if !strings.Contains(address, "://") {
		address = "ws://" + address
	}
	var options []wasmclient.Option
	if file := command.String("ca"); file != "" {
		trusting, err := trust(file)
		if err != nil {
			return nil, err
		}
		options = append(options, wasmclient.WithHTTPClient(trusting))
	}
	client, err := wasmclient.New(address, command.String("client-identifier"), command.String("token"), options...)
	if err != nil {
		return nil, usageErrorf("%s: %w", command.Name, err)
	}
	return client, nil
}

// connect returns the client that the flags describe, which must be closed, and the state that it has joined. Troubles with
// the connection are told on standard error.
func connect(ctx context.Context, command *cli.Command, address, identifier string) (*wasmclient.Client, *wasmclient.State, error) {
	client, err := dial(command, address)
	if err != nil {
		return nil, nil, err
	}
	client.OnStatus((&reporter{out: command.Root().ErrWriter}).status)
	state, err := join(ctx, command, client, identifier)
	if err == nil {
		return client, state, nil
	}
	_ = client.Close()
	if ctx.Err() != nil {
		err = errInterrupted
	}
	return nil, nil, err
}

// trust returns an HTTP client that accepts the certificates of the file besides the system's.
func trust(file string) (*http.Client, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the certificates to trust: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the certificates to trust: %s holds no certificate in PEM form", file)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport}, nil
}

// join waits for the first connection and for the state, and says what to do where there is none.
func join(ctx context.Context, command *cli.Command, client *wasmclient.Client, identifier string) (*wasmclient.State, error) {
	patience := command.Duration("connect-timeout")
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	err := client.OnConnection(ctx)
	if err == nil {
		var state *wasmclient.State
		if state, err = client.ConnectToState(ctx, identifier); err == nil {
			return state, nil
		}
	}
	return nil, joinError(err, client.Status(), identifier, patience)
}

func joinError(err error, status wasmclient.Status, identifier string, patience time.Duration) error {
	switch {
	case errors.Is(err, wasmclient.ErrUnauthorized):
		return unauthorizedError(err)
	case errors.Is(err, wasmclient.ErrStateNotFound):
		return fmt.Errorf("there is no state %q on this server; start the server with --states or --create-missing, or correct the identifier", identifier)
	case errors.Is(err, context.DeadlineExceeded) && status.LastError != nil:
		return noServerErrorf("no connection within %v: %v; is the server running, and is the address right?", patience, plain(status.LastError))
	case errors.Is(err, context.DeadlineExceeded):
		return noServerErrorf("no answer within %v; is there a StateSyncer at the address?", patience)
	case status.Phase == wasmclient.Failed:
		return noServerErrorf("%w", err)
	default:
		return err
	}
}

// plain is an error's text for people, as a part of a sentence: without a code that has no name, and without a full stop.
func plain(err error) string {
	text := err.Error()
	var coded *wasmclient.Error
	if errors.As(err, &coded) && coded.Code.Sentence() == "" && coded.Reason != "" {
		text = coded.Reason
	}
	return strings.TrimSuffix(text, ".")
}

// endError says why a state that had been joined is over.
func endError(client *wasmclient.Client, err error) error {
	switch {
	case errors.Is(err, wasmclient.ErrUnauthorized):
		return unauthorizedError(err)
	case client.Status().Phase == wasmclient.Failed:
		return noServerErrorf("%w", err)
	default:
		return err
	}
}

func unauthorizedError(err error) error {
	return noServerErrorf("%v; give a token that the server accepts by --token or STATESYNC_TOKEN", plain(err))
}

// interruptible returns a context that ends at ctrl-C or SIGTERM. A second one ends the program at once.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// errInterrupted ends a program that was asked to end: nothing more needs to be said.
var errInterrupted = &exitError{exitInterrupted, errors.New("")}

// reporter says on standard error how the connection is doing, when it is worse than it should be and when it is well
// again.
type reporter struct {
	mu    sync.Mutex
	out   io.Writer
	worse bool // the last thing said was a trouble
}

func (r *reporter) status(status wasmclient.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case status.Phase == wasmclient.Waiting && status.LastError != nil:
		trouble := "cannot connect"
		if status.EverConnected && !r.worse {
			trouble = "disconnected"
		}
		r.worse = true
		r.say("%s: %v; trying again in %v", trouble, plain(status.LastError), time.Until(status.NextRetry).Round(100*time.Millisecond))
	case status.Phase == wasmclient.Connected && r.worse:
		r.worse = false
		r.say("connected")
	}
}

func (r *reporter) say(format string, arguments ...any) {
	fmt.Fprintf(r.out, "statesync: "+format+"\n", arguments...)
}
