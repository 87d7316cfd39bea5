package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/server-state-sync/server-state-sync/stores"
)

// Options are what a StateSyncer is made with. The zero value is usable: no authorization, no TLS, the limits of
// Limits, a log on slog.Default. For durations and limits, zero means the default.
type Options struct {
	// Authorize is asked at each handshake, also when a client comes back, for InterceptTimeout at most: then the context
	// of the request ends, and the client is told to come back later. The request is a copy. It returns what the program knows of the
	// client; that is handed to AllowConnectingClient, OnMissingState and InterceptStateUpdate. An error refuses the
	// connection. Where the information has a method Subject() string, a session can be resumed by the same subject only;
	// give it one where clients of several users may share a clientIdentifier.
	// Default: everybody may connect, without information. See also UseAuthorizationMiddleware.
	Authorize func(r *http.Request) (clientInformation any, err error)

	// OnMissingState may make a state that a client asks for and that does not exist. The returned options are used
	// with the asked identifier. Concurrent joins make one state. An error refuses the join; only the text of an
	// error made with Refuse reaches the client. Default: state_not_found.
	OnMissingState func(ctx context.Context, identifier string, clientInformation any) (StateOptions, error)

	// AllowedOrigins lists the origins from which pages may connect, besides pages of the server's own host:
	// "https://example.com", or "*" for all of them. To a connection that comes in at a loopback address, also from a
	// proxy on the same machine, pages of loopback hosts may connect instead (localhost, 127.0.0.0/8, [::1]), and pages
	// of other hosts only from this list: any name can be made to point there. Price of "*": any page that a user
	// visits may connect with what the user's browser sends along, such as cookies.
	AllowedOrigins []string

	// TLS makes Start and ListenAndServe speak TLS. Default: they do not.
	TLS *TLS

	// Limits bounds everything that clients can make the server hold or do.
	Limits Limits

	// Heartbeat is the silence after which a connection is probed; it is given up after twice that. Default 15 s.
	// Price of less: traffic and wake-ups on idle connections.
	Heartbeat time.Duration
	// HandshakeTimeout bounds reading a request's headers, and then, after Authorize, the time until the first message. Default 10 s.
	HandshakeTimeout time.Duration
	// WriteTimeout is how long a client may take to accept 64 KiB before it is given up. Default 10 s.
	WriteTimeout time.Duration
	// MessageTimeout is how long a frame may take from its first byte to its last. Default 10 s.
	MessageTimeout time.Duration
	// InterceptTimeout is how long Authorize, InterceptStateUpdate, AllowConnectingClient and OnMissingState may take; a
	// later answer is ignored. Default 5 s. Negative: they are called without a deadline on the goroutine that brought
	// the change, and must return quickly; only for tests.
	InterceptTimeout time.Duration
	// ReconnectGrace is how long a session without a connection still counts as a client of its states. Default 30 s.
	ReconnectGrace time.Duration
	// SessionExpiry is how long a session can be resumed after its connection ended. Default 10 min. Price of more:
	// memory for sessions that do not come back.
	SessionExpiry time.Duration
	// TransactionTurn is how long a client whose transaction was refused as stale is awaited before other clients'
	// transactions on that state go on. Default 250 ms.
	TransactionTurn time.Duration
	// SelfDestructInterval is how often SelfDestruct is asked, besides when a session has ended. Default 30 s.
	SelfDestructInterval time.Duration
	// DrainSpread is the time over which clients are advised to come back after Shutdown. Default 5 s.
	DrainSpread time.Duration

	// Store keeps the states, and the sessions that have changed them, beyond the process; package stores has the
	// contract. Who opened it closes it, after Shutdown or Close. The states that it has are there for clients when
	// CreateState, OnMissingState or RestoreState has named them: what they are allowed to do is the program's rule and is
	// not kept. Default: the recent entries in memory are all there is. Price: a change is told when the store has it.
	Store stores.Store
	// RestoreState is asked by New for the rules of each state that Store has: for states that were made on demand and
	// that the program does not make again by itself. InitialValue and CreatedAt of its answer are of no account; a state
	// whose TTL is over is removed. An error leaves the state in the store until something else names it. It must not
	// wait for the StateSyncer, which is not there yet. Default: none is named.
	RestoreState func(identifier string) (StateOptions, error)
	// RestAfter is how long a state stays in memory that nobody uses, where there is a Store. It comes back when somebody
	// joins it, changes it or asks for its value. Default 5 min; negative: for ever. Price of less: reading it again.
	RestAfter time.Duration

	// Logger receives what an operator should know: codes, never tokens, nothing per message. Default slog.Default.
	Logger *slog.Logger

	clock  clock     // default: the machine's
	random io.Reader // default: crypto/rand; read for identifiers, epochs and the spread of reconnects

	checkpointBytes int // default: the constant of that name
}

