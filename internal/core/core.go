// Package core is the client as a state machine without I/O: events go in (connected, a frame, lost, a tick, a call),
// effects come out (dial, disconnect, settle, notify), and the frames to send are pulled. It has no goroutine, no lock,
// no clock and no source of randomness of its own, so the same code runs natively and in a browser, and is fuzzed and
// simulated in virtual time.
//
// How a driver uses it:
//
//  1. All methods of a Core and of its States are called under one lock. Values that come out are immutable and may be
//     read anywhere.
//  2. After every call the driver takes Effects and carries them out in order, outside of the lock, and sets its timer to
//     NextWake. Then it asks its writer to pull Output until that adds nothing; Output too can have effects.
//  3. Dial begins a connection. Connected, Received and Lost are reported for the newest connection only; after Lost, and
//     after a Disconnect effect, nothing more is reported for it.
//  4. Time is milliseconds on a clock that never goes back. 0 is no time: the clock starts above it.
//
// Invariants of a state, which hold between any two calls:
//
//  1. View is Confirmed with the pending changes replayed in their order, but for those that cannot be replayed at
//     present: they were sent, or wait for the first join, and are hidden.
//  2. The changes that were sent are the first of the pending ones, numbered without a gap; answers come in that order.
//  3. A change with an array index was sent only as the first one pending, and its indexes are those of Confirmed then.
//  4. The version moves by one, with an entry or an accepted own change, or jumps with a snapshot or a catch-up.
package core

