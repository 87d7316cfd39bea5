package load

import (
	"bytes"
	"strconv"
)

// A Dialect is the protocol of a peer, as far as a client of the benchmark needs it.
type Dialect interface {
	// Upgrade returns the path of the handshake, and the subprotocol, if there is one.
	Upgrade() (path, subprotocol string)
	// Opened is called when the WebSocket is there. The dialect joins the state, or goes on with it.
	Opened(c *Conn)
	// Text is called with each message of the server, large ones cut: it answers pings and notes when the join is answered.
	Text(c *Conn, message []byte)
	// IsUpdate reports whether the message brings an update.
	IsUpdate(message []byte) bool
	// Merge sets a property of the connection's state to a JSON text.
	Merge(c *Conn, property string, value []byte)
	// Append appends an element, given as JSON, to a property; false: the peer has no such change.
	Append(c *Conn, property string, element []byte) bool
}

// Dialects are the protocols by the name of the peer.
var Dialects = map[string]Dialect{
	"ours":       ours{},
	"floor":      plain{appends: true, resumes: true},
	"gorilla":    plain{appends: true},
	"ws":         plain{},
	"socket.io":  socketIO{},
	"centrifuge": centrifuge{},
}

func stateName(i int) string { return "s" + strconv.Itoa(i) }

// between returns what stands between two texts; "" where they are not there.
func between(text []byte, before, after string) string {
	_, rest, ok := bytes.Cut(text, []byte(before))
	if !ok {
		return ""
	}
	found, _, ok := bytes.Cut(rest, []byte(after))
	if !ok {
		return ""
	}
	return string(found)
}

// after returns the version that is so many updates after another; none is 0.
func after(version string, updates int) string {
	n, _ := strconv.Atoi(version)
	return strconv.Itoa(n + updates)
}

// plain is the protocol of package hub's plain.go.
type plain struct{ appends, resumes bool }

func (plain) Upgrade() (path, subprotocol string) { return "/", "" }

func (d plain) Opened(c *Conn) {
	version := ""
	if c.Resumed && d.resumes {
		version = `,"version":0`
	}
	c.Send([]byte(`{"join":"` + stateName(c.State) + `"` + version + `}`))
}

func (plain) Text(c *Conn, message []byte) {
	if !c.Joined {
		c.Joined = bytes.HasPrefix(message, []byte(`{"state"`)) || bytes.HasPrefix(message, []byte(`{"resumed"`))
	}
}

func (plain) IsUpdate(message []byte) bool {
	return bytes.HasPrefix(message, []byte(`{"update"`)) || bytes.HasPrefix(message, []byte(`{"append"`))
}

func (plain) Merge(c *Conn, property string, value []byte) {
	c.Send(plainMessage("update", property, value))
}

func (d plain) Append(c *Conn, property string, element []byte) bool {
	if d.appends {
		c.Send(plainMessage("append", property, element))
	}
	return d.appends
}

func plainMessage(kind, property string, value []byte) []byte {
	text := append([]byte(`{"`+kind+`":{"`+property+`":`), value...)
	return append(text, "}}"...)
}

// socketIO is Socket.IO's protocol, version 5, on Engine.IO's, version 4.
type socketIO struct{}

func (socketIO) Upgrade() (path, subprotocol string) {
	return "/socket.io/?EIO=4&transport=websocket", ""
}

func (socketIO) Opened(*Conn) {} // the server speaks first

func (socketIO) Text(c *Conn, message []byte) {
	switch {
	case string(message) == "2":
		c.Send([]byte("3"))
		c.flush()
	case c.Joined:
		if end := bytes.LastIndex(message, []byte(`,"`)); end > 0 && bytes.HasSuffix(message, []byte(`"]`)) {
			c.Version = string(message[end+2 : len(message)-2]) // its offset, where the server can recover connections
		}
	case message[0] == '0' && c.Resumed:
		c.Send([]byte(`40{"pid":"` + c.Session + `","offset":"` + c.Version + `"}`))
		c.flush()
	case message[0] == '0':
		c.Send([]byte("40"))
		c.flush()
	case bytes.HasPrefix(message, []byte("40")):
		if pid := between(message, `"pid":"`, `"`); c.Resumed && pid == c.Session {
			c.Joined = true // recovered, with its rooms
			return
		} else {
			c.Session = pid
		}
		c.Send([]byte(`42["join","` + stateName(c.State) + `"]`))
		c.flush()
	case bytes.HasPrefix(message, []byte(`42["state"`)):
		c.Joined = true
	}
}

func (socketIO) IsUpdate(message []byte) bool { return bytes.HasPrefix(message, []byte(`42["update"`)) }

func (socketIO) Merge(c *Conn, property string, value []byte) {
	text := append([]byte(`42["update","`+stateName(c.State)+`",{"`+property+`":`), value...)
	c.Send(append(text, "}]"...))
}

func (socketIO) Append(*Conn, string, []byte) bool { return false }

// centrifuge is centrifuge's protocol in JSON: commands and replies, several to a frame, a line each.
type centrifuge struct{}

func (centrifuge) Upgrade() (path, subprotocol string) { return "/connection/websocket", "" }

func (centrifuge) Opened(c *Conn) {
	subscribe := `{"id":2,"subscribe":{"channel":"` + stateName(c.State) + `","data":{"fresh":true}}}`
	if c.Resumed {
		subscribe = `{"id":2,"subscribe":{"channel":"` + stateName(c.State) + `","recover":true,"epoch":"` + c.StateEpoch + `","offset":` + after(c.Version, c.had) + `}}`
	}
	c.Send([]byte(`{"id":1,"connect":{}}` + "\n" + subscribe))
	c.Sent = 2
}

func (centrifuge) Text(c *Conn, message []byte) {
	if bytes.HasPrefix(message, []byte("{}")) || bytes.Contains(message, []byte("\n{}")) { // a ping
		c.Send([]byte("{}"))
		c.flush()
	}
	if !c.Joined {
		if _, reply, ok := bytes.Cut(message, []byte(`{"id":2,"subscribe":`)); ok {
			c.Joined = true
			c.StateEpoch = between(reply, `"epoch":"`, `"`)
			c.Version = between(reply, `"offset":`, `,`)
		}
	}
}

func (centrifuge) IsUpdate(message []byte) bool { return bytes.HasPrefix(message, []byte(`{"push"`)) }

func (d centrifuge) Merge(c *Conn, property string, value []byte) {
	d.publish(c, plainMessage("update", property, value))
}

func (d centrifuge) Append(c *Conn, property string, element []byte) bool {
	d.publish(c, plainMessage("append", property, element))
	return true
}

func (centrifuge) publish(c *Conn, data []byte) {
	c.Sent++
	text := append([]byte(`{"id":`+strconv.Itoa(c.Sent)+`,"publish":{"channel":"`+stateName(c.State)+`","data":`), data...)
	c.Send(append(text, "}}"...))
}
