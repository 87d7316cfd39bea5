package hub

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// gorillaState is a room as the chat example of gorilla/websocket has it, with prepared messages: a channel and a
// writing goroutine for each client.
type gorillaState struct {
	mu         sync.Mutex // guards everything below
	properties map[string]json.RawMessage
	messages   []json.RawMessage          // what was appended
	answer     *websocket.PreparedMessage // to a join; nil: to be made
	clients    map[*gorillaClient]struct{}
}

type gorillaClient struct {
	conn *websocket.Conn
	send chan *websocket.PreparedMessage
}

// gorilla is a hub that prepares each message once for all clients.
func gorilla(listener net.Listener, s Setup) error {
	states := map[string]*gorillaState{}
	for i := range s.States {
		states[Name(i)] = &gorillaState{properties: s.properties(), clients: map[*gorillaClient]struct{}{}}
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c := &gorillaClient{conn: conn, send: make(chan *websocket.PreparedMessage, 256)}
		go c.write()
		go c.read(states)
	}))
}

func (c *gorillaClient) read(states map[string]*gorillaState) {
	var state *gorillaState
	defer func() {
		if state != nil {
			state.remove(c)
		}
		_ = c.conn.Close()
	}()
	for {
		_, text, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		var m request
		if err := json.Unmarshal(text, &m); err != nil {
			return
		}
		switch {
		case m.Join != "":
			if state = states[m.Join]; state == nil {
				return
			}
			state.join(c)
		case state != nil:
			state.change(c, m, text)
		}
	}
}

// join answers with the state, prepared once until it changes.
func (s *gorillaState) join(c *gorillaClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c] = struct{}{}
	if s.answer == nil {
		s.answer = prepared(stateText(s.properties))
	}
	s.tell(c, s.answer)
}

// change makes the change and sends it to everybody else.
func (s *gorillaState) change(from *gorillaClient, m request, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.properties, m.Update)
	for _, message := range m.Append {
		s.messages = append(s.messages, message)
	}
	s.answer = nil
	message := prepared(text)
	for c := range s.clients {
		if c != from {
			s.tell(c, message)
		}
	}
}

// tell drops a client that does not read, as the example does.
func (s *gorillaState) tell(c *gorillaClient, message *websocket.PreparedMessage) {
	select {
	case c.send <- message:
	default:
		delete(s.clients, c)
		close(c.send)
	}
}

func (s *gorillaState) remove(c *gorillaClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.clients[c]; ok {
		delete(s.clients, c)
		close(c.send)
	}
}

func (c *gorillaClient) write() {
	defer func() { _ = c.conn.Close() }()
	for message := range c.send {
		_ = c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if err := c.conn.WritePreparedMessage(message); err != nil {
			return
		}
	}
}

func prepared(text []byte) *websocket.PreparedMessage {
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		panic(err) // it never fails for text
	}
	return m
}
