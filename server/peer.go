package server

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// maxControl bounds what may wait of messages about a connection itself.
const maxControl = 64 << 10

// turnBytes is what one state may put into a frame before the next state has its turn.
const turnBytes = 16 << 10

// peer is a connection without its I/O. A driver hands every frame that comes to receive, from one goroutine at a
// time, sends what take returns, from one goroutine at a time, and calls disconnect in the end.
type peer struct {
	server   *StateSyncer
	client   any          // clientInformation of the handshake
	owner    string       // to whom that belongs; set before anything is received
	wake     func()       // tells the driver that take has something after it had nothing; called under mu
	unjudged atomic.Int64 // bytes of changes without a verdict
	joining  atomic.Int64 // joins that wait for callbacks, those included that the client has left meanwhile
	lastRead atomic.Int64 // when the client was heard last, in nanoseconds
	lastSent atomic.Int64 // when something was taken last

	session *session // set by hello under mu; only the goroutine of receive may read it without
	highest uint32   // the highest number of a state that the client has used; of the same goroutine

	mu            sync.Mutex      // guards everything below
	subscriptions []*subscription // by number
	control       []byte          // messages about the connection itself, and those that refuse a join
	ready         queue[*subscription]
	awake         bool          // wake was called, and take has not returned nothing since
	bye           *protocol.Bye // the last message
	urgent        bool          // bye goes before everything that waits
	said          bool          // bye was taken
	over          bool          // nothing is received or taken any more
	pinged        time.Time
}

// errOver ends the decoding of a frame on a connection that is over.
var errOver = errors.New("the connection is over")

// connect returns a new connection of a client with the given information.
func (s *StateSyncer) connect(clientInformation any, wake func()) *peer {
	p := &peer{server: s, client: clientInformation, wake: wake}
	now := s.options.clock.Now().UnixNano()
	p.lastRead.Store(now)
	p.lastSent.Store(now)
	s.addPeer(p)
	return p
}

// receive handles a frame from the client.
func (p *peer) receive(frame []byte) {
	p.lastRead.Store(p.server.options.clock.Now().UnixNano())
	p.server.counts.bytesIn.Add(uint64(len(frame)))
	p.server.inFlight.add(1) // before draining is asked: Shutdown asks the other way round
	defer p.server.inFlight.add(-1)
	if p.ended() || p.server.draining.Load() {
		return
	}
	err := protocol.DecodeClient(frame, p.server.wireLimits, p.handle)
	var fault *Error
	if errors.As(err, &fault) {
		p.fail(fault)
	}
}

// handle handles one message. An error ends the connection.
func (p *peer) handle(m protocol.ClientMessage) error {
	if p.ended() {
		return errOver
	}
	var err *Error
	if hello, ok := m.(protocol.Hello); ok {
		err = p.hello(hello)
	} else if p.session == nil {
		err = failure(protocol.CodeBadMessage, "the first message is not hello")
	} else {
		err = p.dispatch(m)
	}
	if err != nil {
		return err
	}
	return nil
}

func (p *peer) dispatch(m protocol.ClientMessage) *Error {
	switch m := m.(type) {
	case protocol.Join:
		return p.join(m)
	case protocol.Leave:
		return p.leave(m)
	case protocol.Merge:
		return p.change(m.N, mergeChange(m))
	case protocol.Patch:
		return p.change(m.N, patchChange(m))
	case protocol.Transaction:
		return p.change(m.N, transactionChange(m))
	}
	return nil // pong: having come is all that it says
}

// hello begins or resumes a session.
func (p *peer) hello(m protocol.Hello) *Error {
	if p.session != nil {
		return failure(protocol.CodeBadMessage, "hello came twice")
	}
	session, fenced, err := p.server.sessions.attach(p, m)
	if err != nil {
		return err
	}
	if fenced != nil {
		fenced.fail(failure(protocol.CodeSessionTaken, "a newer connection has taken the session over"))
	}
	p.mu.Lock()
	p.session = session
	p.mu.Unlock()
	o := &p.server.options
	p.tell(protocol.Welcome{
		Epoch:       session.epoch,
		Heartbeat:   uint32(o.Heartbeat.Milliseconds()),
		Window:      uint32(o.Limits.Window),
		WindowBytes: uint32(o.Limits.WindowBytes),
		MaxMessage:  uint32(o.Limits.Message),
	})
	return nil
}

// change hands a change to its state.
func (p *peer) change(n uint32, c *change) *Error {
	sub, err := p.find(n)
	if sub == nil {
		return err
	}
	return sub.state.receive(sub, c)
}

// find returns the subscription with the number; none, and no error, for one that has ended: what was sent before the
// client heard of that is void.
func (p *peer) find(n uint32) (*subscription, *Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, found := p.index(n)
	switch {
	case found && p.subscriptions[i].state != nil:
		return p.subscriptions[i], nil
	case found:
		return nil, failure(protocol.CodeBadMessage, "a change to state %d came before its joined", n)
	case n > p.highest:
		return nil, failure(protocol.CodeBadMessage, "state %d was never joined", n)
	}
	return nil, nil
}

