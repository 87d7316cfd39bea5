package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	opText  = 0x81 // with FIN
	opClose = 0x88
	opPing  = 0x89
	opPong  = 0x8A

	wholeFrame = 64 << 10 // larger frames are counted piece by piece and handed over by their beginning
	beginning  = 512
)

// Conn is one client's WebSocket connection.
type Conn struct {
	State  int  // the state that it joins
	Joined bool // the server has answered the join
	Got    int  // updates that it has received
	Bytes  int  // that it has read from the network
	Reads  int  // in so many pieces
	Sent   int  // changes that it has made
	Acked  int  // changes of its own that the server has accepted, where the protocol says so
	MayEnd bool // the server may close it, because it does not read

	// What a protocol needs to come back.
	Session, Epoch, StateEpoch, Version string
	Resumed                             bool // asks to go on where it was
	had                                 int  // updates received by the connection before

	loop    *Loop
	dialect Dialect
	fd      int
	up      bool // the HTTP upgrade is answered
	gone    bool
	rest    []byte // the beginning of a frame whose end has not come
	stream  int    // bytes still to come of a large frame
	first   []byte // of which this is the beginning
	out     []byte // what the network has not taken
	blocked bool   // the loop waits until it takes more
}

// Open connects and asks for the upgrade; the rest happens in the loop's turns. For one that comes back, was is the
// connection that it had.
func (l *Loop) Open(address netip.AddrPort, d Dialect, state int, was *Conn) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &Conn{State: state, loop: l, dialect: d, fd: fd}
	if was != nil {
		c.Session, c.Epoch, c.StateEpoch, c.Version, c.Resumed = was.Session, was.Epoch, was.StateEpoch, was.Version, true
		c.had = was.Got
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	l.conns[int32(fd)] = c
	path, subprotocol := d.Upgrade()
	header := ""
	if subprotocol != "" {
		header = "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	c.out = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%sSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		path, address, header)
	c.flush()
	return c, l.err
}

// Drop ends the connection at once, and leaves nothing of it in the kernel.
func (c *Conn) Drop() {
	if c.gone {
		return
	}
	c.gone = true
	delete(c.loop.conns, int32(c.fd))
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(c.fd)
}

// StopReading leaves what comes in the kernel's buffers, of which this end has as little as it can.
func (c *Conn) StopReading() {
	c.MayEnd = true
	_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	_ = unix.EpollCtl(c.loop.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Fd: int32(c.fd)})
	delete(c.loop.conns, int32(c.fd))
	c.loop.conns[-int32(c.fd)] = c // it is still dropped in the end
}

// Send puts a text message behind what waits to be written; Flush writes.
func (c *Conn) Send(text []byte) { c.out = appendMasked(c.out, opText, text) }

// appendMasked appends a client's frame, masked with zeros, which is the identity.
func appendMasked(dst []byte, op byte, text []byte) []byte {
	dst = append(dst, op)
	switch size := len(text); {
	case size <= 125:
		dst = append(dst, 0x80|byte(size))
	case size <= 0xFFFF:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(size))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(size))
	}
	return append(append(dst, 0, 0, 0, 0), text...)
}

// Flush writes what was sent; what the network does not take now goes out in the loop's turns.
func (c *Conn) Flush() { c.flush() }

func (c *Conn) flush() {
	for len(c.out) > 0 && !c.gone {
		n, err := unix.Write(c.fd, c.out)
		switch {
		case errors.Is(err, unix.EAGAIN):
			c.blocked = true
			c.interest(unix.EPOLLIN | unix.EPOLLOUT)
			return
		case errors.Is(err, unix.EINTR):
		case err != nil:
			c.end(err)
			return
		default:
			c.out = c.out[:copy(c.out, c.out[n:])]
		}
	}
	if c.blocked {
		c.blocked = false
		c.interest(unix.EPOLLIN)
	}
	if cap(c.out) > wholeFrame || len(c.loop.conns) > 2000 {
		c.out = nil // ten thousand of them would be much
	}
}

