package hub

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"sync"
	"syscall"
)

// floorLog is how much of what was sent the floor keeps for those that read slowly.
const floorLog = 1 << 20

// floorState is what a state costs at least: each update encoded once, and a place in that text for each subscriber.
type floorState struct {
	answer []byte // a frame with the whole state

	mu   sync.Mutex // guards everything below
	log  []byte     // frames, ready to be written; only ever appended to, so what was handed out stays
	base uint64     // where log begins in all that was ever sent
	past []byte     // the log before this one
	subs []*floorSub
	due  []*floorSub // those that have something to be written
	busy bool        // a goroutine writes for them
}

// floorSub is a connection.
type floorSub struct {
	conn    *net.TCPConn
	raw     syscall.RawConn
	try     func(fd uintptr) bool // writeNow; kept, for making it would allocate
	out     []byte                // what it writes
	err     error                 // why it could not
	state   *floorState
	cursor  uint64 // of the state's lock, as is writing
	writing bool
}

// floor sends on what comes without a look at it: one text for all, and everything that waits in one write, by one
// goroutine for all that take it at once. No hub on WebSockets can do the same work with fewer system calls, so it is
// what the others are measured by.
func floor(listener net.Listener, s Setup) error {
	states := map[string]*floorState{}
	for i := range s.States {
		states[Name(i)] = &floorState{answer: appendFrame(nil, stateText(s.properties()))}
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go serveFloor(conn.(*net.TCPConn), states)
	}
}

func serveFloor(conn *net.TCPConn, states map[string]*floorState) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReaderSize(conn, 1<<10)
	if err := answerUpgrade(conn, reader); err != nil {
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	sub := &floorSub{conn: conn, raw: raw}
	sub.try = sub.writeNow
	defer sub.leave()
	var buffer []byte
	for {
		message, err := readFrame(reader, buffer)
		if err != nil {
			return
		}
		if !sub.receive(message, states) {
			return
		}
		if buffer = message; cap(buffer) > 4<<10 {
			buffer = nil
		}
		if reader.Buffered() == 0 {
			buffer = nil // nothing is kept by who waits
		}
	}
}

// receive handles one message, and reports whether the connection may go on.
func (sub *floorSub) receive(message []byte, states map[string]*floorState) bool {
	if sub.state != nil {
		sub.state.send(sub, message)
		return true
	}
	name, ok := identifierIn(message)
	s := states[name]
	if !ok || s == nil {
		return false
	}
	answer := s.answer
	if bytes.Contains(message, []byte(`"version"`)) {
		answer = appendFrame(nil, []byte(`{"resumed":true}`))
	}
	if _, err := sub.conn.Write(answer); err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.state, sub.cursor = s, s.base+uint64(len(s.log))
	s.subs = append(s.subs, sub)
	return true
}

// send keeps the update and wakes everybody else.
func (s *floorState) send(from *floorSub, message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) > floorLog {
		s.base += uint64(len(s.log))
		s.past = s.log
		s.log = make([]byte, 0, floorLog+floorLog/8)
	}
	s.log = appendFrame(s.log, message)
	for _, sub := range s.subs {
		if sub != from && !sub.writing {
			sub.writing = true
			s.due = append(s.due, sub)
		}
	}
	if len(s.due) > 0 && !s.busy {
		s.busy = true
		go s.write()
	}
}

// write writes for those that are due until nobody is.
func (s *floorState) write() {
	var due []*floorSub
	for {
		s.mu.Lock()
		due, s.due = s.due, due[:0]
		s.busy = len(due) > 0
		s.mu.Unlock()
		if len(due) == 0 {
			return
		}
		for _, sub := range due {
			sub.write()
		}
	}
}

// write writes what waits; who does not take it at once has a goroutine of its own for the rest.
func (sub *floorSub) write() {
	for sub.out = sub.take(); sub.out != nil; sub.out = sub.take() {
		if err := errors.Join(sub.raw.Write(sub.try), sub.err); err != nil {
			_ = sub.conn.Close()
			return
		}
		if len(sub.out) > 0 {
			go sub.wait()
			return
		}
	}
}

// writeNow is one system call. It returns true: nothing is waited for.
func (sub *floorSub) writeNow(fd uintptr) bool {
	n, err := syscall.Write(int(fd), sub.out)
	sub.out = sub.out[max(0, n):]
	if err != syscall.EAGAIN && err != syscall.EINTR {
		sub.err = err
	}
	return true
}

func (sub *floorSub) wait() {
	if _, err := sub.conn.Write(sub.out); err != nil {
		_ = sub.conn.Close()
		return
	}
	sub.write()
}

// take returns everything that waits; nil when there is nothing, and the writer ends.
func (sub *floorSub) take() []byte {
	s := sub.state
	s.mu.Lock()
	defer s.mu.Unlock()
	behind := s.base - min(s.base, sub.cursor)
	if behind > uint64(len(s.past)) { // too slow: it would have to come back
		_ = sub.conn.Close()
		return nil
	}
	waiting := s.past[uint64(len(s.past))-behind:]
	if behind == 0 {
		waiting = s.log[sub.cursor-s.base:]
	}
	if len(waiting) == 0 {
		sub.writing = false
		return nil
	}
	sub.cursor += uint64(len(waiting))
	return waiting
}

func (sub *floorSub) leave() {
	s := sub.state
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.subs {
		if other == sub {
			last := len(s.subs) - 1
			s.subs[i] = s.subs[last]
			s.subs = s.subs[:last]
			return
		}
	}
}
