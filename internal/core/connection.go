package core

import (
	"errors"
	"strconv"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// Phase is the phase of the connection, as a user sees it.
type Phase uint8

// The phases of a connection.
const (
	Idle       Phase = iota // before Start
	Connecting              // dialing, or waiting for the server's welcome
	Connected               // the server has welcomed the client
	Waiting                 // the connection was lost; the next attempt is due at Status.NextRetry
	Ended                   // the client was closed
	Failed                  // given up for good: Status.LastError says why
)

var phaseNames = [...]string{"idle", "connecting", "connected", "waiting", "closed", "failed"}

// String returns the phase's name: idle, connecting, connected, waiting, closed or failed.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return "unknown"
}

// Status describes the connection.
type Status struct {
	Phase         Phase
	EverConnected bool            // the server has welcomed the client at least once
	Attempt       int             // of dialing, since the last stable connection: the one under way or made; from 1
	NextRetry     Time            // in phase Waiting: when the next dial is due
	Pending       int             // changes without a verdict, over all states
	Latency       Time            // between the last change that was answered and its answer; 0: unknown
	LastError     *protocol.Error // of the last loss; nil: none
}

// link is how far the newest connection has come.
type link uint8

const (
	linkDown    link = iota // there is none
	linkDialing             // the driver makes one
	linkOpen                // it is open; the server has not answered hello
	linkReady               // the server has welcomed the client
)

// What is assumed before a welcome says it.
const (
	assumedHeartbeat = Time(protocol.DefaultHeartbeat)
	longestAdvice    = Time(10 * 60_000) // a server's advice to wait is followed so far

	// Close codes of RFC 6455 section 7.4.1.
	codeNormal        = protocol.Code(1000) // the purpose of the connection is fulfilled
	codeProtocolError = protocol.Code(1002) // the server broke the protocol
	codeAbnormal      = protocol.Code(1006) // there was no close frame
)

// connection is what the core knows about the newest connection and about the next one.
type connection struct {
	link      link
	since     Time // when link became what it is
	heard     Time // when the last frame came
	dials     int  // since the last stable connection
	retryAt   Time // when to dial; valid without a connection
	notBefore Time // the server's advice
	ever      bool
	welcome   protocol.Welcome // the server's limits; those of the last connection, or assumed ones, before it came

	helloDue bool
	pongDue  bool
	controls []control         // joins and leaves to send, in order
	lastN    uint32            // the highest number given to a state on this connection
	numbers  map[uint32]*State // the states on this connection
	drains   map[string]*drain // states that were left and are not yet, by identifier
	ready    []*State          // those that may have changes to send
	inFlight int               // bytes of unanswered changes
	late     []*State          // states whose view is corrected at the end of the frame
	goodbye  Loss              // what the server's bye said
}

// control is a join or a leave that waits to be sent.
type control struct {
	join  *State
	leave uint32
}

// reset forgets everything that belongs to one connection.
func (c *connection) reset() {
	if c.welcome.Heartbeat == 0 {
		c.welcome = protocol.Welcome{
			Heartbeat: protocol.DefaultHeartbeat, Window: protocol.DefaultWindow,
			WindowBytes: protocol.DefaultWindowBytes, MaxMessage: protocol.DefaultBytes,
		}
	}
	c.link, c.helloDue, c.pongDue = linkDown, false, false
	c.controls, c.ready, c.late = nil, nil, nil
	c.lastN, c.inFlight = 0, 0
	c.numbers, c.drains = map[uint32]*State{}, map[string]*drain{}
}

// decide is the one place where connections are begun and given up. Events change facts and then call it.
//
//  1. A client that was closed, or has failed for good, has no connection.
//  2. One that was started and has no connection dials when retryAt has come.
//  3. Dialing may last ConnectTimeout, and so may the wait for the welcome.
//  4. A connection on which nothing came for two heartbeats is dead.
func (c *Core) decide(now Time) {
	switch {
	case c.over():
		if c.link != linkDown {
			c.disconnect(codeNormal, "the client was closed")
		}
	case !c.started:
	case c.link == linkDown:
		if now >= c.retryAt {
			c.dial(now)
		}
	case now >= c.deadline():
		code, reason := c.overdue()
		c.drop(now, code, reason)
	}
	c.tellStatus()
}

// deadline returns when the connection is given up if nothing happens.
func (c *Core) deadline() Time {
	if c.link == linkReady {
		return c.heard + 2*Time(c.welcome.Heartbeat)
	}
	return c.since + c.config.ConnectTimeout
}

func (c *Core) overdue() (protocol.Code, string) {
	switch c.link {
	case linkReady:
		return protocol.CodeHeartbeatTimeout, "nothing came for two heartbeats"
	case linkOpen:
		return protocol.CodeHandshakeTimeout, "the server did not answer hello in time"
	default:
		return protocol.CodeHandshakeTimeout, "the connection was not made in time"
	}
}