func (c *Conn) interest(events uint32) {
	if !c.gone {
		_ = unix.EpollCtl(c.loop.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.fd)})
	}
}

// read takes what has come, once.
func (c *Conn) read() {
	n, err := unix.Read(c.fd, c.loop.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return
	case err != nil:
		c.end(err)
	case n == 0:
		c.end(errors.New("the server has ended it"))
	default:
		c.loop.Now = time.Now()
		c.Bytes += n
		c.Reads++
		c.feed(c.loop.buffer[:n])
	}
}

func (c *Conn) end(why error) {
	mayEnd := c.MayEnd
	c.Drop()
	if !mayEnd && c.loop.err == nil {
		c.loop.err = fmt.Errorf("a connection was lost (joined: %v, %d updates received): %w", c.Joined, c.Got, why)
	}
}

// feed handles what was read: whole frames at once, the beginnings of large ones, and keeps what is left.
func (c *Conn) feed(p []byte) {
	if len(c.rest) > 0 {
		c.rest = append(c.rest, p...)
		p = c.rest
	}
	if !c.up {
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 {
			c.rest = append(c.rest[:0], p...)
			return
		}
		if !bytes.HasPrefix(p, []byte("HTTP/1.1 101 ")) {
			c.end(fmt.Errorf("upgrade refused: %.40q", p))
			return
		}
		c.up = true
		p = p[end+4:]
		c.dialect.Opened(c)
		c.flush()
	}
	p = c.frames(p)
	if len(p) == 0 {
		c.rest = nil
		return
	}
	c.rest = append(c.rest[:0], p...)
}

// frames handles frames and returns what is left.
func (c *Conn) frames(p []byte) []byte {
	for len(p) > 0 && !c.gone {
		if c.stream > 0 {
			n := min(c.stream, len(p))
			c.piece(p[:n])
			p = p[n:]
			continue
		}
		head, size, ok := header(p)
		switch {
		case !ok:
			return p
		case len(p) >= head+size:
			c.frame(p[0], p[head:head+size])
			p = p[head+size:]
		case size <= wholeFrame:
			return p
		default:
			c.stream = size
			c.first = nil
			p = p[head:]
		}
	}
	return nil
}

// header reads a server's frame header.
func header(p []byte) (head, size int, ok bool) {
	if len(p) < 2 {
		return 0, 0, false
	}
	switch short := p[1]; {
	case short < 126:
		return 2, int(short), true
	case short == 126 && len(p) >= 4:
		return 4, int(binary.BigEndian.Uint16(p[2:])), true
	case short == 127 && len(p) >= 10:
		return 10, int(binary.BigEndian.Uint64(p[2:])), true
	}
	return 0, 0, false
}

// piece takes a part of a large frame.
func (c *Conn) piece(p []byte) {
	if len(c.first) < beginning {
		c.first = append(c.first, p[:min(len(p), beginning-len(c.first))]...)
	}
	c.count(p)
	c.stream -= len(p)
	if c.stream == 0 {
		c.text(c.first)
	}
}

// frame takes a whole frame.
func (c *Conn) frame(op byte, payload []byte) {
	switch op {
	case opText:
		c.count(payload)
		c.text(payload)
	case opPing:
		c.out = appendMasked(c.out, opPong, payload)
		c.flush()
	case opClose:
		c.end(fmt.Errorf("the server has closed it: %.200q", payload))
	case opPong:
	default:
		c.end(fmt.Errorf("a frame that begins with %#x", op))
	}
}

// count counts the marks.
func (c *Conn) count(p []byte) {
	if !c.loop.ByFrame && c.Joined {
		c.got(bytes.Count(p, []byte{Mark}))
	}
}

// text hands a message, or the beginning of a large one, to the protocol.
func (c *Conn) text(p []byte) {
	if c.loop.ByFrame && c.Joined && c.dialect.IsUpdate(p) {
		c.got(1)
	}
	c.dialect.Text(c, p)
}

func (c *Conn) got(updates int) {
	if updates > 0 {
		c.Got += updates
		if c.loop.Deliver != nil {
			c.loop.Deliver(c, updates)
		}
	}
}
