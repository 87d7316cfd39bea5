package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"runtime"
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
	launch     launch

	ctx        context.Context // of callbacks; ends with the server
	cancel     context.CancelFunc
	draining   atomic.Bool
	shutdowns  atomic.Int32 // calls of Shutdown that wait
	goroutines gauge        // of callbacks, and of the ticker
	inFlight   gauge        // frames being received, and changes without a verdict
	drivers    gauge        // connections, from the beginning of their handshakes
	counts     counts
	durability string // what an acknowledgement means; empty: it is kept in memory
	began      time.Time

	mu      sync.Mutex // guards everything below
	states  map[string]*state
	stored  map[string]*resting  // the states that the store has besides
	opening map[string]*opening  // states that are on their way
	missing map[string]*arrivals // who waits for OnMissingState
	peers   map[*peer]struct{}
	ticking bool
	closed  bool

	damage error // of the store, of which no state's name is known; set by New

	connected  int // connections that may be, from the beginning of their handshakes
	turnedAway int // connections that are only told why they may not be
}

// New returns a StateSyncer with the states of Options.Store, if there are any: each is there for clients as soon as
// CreateState, OnMissingState or RestoreState has said what its rules are. It can be used as an http.Handler at once; see
// also Start. Close it, or shut it down, in the end.
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
		stored:     make(map[string]*resting),
		opening:    make(map[string]*opening),
		began:      options.clock.Now(),
		missing:    make(map[string]*arrivals),
		peers:      make(map[*peer]struct{}),
		launch:     launch{most: runtime.GOMAXPROCS(0), pause: runtime.Gosched},
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
	if err := s.readStore(); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("new state syncer: %w", err)
	}
	if len(s.stored) > 0 {
		s.startTicking()
	}
	return s, nil
}

// StateOptions are what a state is made with. The zero value is a state {} that lives until it is removed.
type StateOptions struct {
	// Identifier names the state: 1 to 256 bytes of UTF-8 without control characters. Default: a random one.
	Identifier string
	// InitialValue is anything that document.Of takes and that makes an object; of no account where Options.Store has the
	// state already. Default {}.
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
	// CreatedAt is when the state was made, for one that comes from elsewhere. Default: now.
	CreatedAt time.Time
}

// CreateState makes a state and returns its identifier. A state that Options.Store has from an earlier process is taken
// over, as it was: value, version, time of creation, sessions; unless its TTL is over, then its next life begins. It is
// read when somebody comes to it. Errors: ErrStateExists; ErrClosed; an *Error with identifier_invalid, or with the code
// for what is wrong with the initial value; the error of the store; stores.ErrCorrupt for a state that the store has and
// cannot read, which stays as it is until RemoveState.
func (s *StateSyncer) CreateState(options StateOptions) (identifier string, err error) {
	if options.Identifier == "" {
		options.Identifier = s.token()
	}
	if err := s.create(options, false); err != nil {
		return "", fmt.Errorf("create state %q: %w", options.Identifier, err)
	}
	return options.Identifier, nil
}

// create makes a state; one that a client asked for counts against the limit.
func (s *StateSyncer) create(options StateOptions, forClient bool) error {
	value, err := s.initialValue(options)
	if err != nil {
		return err
	}
	made, kept, err := s.reserve(options, forClient)
	if err != nil {
		return err
	}
	if made != nil {
		if err := s.publish(newState(s, options, value), made, kept); err != nil {
			return err
		}
	}
	s.startTicking()
	return nil
}

// publish begins to keep the state, without a lock, and then puts it where it can be found. What is kept of an earlier
// life is removed before.
func (s *StateSyncer) publish(made *state, way *opening, earlier *resting) error {
	defer s.arrived(made.identifier, way) // also when the store panics
	if earlier != nil {
		if err := s.options.Store.Remove(made.identifier); err != nil {
			return err
		}
	}
	if err := made.open(); err != nil {
		return err
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		delete(s.stored, made.identifier)
		s.states[made.identifier] = made
	}
	s.mu.Unlock()
	if closed {
		made.remove("the server is shutting down")
		return ErrClosed
	}
	made.startClock()
	return nil
}

// arrived ends what an opening stands for.
func (s *StateSyncer) arrived(identifier string, way *opening) {
	s.mu.Lock()
	delete(s.opening, identifier)
	s.mu.Unlock()
	close(way.done)
}

// reserve keeps an identifier for a state that is being made, until the opening is over; what is kept of an earlier life
// has to go then. With neither an opening nor an error, the store has the state and it was taken over. It waits for
// others that do the same.
func (s *StateSyncer) reserve(options StateOptions, forClient bool) (made *opening, earlier *resting, err error) {
	for {
		s.mu.Lock()
		other := s.opening[options.Identifier]
		if other == nil || s.closed || s.states[options.Identifier] != nil {
			made, earlier, err = s.takeOver(options, forClient)
			s.mu.Unlock()
			return made, earlier, err
		}
		s.mu.Unlock()
		if err := s.await(s.ctx, other); err != nil {
			return nil, nil, ErrClosed
		}
	}
}

// takeOver is reserve when nobody is in the way. The lock is held.
func (s *StateSyncer) takeOver(options StateOptions, forClient bool) (made *opening, earlier *resting, err error) {
	r := s.stored[options.Identifier]
	switch {
	case s.closed:
		return nil, nil, ErrClosed
	case s.states[options.Identifier] != nil:
		return nil, nil, ErrStateExists
	case r != nil && r.damage != nil:
		return nil, nil, damagedHint(r.damage)
	case r != nil && r.named:
		return nil, nil, ErrStateExists
	case r != nil && !s.isOver(r, options):
		s.name(r, options)
		return nil, nil, nil
	case forClient && r == nil && len(s.states)+len(s.stored)+len(s.opening) >= s.options.Limits.States:
		return nil, nil, failure(protocol.CodeOverloaded, "the server holds as many states as it may")
	}
	made = &opening{done: make(chan struct{})}
	s.opening[options.Identifier] = made
	return made, r, nil
}

// initialValue returns the first value of a state, held to the limits.
func (s *StateSyncer) initialValue(options StateOptions) (document.Value, error) {
	if err := protocol.CheckIdentifier(options.Identifier); err != nil {
		return document.Value{}, err
	}
	if options.TTL < 0 {
		return document.Value{}, fmt.Errorf("its TTL is %v, and must not be negative", options.TTL)
	}
	if year := options.CreatedAt.UTC().Year(); year < 0 || year > 9999 {
		return document.Value{}, fmt.Errorf("it was created in the year %d, and RFC 3339 writes 0 to 9999", year)
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

// GetValueOfState returns the value of a state, as it is kept; false when there is no such state, or the store cannot
// give it back.
func (s *StateSyncer) GetValueOfState(identifier string) (document.Value, bool) {
	for {
		found, err := s.find(s.ctx, identifier)
		if err != nil {
			return document.Value{}, false
		}
		if value, there := found.current(); there {
			return value, true
		}
	}
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

// allResting returns the states that rest and have their rules.
func (s *StateSyncer) allResting() []*resting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*resting
	for _, r := range s.stored {
		if r.named {
			all = append(all, r)
		}
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
