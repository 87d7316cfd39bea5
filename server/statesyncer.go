package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// StateSyncer holds states and the clients that follow them.
type StateSyncer struct {
	options    Options
	wireLimits protocol.Limits
	authorize  atomic.Pointer[func(*http.Request) (any, error)]
	sessions   sessions
	listening  listening

	ctx        context.Context // of callbacks; ends with the server
	cancel     context.CancelFunc
	draining   atomic.Bool
	shutdowns  atomic.Int32 // calls of Shutdown that wait
	goroutines gauge        // of callbacks, and of the ticker
	inFlight   gauge        // changes without a verdict
	drivers    gauge        // connections, from the beginning of their handshakes
	counts     counts

	mu      sync.Mutex // guards everything below
	states  map[string]*state
	opening map[string]chan struct{} // states whose log is being opened; closed when that is over
	missing map[string]*arrivals     // who waits for OnMissingState
	peers   map[*peer]struct{}
	ticking bool
	closed  bool

	connected  int // connections that may be, from the beginning of their handshakes
	turnedAway int // connections that are only told why they may not be
}

// New returns a StateSyncer without states. It can be used as an http.Handler at once; see also Start. Close it, or
// shut it down, in the end.
func New(options Options) (*StateSyncer, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("new state syncer: %w", err)
	}
	l := &options.Limits
	s := &StateSyncer{
		options:    options,
		wireLimits: protocol.Limits{Bytes: l.Message, Operations: l.Operations, Depth: l.Depth, KeyBytes: l.Key},
		states:     make(map[string]*state),
		opening:    make(map[string]chan struct{}),
		missing:    make(map[string]*arrivals),
		peers:      make(map[*peer]struct{}),
	}
	s.sessions = sessions{server: s, byID: make(map[string]*session)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if options.Authorize != nil {
		s.UseAuthorizationMiddleware(options.Authorize)
	}
	if options.TLS != nil {
		if s.listening.tls, err = options.TLS.load(); err != nil {
			return nil, fmt.Errorf("new state syncer: %w", err)
		}
	}
	return s, nil
}

// StateOptions are what a state is made with. The zero value is a state {} that lives until it is removed.
type StateOptions struct {
	// Identifier names the state: 1 to 256 bytes of UTF-8 without control characters. Default: a random one.
	Identifier string
	// InitialValue is anything that document.Of takes and that makes an object. Default {}.
	InitialValue any
	// AllowConnectingClient is asked at each join, also when a client comes back. Default: everybody may join.
	AllowConnectingClient func(ctx context.Context, clientInformation any) bool
	// InterceptStateUpdate is asked about every change by a client or by the program, once, in order. It accepts by
	// returning nil, rewrites with Update.SetUpdates or Update.SetOps, and refuses with an error: its text, or that of
	// Refuse, reaches the client. Default: every change is accepted. Price: changes to the state wait for it.
	InterceptStateUpdate func(ctx context.Context, update *Update) error
	// SelfDestruct is asked when a client has left for good and from time to time; the state ends when it returns true.
	// clientsLeft counts sessions, those included that have just lost their connection. Until somebody has joined, the
	// state ends only if the rule says so for 0 and for 1 clients. Default: it never ends by itself.
	SelfDestruct func(clientsLeft int, createdAt time.Time) bool
	// TTL is how long the state lives after it was made. Default: for ever.
	TTL time.Duration
}

// CreateState makes a state and returns its identifier. Errors: ErrStateExists; ErrClosed; an *Error with
// identifier_invalid, or with the code for what is wrong with the initial value; the error of the log.
func (s *StateSyncer) CreateState(options StateOptions) (identifier string, err error) {
	if options.Identifier == "" {
		options.Identifier = s.token()
	}
	if _, err := s.create(options, false); err != nil {
		return "", fmt.Errorf("create state %q: %w", options.Identifier, err)
	}
	return options.Identifier, nil
}

// create makes a state; one that a client asked for counts against the limit.
func (s *StateSyncer) create(options StateOptions, forClient bool) (*state, error) {
	value, err := s.initialValue(options)
	if err != nil {
		return nil, err
	}
	made := newState(s, options, value)
	if err := s.publish(made, forClient); err != nil {
		return nil, err
	}
	made.startClock()
	s.startTicking()
	return made, nil
}

