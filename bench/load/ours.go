package load

import (
	"bytes"
	"fmt"
	"strconv"
)

// ours is the protocol of PROTOCOL.md. Changes are sent with base 0: they have no index, so nothing depends on it.
type ours struct{}

var sessions int // drawn so far

func (ours) Upgrade() (path, subprotocol string) { return "/", "server-state-sync.v1" }

func (ours) Opened(c *Conn) {
	join := `["join",1,"` + stateName(c.State) + `"]`
	extensions := `"connection":1`
	if c.Resumed {
		join = `["join",1,"` + stateName(c.State) + `","` + c.StateEpoch + `",` + after(c.Version, c.had) + `,0]`
		extensions = `"connection":2,"epoch":"` + c.Epoch + `"`
	} else {
		sessions++
		c.Session = fmt.Sprintf("session-of-bench-%08d", sessions)
	}
	c.Send([]byte(`["hello","` + c.Session + `","ann",{` + extensions + "}]\n" + join))
}

func (ours) Text(c *Conn, message []byte) {
	if !c.Joined {
		opening(c, message)
		return
	}
	if message[1] == '"' && message[2] == 'e' { // ["entries": nothing in it is for this client
		if c.Sent > 0 {
			c.Acked += bytes.Count(message, []byte(`["accepted",`))
		}
		if bytes.HasSuffix(message, []byte(`["ping"]`)) {
			c.pong()
		}
		return
	}
	for line := range bytes.SplitSeq(message, []byte{'\n'}) {
		switch {
		case bytes.HasPrefix(line, []byte(`["accepted",`)):
			c.Acked++
		case string(line) == `["ping"]`:
			c.pong()
		case bytes.HasPrefix(line, []byte(`["refused",`)), bytes.HasPrefix(line, []byte(`["closed",`)), bytes.HasPrefix(line, []byte(`["bye",`)):
			c.end(fmt.Errorf("the server says %.200s", line))
			return
		}
	}
}

func (c *Conn) pong() {
	c.Send([]byte(`["pong"]`))
	c.flush()
}

// opening reads welcome and joined.
func opening(c *Conn, message []byte) {
	if epoch := between(message, `["welcome","`, `"`); epoch != "" {
		c.Epoch = epoch
	}
	_, joined, ok := bytes.Cut(message, []byte(`["joined",1,"`))
	if !ok {
		if bytes.Contains(message, []byte(`["closed"`)) || bytes.Contains(message, []byte(`["bye"`)) {
			c.end(fmt.Errorf("the server says %.200s", message))
		}
		return
	}
	c.Joined = true
	epoch, rest, _ := bytes.Cut(joined, []byte{'"'})
	version, _, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte{','}), []byte{','})
	c.StateEpoch, c.Version = string(epoch), string(version)
}

func (ours) IsUpdate(message []byte) bool { return bytes.HasPrefix(message, []byte(`["entries"`)) }

func (ours) Merge(c *Conn, property string, value []byte) {
	c.Sent++
	text := append([]byte(`["merge",1,`+strconv.Itoa(c.Sent)+`,0,{"`+property+`":`), value...)
	c.Send(append(text, "}]"...))
}

func (ours) Append(c *Conn, property string, element []byte) bool {
	c.Sent++
	text := append([]byte(`["patch",1,`+strconv.Itoa(c.Sent)+`,0,[["add",["`+property+`","-"],`), element...)
	c.Send(append(text, "]]]"...))
	return true
}

// Increment adds one to a number of the connection's state, in our protocol.
func Increment(c *Conn, property string) {
	c.Sent++
	c.Send([]byte(`["patch",1,` + strconv.Itoa(c.Sent) + `,0,[["increment",["` + property + `"],1]]]`))
}