// index returns where the subscription with the number is, or belongs.
func (p *peer) index(n uint32) (int, bool) {
	return slices.BinarySearchFunc(p.subscriptions, n, func(sub *subscription, n uint32) int { return int(sub.n) - int(n) })
}

// take appends the next frame to dst, which is empty: whole messages, until it has grown to about max bytes. It returns
// nothing when nothing waits; wake is called when that changes.
func (p *peer) take(dst []byte, max int) []byte {
	for len(dst) < max {
		sub, done := p.next(&dst)
		if done {
			break
		}
		if sub == nil {
			continue
		}
		var more bool
		if dst, more = sub.drain(dst, min(max, len(dst)+turnBytes)); more {
			p.makeReady(sub)
		}
	}
	if len(dst) > 0 {
		p.lastSent.Store(p.server.options.clock.Now().UnixNano())
		p.server.counts.bytesOut.Add(uint64(len(dst)))
	}
	return dst
}

// next moves messages about the connection to dst, or returns the subscription whose turn it is. done says that the
// frame is to be sent as it is.
func (p *peer) next(dst *[]byte) (sub *subscription, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.said || p.over:
		p.awake = false
		return nil, true
	case p.bye != nil && p.urgent:
		return nil, p.sayBye(dst)
	case len(p.control) > 0:
		*dst = append(newLine(*dst), p.control...)
		p.control = nil
		return nil, false
	case !p.ready.empty():
		return p.ready.pop(), false
	case p.bye != nil:
		return nil, p.sayBye(dst)
	}
	p.awake = len(*dst) > 0
	return nil, true
}

func (p *peer) sayBye(dst *[]byte) bool {
	*dst = p.bye.Append(newLine(*dst))
	p.said = true
	return true
}

// makeReady notes that the subscription has more.
func (p *peer) makeReady(sub *subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.ready.push(sub)
		p.rouse()
	}
}

// tell queues a message about the connection.
func (p *peer) tell(m protocol.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.bye != nil {
		return
	}
	if len(p.control) > maxControl {
		p.bye = &protocol.Bye{Code: protocol.CodeSlowWrite, Reason: "the answers to refused joins are not read"}
		p.urgent = true
	}
	p.control = m.Append(newLine(p.control))
	p.rouse()
}

// rouse calls wake, once until take has returned nothing, and not after the last message.
func (p *peer) rouse() {
	if !p.awake && !p.said && !p.over {
		p.awake = true
		p.wake()
	}
}

// fail ends the connection: bye is said before everything that waits.
func (p *peer) fail(why *Error) {
	p.say(why, true)
	p.leaveAll()
}

// say makes bye the last message, after everything that waits unless it is urgent.
func (p *peer) say(why *Error, urgent bool) {
	bye := protocol.Bye{Code: why.Code, Reason: reasonOf(why), RetryAfter: p.server.advice(why.Code)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.bye != nil && (p.urgent || !urgent) {
		return
	}
	p.bye, p.urgent = &bye, urgent
	p.rouse()
}

// ended reports whether nothing more is received.
func (p *peer) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over || p.bye != nil
}

// farewell returns the bye when it was taken: the driver closes the connection with its code.
func (p *peer) farewell() (protocol.Bye, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.said {
		return protocol.Bye{}, false
	}
	return *p.bye, true
}

// silence makes take return nothing any more, for a client that cannot be reached.
func (p *peer) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// disconnect ends everything: the connection is gone.
func (p *peer) disconnect() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.leaveAll()
	if p.session != nil {
		p.server.sessions.detach(p.session, p)
	}
	p.server.dropPeer(p)
}

// leaveAll takes the connection out of its states. The session stays, for another connection.
func (p *peer) leaveAll() {
	p.mu.Lock()
	subscriptions := p.subscriptions
	p.subscriptions, p.control = nil, nil
	p.ready = queue[*subscription]{}
	p.mu.Unlock()
	for _, sub := range subscriptions {
		if sub.state != nil {
			sub.state.disconnected(sub)
		}
	}
}

// beat pings a client that is silent, or that was sent nothing for a while, and gives up one that does not answer.
func (p *peer) beat(now time.Time) {
	heartbeat := p.server.options.Heartbeat
	unheard := now.Sub(time.Unix(0, p.lastRead.Load()))
	silent := now.Sub(time.Unix(0, p.lastSent.Load()))
	if unheard >= 2*heartbeat {
		p.fail(failure(protocol.CodeHeartbeatTimeout, "nothing was heard for %v", unheard.Round(time.Millisecond)))
		return
	}
	if max(unheard, silent) < heartbeat {
		return
	}
	p.mu.Lock()
	due := p.session != nil && now.Sub(p.pinged) >= heartbeat
	if due {
		p.pinged = now
	}
	p.mu.Unlock()
	if due {
		p.tell(protocol.Ping{})
	}
}