// publish opens the state's log, without a lock, and then puts the state where it can be found.
func (s *StateSyncer) publish(made *state, forClient bool) error {
	opened, err := s.reserve(made.identifier, forClient)
	if err != nil {
		return err
	}
	defer func() { // also when the log panics
		s.mu.Lock()
		delete(s.opening, made.identifier)
		s.mu.Unlock()
		close(opened)
	}()
	if err := made.open(); err != nil {
		return err
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.states[made.identifier] = made
	}
	s.mu.Unlock()
	if closed {
		made.remove("the server is shutting down")
		return ErrClosed
	}
	return nil
}

// reserve keeps an identifier for a state whose log is being opened, until opened is closed. It waits for others that
// do the same.
func (s *StateSyncer) reserve(identifier string, forClient bool) (opened chan struct{}, err error) {
	for {
		s.mu.Lock()
		other := s.opening[identifier]
		switch {
		case s.closed:
			err = ErrClosed
		case s.states[identifier] != nil:
			err = ErrStateExists
		case other != nil:
		case forClient && len(s.states)+len(s.opening) >= s.options.Limits.States:
			err = failure(protocol.CodeOverloaded, "the server holds as many states as it may")
		default:
			opened = make(chan struct{})
			s.opening[identifier] = opened
		}
		s.mu.Unlock()
		if err != nil || opened != nil {
			return opened, err
		}
		select {
		case <-other:
		case <-s.ctx.Done():
			return nil, ErrClosed
		}
	}
}

// initialValue returns the first value of a state, held to the limits.
func (s *StateSyncer) initialValue(options StateOptions) (document.Value, error) {
	if err := protocol.CheckIdentifier(options.Identifier); err != nil {
		return document.Value{}, err
	}
	if options.TTL < 0 {
		return document.Value{}, fmt.Errorf("its TTL is %v, and must not be negative", options.TTL)
	}
	if options.InitialValue == nil {
		return document.EmptyObject, nil
	}
	value, err := objectOf(options.InitialValue)
	if err != nil {
		return value, err
	}
	l := &s.options.Limits
	limits := document.StateLimits{Bytes: l.State, Depth: l.Depth, KeyBytes: l.Key}
	next, _, err := document.Apply(document.EmptyObject, document.Merge(document.EmptyObject, value), limits)
	if err != nil {
		return value, refused(err)
	}
	return next, nil
}

// RemoveState ends a state: its clients are told state_removed. It reports whether the state was there.
func (s *StateSyncer) RemoveState(identifier string) bool {
	found := s.state(identifier)
	return found != nil && s.removeState(found, "the server removed it")
}

// RemoveAllStates removes every state.
func (s *StateSyncer) RemoveAllStates() {
	for _, state := range s.allStates() {
		s.removeState(state, "the server removed it")
	}
}

// removeState ends a state, and reports whether it had not ended before.
func (s *StateSyncer) removeState(state *state, reason string) bool {
	if !s.withdraw(state) {
		return false
	}
	state.remove(reason)
	return true
}

// withdraw takes the state out of the table, and reports whether it was there.
func (s *StateSyncer) withdraw(state *state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[state.identifier] != state {
		return false
	}
	delete(s.states, state.identifier)
	return true
}

// GetValueOfState returns the value of a state, as it stands in its log; false when there is no such state.
func (s *StateSyncer) GetValueOfState(identifier string) (document.Value, bool) {
	found := s.state(identifier)
	if found == nil {
		return document.Value{}, false
	}
	return found.current(), true
}

// state returns the state with the identifier, or nil.
func (s *StateSyncer) state(identifier string) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[identifier]
}

func (s *StateSyncer) allStates() []*state {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*state, 0, len(s.states))
	for _, state := range s.states {
		all = append(all, state)
	}
	return all
}

func (s *StateSyncer) addPeer(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers[p] = struct{}{}
}

func (s *StateSyncer) dropPeer(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
}

func (s *StateSyncer) allPeers() []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*peer, 0, len(s.peers))
	for p := range s.peers {
		all = append(all, p)
	}
	return all
}

// token returns a new unguessable name: 128 random bits.
func (s *StateSyncer) token() string {
	var bits [16]byte
	_, _ = s.options.random.Read(bits[:])
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// spread returns a random time below limit.
func (s *StateSyncer) spread(limit time.Duration) time.Duration {
	var bits [8]byte
	_, _ = s.options.random.Read(bits[:])
	return time.Duration(binary.LittleEndian.Uint64(bits[:]) % uint64(max(limit, 1)))
}

// cryptoRandom reads from crypto/rand, which never fails.
type cryptoRandom struct{}

func (cryptoRandom) Read(p []byte) (int, error) { return rand.Read(p) }