// TLS holds a certificate chain and its key, as files or as PEM text.
type TLS struct {
	CertFile, KeyFile string // read once, by New
	Cert, Key         []byte // PEM
}

// Limits bounds everything. Sizes are bytes; zero means the default.
type Limits struct {
	Connections         int // at a time, from the beginning of their handshakes. Default 100,000. More: overloaded
	Sessions            int // with and without a connection. Default 100,000. More: one without a connection is forgotten, or overloaded
	States              int // that OnMissingState may bring about. Default 100,000. More: overloaded
	StatesPerConnection int // Default 1,000. More: too_many_states
	Message             int // Default 1 MiB. More: message_too_large
	State               int // canonical text of a state. Default 8 MiB. More: state_too_large
	Depth               int // levels of arrays and objects in a message and in a state. Default 64. More: too_deep
	Key                 int // Default 768. More: key_too_long
	Operations          int // in a change. Default 10,000. More: too_many_operations
	Window              int // unanswered changes of a client to a state. Default 512. More: window_exceeded
	WindowBytes         int // unjudged changes of a connection. Default 4 MiB. More, unless it is one change: window_exceeded
	Inbox               int // undecided changes of all clients to a state. Default 65,536. More: state_busy; first for who has most
	InboxBytes          int // the same in bytes of their messages. Default 16 MiB
	HistoryEntries      int // recent changes that a state keeps for subscribers and positions. Default 4,096
	HistoryBytes        int // the same in encoded text. Default 1 MiB. Who is further behind gets current values
	CarryWork           int // operations of a change x operations about the same properties since. Default 100,000. More: base_too_old
	BatchBytes          int // a frame is closed when it is larger. Default 64 KiB
	Fragments           int // WebSocket fragments of a frame. Default 1,024
	Pings               int // WebSocket pings and pongs of a client in a second. Default 20
	SendBuffer          int // the kernel's, for a client that does not read. Default 64 KiB

	// Rate limits of a connection in seconds; beyond them the server reads more slowly. Default 0: none.
	FramesPerSecond, FrameBurst int
	BytesPerSecond              int
}

// withDefaults returns the options with every default filled in, or says which option cannot be.
func (o Options) withDefaults() (Options, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	l := &o.Limits
	for _, option := range []struct {
		value    *int
		standard int
	}{
		{&l.Connections, 100_000}, {&l.Sessions, 100_000}, {&l.States, 100_000}, {&l.StatesPerConnection, 1_000},
		{&l.Message, 1 << 20}, {&l.State, 8 << 20}, {&l.Depth, 64}, {&l.Key, 768}, {&l.Operations, 10_000},
		{&l.Window, 512}, {&l.WindowBytes, 4 << 20}, {&l.Inbox, 65_536}, {&l.InboxBytes, 16 << 20}, {&l.HistoryEntries, 4096}, {&l.HistoryBytes, 1 << 20},
		{&l.CarryWork, 100_000}, {&l.BatchBytes, 64 << 10}, {&l.Fragments, 1024}, {&l.Pings, 20}, {&l.SendBuffer, 64 << 10},
		{&l.FrameBurst, max(1, l.FramesPerSecond)},
	} {
		if *option.value == 0 {
			*option.value = option.standard
		}
	}
	for _, option := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.Heartbeat, 15 * time.Second}, {&o.HandshakeTimeout, 10 * time.Second}, {&o.WriteTimeout, 10 * time.Second},
		{&o.MessageTimeout, 10 * time.Second}, {&o.InterceptTimeout, 5 * time.Second}, {&o.ReconnectGrace, 30 * time.Second},
		{&o.SessionExpiry, 10 * time.Minute}, {&o.TransactionTurn, 250 * time.Millisecond},
		{&o.SelfDestructInterval, 30 * time.Second}, {&o.DrainSpread, 5 * time.Second},
		{&o.RestAfter, 5 * time.Minute},
	} {
		if *option.value == 0 {
			*option.value = option.standard
		}
	}
	o.setSeams()
	return o, o.checkTogether()
}