import (
	"errors"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// Time is in milliseconds on a monotonic clock that the driver chose; it also measures durations.
type Time = int64

// The defaults of a Config.
const (
	DefaultBackoffMin      Time = 500
	DefaultBackoffMax      Time = 20_000
	DefaultStableAfter     Time = 2_000
	DefaultConnectTimeout  Time = 10_000
	DefaultMaxPending           = 10_000
	DefaultMaxPendingBytes      = 16 << 20
)

// Config configures a Core. Zero fields have the given defaults.
type Config struct {
	Session          string        // unguessable name of this client instance, 16 to 64 of A-Z a-z 0-9 _ -; required
	ClientIdentifier string        // the user's name for this client, told to the server
	Random           func() uint64 // uniform; for the jitter of the backoff. Required
	BackoffMin       Time          // bound of the first wait before dialing again: 500
	BackoffMax       Time          // bound of the longest wait: 20,000. What the server advises may be longer
	StableAfter      Time          // a connection that lasted so long resets the backoff: 2,000
	ConnectTimeout   Time          // for dialing, and again for the server's welcome: 10,000
	MaxPending       int           // changes without a verdict, per state: 10,000. Beyond, Submit fails with pending_limit
	MaxPendingBytes  int           // their size as JSON text, per state: 16 MiB; one change is always allowed
	MaxFrame         int           // bytes of a frame from the server: 64 MiB. Beyond, the connection is dropped

	// Compact keeps the value of a snapshot as its text until the state's next message or change, for a driver that hands the text on and
	// reads nothing of it: to expand it takes longer than all the rest of a join. Without it reads of the first view are
	// cheap too.
	Compact bool

	// OnVersion, when set, is called at every step of a state's confirmed version, in order: by one for each entry and
	// each accepted change, or a jump for a snapshot or a catch-up. It is for tests and must not call the Core.
	OnVersion func(s *State, from, to uint64, jump bool)
}

// Loss says why a connection ended or could not be made.
type Loss struct {
	Code       int    // the WebSocket close code; 0: there was none. A code of class protocol.GiveUp is terminal
	Reason     string // the close reason; when it is empty, the text of Err
	Terminal   bool   // the driver knows that trying again is useless, as after HTTP status 401
	RetryAfter Time   // the server's advice not to dial before this many milliseconds have passed; 0: none
	Err        error  // the cause, if any
}

// Core is the state machine of one client.
type Core struct {
	config  Config
	started bool
	closed  bool            // Close was called
	fatal   *protocol.Error // the end for good; nil: none yet
	connection

	states      map[string]*State
	order       []*State // the same, in the order of joining
	lastTicket  Ticket
	epoch       string // of the session, as the last welcome said
	connections uint64 // how many were open, the newest included
	pending     int    // changes without a verdict, over all states
	now         Time   // of the event under way
	latency     Time
	lastError   *protocol.Error

	effects    []Effect
	lastStatus Status // as StatusChanged told it last
}

// New returns a Core that does nothing before Start. The error says which field of the Config is wrong.
func New(config Config) (*Core, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config.fill()
	c := &Core{config: config, states: map[string]*State{}}
	c.connection.reset()
	return c, nil
}

func (c *Config) check() error {
	switch {
	case c.Random == nil:
		return errors.New("core: Config.Random is nil")
	case c.BackoffMin < 0, c.BackoffMax < 0, c.StableAfter < 0, c.ConnectTimeout < 0:
		return errors.New("core: a duration of Config is negative")
	case c.MaxPending < 0, c.MaxPendingBytes < 0, c.MaxFrame < 0:
		return errors.New("core: a limit of Config is negative")
	}
	if err := protocol.CheckSession(c.Session); err != nil {
		return err
	}
	return protocol.CheckIdentifier(c.ClientIdentifier)
}

func (c *Config) fill() {
	c.BackoffMin = orDefault(c.BackoffMin, DefaultBackoffMin)
	c.BackoffMax = max(orDefault(c.BackoffMax, DefaultBackoffMax), c.BackoffMin)
	c.StableAfter = orDefault(c.StableAfter, DefaultStableAfter)
	c.ConnectTimeout = orDefault(c.ConnectTimeout, DefaultConnectTimeout)
	c.MaxPending = orDefault(c.MaxPending, DefaultMaxPending)
	c.MaxPendingBytes = orDefault(c.MaxPendingBytes, DefaultMaxPendingBytes)
	c.MaxFrame = orDefault(c.MaxFrame, protocol.ServerBytes)
}

func orDefault[T int | int64](value, fallback T) T {
	if value == 0 {
		return fallback
	}
	return value
}

// Start asks for the first connection.
func (c *Core) Start(now Time) {
	if !c.started {
		c.started, c.retryAt = true, now
	}
	c.decide(now)
}

// Connected reports that the connection asked for by Dial is open.
func (c *Core) Connected(now Time) {
	if c.link == linkDialing {
		c.link, c.since, c.heard = linkOpen, now, now
		c.helloDue = true
		c.connections++
		for _, s := range c.order {
			c.controls = append(c.controls, control{join: s})
		}
	}
	c.decide(now)
}

// Received handles a whole frame from the server. Nobody may write to a slice of more than
// document.Copied bytes any more; of a smaller one the core keeps nothing.
func (c *Core) Received(now Time, frame []byte) {
	if c.link >= linkOpen {
		c.heard = now
		c.receive(now, frame)
	}
	c.decide(now)
}

// Lost reports that the connection ended, or could not be made. Frames that came before it are delivered first.
func (c *Core) Lost(now Time, loss Loss) {
	if c.link != linkDown {
		c.lose(now, loss)
	}
	c.decide(now)
}

// Tick lets time pass: at NextWake, or at any other time.
func (c *Core) Tick(now Time) { c.decide(now) }

// Online reports that the network is back: a backoff ends at once, but not a wait that the server advised.
func (c *Core) Online(now Time) {
	if c.link == linkDown {
		c.retryAt = min(c.retryAt, max(now, c.notBefore))
	}
	c.decide(now)
}

// Close ends the client: pending changes settle with the code closed, states close, the connection is dropped.
func (c *Core) Close(now Time) {
	if !c.over() {
		c.closed = true
		c.endStates(&protocol.Error{Code: protocol.CodeClosed, Reason: "the client was closed"}, protocol.CodeClosed)
	}
	c.decide(now)
}

// Join returns the state and counts one more user of it. The first one joins it on the wire. The state that it returns
// after Close or a terminal failure is closed already.
func (c *Core) Join(identifier string) *State {
	s := c.states[identifier]
	if s == nil {
		s = newState(c, identifier)
		if err := c.cannotJoin(identifier); err != nil {
			s.end(err, err.Code)
			c.emit(Closed{State: s, Code: err.Code, Reason: err.Reason})
			return s
		}
		c.states[identifier] = s
		c.order = append(c.order, s)
		if c.link >= linkOpen {
			c.joinWire(s)
		}
	}
	s.users++
	return s
}

// cannotJoin says why no state can be joined now, or not one of that identifier; nil: it can.
func (c *Core) cannotJoin(identifier string) *protocol.Error {
	switch {
	case c.fatal != nil:
		return c.fatal
	case c.closed:
		return &protocol.Error{Code: protocol.CodeClosed, Reason: "the client was closed"}
	}
	refusal, _ := errors.AsType[*protocol.Error](protocol.CheckIdentifier(identifier))
	return refusal
}

// Effects returns the effects since the last call; they are the caller's.
func (c *Core) Effects() []Effect {
	effects := c.effects
	c.effects = nil
	return effects
}

// emit asks the driver for something. It stands once in the browser's download, not at each caller.
//
//go:noinline
func (c *Core) emit(e Effect) { c.effects = append(c.effects, e) }

// over reports whether the client was closed or has failed.
func (c *Core) over() bool { return c.closed || c.fatal != nil }

// endStates closes every state. Changes that were sent settle with the code sent, the others with that of err.
func (c *Core) endStates(err *protocol.Error, sent protocol.Code) {
	for _, s := range c.order {
		s.end(err, sent)
		c.emit(Closed{State: s, Code: err.Code, Reason: err.Reason})
	}
	clear(c.states)
	c.order = nil
}

// forget takes the state out of the client's books.
func (c *Core) forget(s *State) {
	delete(c.states, s.identifier)
	for i, other := range c.order {
		if other == s {
			c.order = append(c.order[:i:i], c.order[i+1:]...)
			return
		}
	}
}
