package transport

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall/js"

	"github.com/server-state-sync/server-state-sync/internal/pageclock"
)

const (
	// pageCloseWait is how many milliseconds Close waits for the close event.
	pageCloseWait = 1000
	// pagePoll is after how many milliseconds Write looks again whether there is
	// room. A page has no event for it.
	pagePoll = 10
	// pageProgress is how much a peer must take within the write timeout.
	pageProgress = 64 << 10
	// pageBacklog is how many bytes of frames may wait to be read. A page cannot
	// be slowed down.
	pageBacklog = 64 << 20
)

var errBacklog = errors.New("more than 64 MiB of frames wait to be read")

// States of the page's WebSocket.
const pageOpen = 1

// page is a Conn over the WebSocket of the page. One js.Func receives all its
// events, in their order, and never waits.
type page struct {
	socket     js.Value
	address    string // without the query, which may hold a token
	handler    js.Func
	in         *Lane // what the page has received
	sendBuffer int
	patience   int64 // milliseconds
	number     int32 // by which the loader feeds it; 0: it does not

	opened chan struct{} // closed by the open event
	gone   chan struct{} // closed when the handler is released

	closing  sync.Once
	closeErr error

	// mu guards the fields below.
	mu       sync.Mutex
	released bool
	told     bool // the page was asked to close
}

// handlers counts the js.Funcs that are alive, for the tests.
var handlers atomic.Int32

func newPage(socket js.Value, address string, o *DialOptions) *page {
	p := &page{
		socket:     socket,
		address:    address,
		in:         NewLane(pageBacklog, o.ReadLimit),
		sendBuffer: o.SendBuffer,
		patience:   o.WriteTimeout,
		opened:     make(chan struct{}),
		gone:       make(chan struct{}),
	}
	p.handler = js.FuncOf(p.handle)
	handlers.Add(1)
	p.listen(p.handler.Value)
	p.feed()
	return p
}

func (p *page) listen(handler js.Value) {
	for _, event := range []string{"onopen", "onmessage", "onerror", "onclose"} {
		p.socket.Set(event, handler)
	}
}

// handle receives the events.
func (p *page) handle(_ js.Value, arguments []js.Value) any {
	event := arguments[0]
	if data := event.Get("data"); !data.IsUndefined() {
		p.receive(data)
		return nil
	}
	switch event.Get("type").String() {
	case "open":
		close(p.opened)
	case "close":
		p.in.Finish(p.closeEvent(event))
		p.release()
	}
	return nil // an error event says nothing, and a close event follows it
}

func (p *page) receive(data js.Value) {
	if data.Type() != js.TypeString {
		p.in.Finish(&ViolationError{NotText, "binary frames are not read here"})
		return
	}
	p.push([]byte(data.String()))
}

// push hands a frame on. The slice may be used again when it has returned.
func (p *page) push(frame []byte) {
	if !p.in.Push(frame) {
		p.drop(&lostError{errBacklog})
	}
}

// closeEvent returns what Read says of the event.
func (p *page) closeEvent(event js.Value) error {
	code := event.Get("code").Int()
	if code == codeAbnormal || code == codeTLS {
		return &lostError{errors.New("the WebSocket to " + p.address + " closed with code 1006")}
	}
	return &CloseError{Code: code, Reason: event.Get("reason").String()}
}

func (p *page) Subprotocol() string { return p.socket.Get("protocol").String() }

func (p *page) Deliver(to func(frame []byte)) { p.in.Deliver(to) }

func (p *page) Read(b Bound) ([]byte, error) { return p.in.Take(b) }

func (p *page) Write(b Bound, frame []byte) error {
	if err := b.Err(); err != nil {
		return err
	}
	if err := p.waitForRoom(b, len(frame)); err != nil {
		return err
	}
	var state int
	thrown := try(func() {
		state = p.socket.Get("readyState").Int()
		if state == pageOpen {
			p.socket.Call("send", string(frame))
		}
	})
	if thrown != nil {
		p.drop(&lostError{thrown})
		return &lostError{thrown}
	}
	if state != pageOpen {
		return p.writeEnd()
	}
	return nil
}

// waitForRoom waits until the page holds little enough for the network.
func (p *page) waitForRoom(b Bound, size int) error {
	if p.hasRoom(size) {
		return nil
	}
	poll := pageclock.New()
	defer poll.Stop()
	held, since := p.held(), pageclock.Now()
	for !p.hasRoom(size) {
		poll.Reset(pagePoll)
		select {
		case <-poll.Rings():
		case <-p.gone:
			return p.writeEnd()
		case <-b.Done():
			p.drop(&lostError{b.Err()})
			return b.Err()
		}
		if now := p.held(); now <= held-pageProgress {
			held, since = now, pageclock.Now()
		} else if pageclock.Now()-since >= p.patience {
			p.drop(&lostError{ErrWriteTimeout})
			return ErrWriteTimeout
		}
	}
	return nil
}

func (p *page) held() int { return p.socket.Get("bufferedAmount").Int() }

func (p *page) hasRoom(size int) bool {
	held := p.held()
	return held == 0 || held+size <= p.sendBuffer
}

// writeEnd returns what Write says of a connection that is over.
func (p *page) writeEnd() error {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	if lost, ok := p.in.readEnd.(*lostError); ok {
		return lost
	}
	return ErrClosed
}

func (p *page) Close(code int, reason string) error {
	p.closing.Do(func() {
		p.in.Stop(ErrClosed, ErrClosed)
		p.tell(sendableCode(code), cutReason(reason))
		timeout := pageclock.New()
		defer timeout.Stop()
		timeout.Reset(pageCloseWait)
		select {
		case <-p.gone:
		case <-timeout.Rings():
			p.closeErr = &lostError{errors.New("the page did not close the WebSocket in time")}
		}
		p.release()
	})
	return p.closeErr
}

func (p *page) Abort() { p.drop(ErrClosed) }

// drop ends the connection as far as a page can: it is no longer listened to.
func (p *page) drop(why error) {
	p.in.Stop(why, ErrClosed)
	p.release()
	p.tell(CodeNoStatus, "")
}

// tell asks the page to close, with the code if a page may send it.
func (p *page) tell(code int, reason string) {
	p.mu.Lock()
	told := p.told
	p.told = true
	p.mu.Unlock()
	if told {
		return
	}
	_ = try(func() {
		if code == CodeNormal || code >= 3000 {
			p.socket.Call("close", code, reason)
			return
		}
		p.socket.Call("close")
	})
}

// release stops listening to the page.
func (p *page) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released {
		return
	}
	p.released = true
	p.listen(js.Null())
	p.unfeed()
	// Some sockets outside pages throw when nobody listens to their errors.
	p.socket.Set("onerror", js.Global().Get("Function").Get("prototype"))
	p.handler.Release()
	handlers.Add(-1)
	close(p.gone)
}