// checkTogether refuses options that do not fit each other, when the defaults are filled in.
func (o Options) checkTogether() error {
	if o.Heartbeat < time.Millisecond {
		return fmt.Errorf("option Heartbeat is %v, and must be at least %v", o.Heartbeat, time.Millisecond)
	}
	if o.SessionExpiry < o.ReconnectGrace {
		return fmt.Errorf("option SessionExpiry is %v, and must not be less than ReconnectGrace, %v", o.SessionExpiry, o.ReconnectGrace)
	}
	return nil
}

// check refuses what no default can mend.
func (o Options) check() error {
	l := o.Limits
	for _, option := range []struct {
		name  string
		value int
	}{
		{"Connections", l.Connections}, {"Sessions", l.Sessions}, {"States", l.States},
		{"StatesPerConnection", l.StatesPerConnection}, {"Message", l.Message}, {"State", l.State}, {"Depth", l.Depth},
		{"Key", l.Key}, {"Operations", l.Operations}, {"Window", l.Window}, {"WindowBytes", l.WindowBytes},
		{"Inbox", l.Inbox}, {"InboxBytes", l.InboxBytes},
		{"HistoryEntries", l.HistoryEntries}, {"HistoryBytes", l.HistoryBytes}, {"CarryWork", l.CarryWork},
		{"BatchBytes", l.BatchBytes}, {"Fragments", l.Fragments}, {"Pings", l.Pings}, {"SendBuffer", l.SendBuffer},
		{"FramesPerSecond", l.FramesPerSecond}, {"FrameBurst", l.FrameBurst}, {"BytesPerSecond", l.BytesPerSecond},
	} {
		if option.value < 0 {
			return fmt.Errorf("option Limits.%s is %d, and must not be negative", option.name, option.value)
		}
	}
	for _, option := range []struct {
		name  string
		value time.Duration
	}{
		{"Heartbeat", o.Heartbeat}, {"HandshakeTimeout", o.HandshakeTimeout}, {"WriteTimeout", o.WriteTimeout},
		{"MessageTimeout", o.MessageTimeout}, {"ReconnectGrace", o.ReconnectGrace}, {"SessionExpiry", o.SessionExpiry},
		{"TransactionTurn", o.TransactionTurn}, {"SelfDestructInterval", o.SelfDestructInterval}, {"DrainSpread", o.DrainSpread},
	} {
		if option.value < 0 {
			return fmt.Errorf("option %s is %v, and must not be negative", option.name, option.value)
		}
	}
	for _, origin := range o.AllowedOrigins {
		if err := checkOrigin(origin); err != nil {
			return fmt.Errorf("option AllowedOrigins: %w", err)
		}
	}
	return nil
}

// setSeams fills in what tests replace.
func (o *Options) setSeams() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.clock == nil {
		o.clock = systemClock{}
	}
	if o.random == nil {
		o.random = cryptoRandom{}
	}
	if o.checkpointBytes == 0 {
		o.checkpointBytes = checkpointBytes
	}
}

// checkOrigin refuses an origin that no browser would send.
func checkOrigin(origin string) error {
	if origin == anyOrigin {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || !isPlain(origin) || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is not an origin: write scheme and host, in ASCII as browsers send it, such as https://example.com", origin)
	}
	return nil
}

// load returns the configuration for a listener.
func (t *TLS) load() (*tls.Config, error) {
	certificate, err := t.certificate()
	if err != nil {
		return nil, fmt.Errorf("option TLS: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

func (t *TLS) certificate() (tls.Certificate, error) {
	files, text := t.CertFile != "" || t.KeyFile != "", len(t.Cert) > 0 || len(t.Key) > 0
	switch {
	case files && text:
		return tls.Certificate{}, errors.New("give CertFile and KeyFile or Cert and Key, not both")
	case files:
		return tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	default:
		return tls.X509KeyPair(t.Cert, t.Key)
	}
}