func (c *Core) dial(now Time) {
	c.link, c.since = linkDialing, now
	c.dials++
	c.emit(Dial{Attempt: c.dials})
}

// disconnect tells the driver to drop the connection.
func (c *Core) disconnect(code protocol.Code, reason string) {
	c.emit(Disconnect{Code: code, Reason: reason})
	c.unlink()
}

// drop gives the connection up for a reason that is not terminal.
func (c *Core) drop(now Time, code protocol.Code, reason string) {
	c.emit(Disconnect{Code: code, Reason: reason})
	c.lose(now, Loss{Code: int(code), Reason: reason})
}

// unlink forgets the connection, also in the states.
func (c *Core) unlink() {
	for _, s := range c.order {
		s.unlink()
	}
	c.connection.reset()
}

// lose records the end of the connection and when to dial again, or the end for good.
func (c *Core) lose(now Time, loss Loss) {
	stable := c.link == linkReady && now-c.since >= c.config.StableAfter
	c.unlink()
	if stable {
		c.dials = 0
	}
	err := loss.error()
	terminal := loss.Terminal || err.Code.Class() == protocol.GiveUp
	c.lastError = err
	c.emit(Problem{Error: err, Cause: loss.Err, Terminal: terminal})
	if terminal {
		c.fail(err)
		return
	}
	c.notBefore = now + min(max(loss.RetryAfter, 0), longestAdvice)
	c.retryAt = c.notBefore + c.jitter()
}

// error returns the loss as an error with a code: the close code, or that of a connection without a close.
func (l *Loss) error() *protocol.Error {
	err := &protocol.Error{Code: codeAbnormal, Reason: l.Reason}
	if l.Code > 0 && l.Code < 1<<16 {
		err.Code = protocol.Code(l.Code)
	}
	if err.Reason == "" && l.Err != nil {
		err.Reason = l.Err.Error()
	}
	if coded, ok := errors.AsType[*protocol.Error](l.Err); ok && l.Code == 0 {
		err.Code = coded.Code
	}
	return err
}

// jitter draws a wait below a bound that doubles with each attempt since the last stable connection ("full jitter").
func (c *Core) jitter() Time {
	bound := c.config.BackoffMin
	for i := 1; i < c.dials && bound < c.config.BackoffMax; i++ {
		bound *= 2
	}
	bound = max(min(bound, c.config.BackoffMax), 1)
	return 1 + Time(c.config.Random()%uint64(bound))
}

// fail ends the client for good. What was sent may have been accepted; what was not sent was not.
func (c *Core) fail(err *protocol.Error) {
	c.fatal = err
	c.endStates(err, protocol.CodeOutcomeUnknown)
}

// violate gives up a connection whose server broke the protocol. The cursors that it names are kept by their states.
func (c *Core) violate(now Time, err error) {
	reason := "the server broke the protocol: " + err.Error()
	c.emit(Disconnect{Code: protocol.CodeBadMessage, Reason: reason})
	c.lose(now, Loss{Code: int(codeProtocolError), Reason: reason, Err: err})
}

// NextWake returns when Tick is due; 0: not at all.
func (c *Core) NextWake() Time {
	switch {
	case !c.started || c.over():
		return 0
	case c.link == linkDown:
		return max(c.retryAt, 1)
	default:
		return c.deadline()
	}
}

// Status returns what a user may want to see of the connection.
func (c *Core) Status() Status {
	s := Status{
		Phase: c.phase(), EverConnected: c.ever, Attempt: c.dials,
		Pending: c.pending, Latency: c.latency, LastError: c.lastError,
	}
	if s.Phase == Waiting {
		s.NextRetry = c.retryAt
	}
	return s
}

func (c *Core) phase() Phase {
	switch {
	case c.closed:
		return Ended
	case c.fatal != nil:
		return Failed
	case !c.started:
		return Idle
	case c.link == linkReady:
		return Connected
	case c.link == linkDown:
		return Waiting
	default:
		return Connecting
	}
}

// tellStatus reports a change of what matters to a user; numbers that move with every change do not count.
func (c *Core) tellStatus() {
	status := c.Status()
	status.Pending, status.Latency = 0, 0
	if status != c.lastStatus {
		c.lastStatus = status
		c.emit(StatusChanged{})
	}
}

// fault is an error of the server: what it sent is not as the protocol says. It stands once in the
// browser's download, not at each caller.
//
//go:noinline
func fault(parts ...string) error {
	text := ""
	for _, part := range parts {
		text += part
	}
	return errors.New(text)
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
