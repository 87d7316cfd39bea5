package hub

import (
	"context"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

// channel is a state beside a channel of centrifuge, which itself keeps messages and no state.
type channel struct {
	mu         sync.Mutex // guards everything below
	properties map[string]json.RawMessage
	messages   []json.RawMessage
	text       []byte // of the properties; nil: to be made
}

// centrifugeHub is a program on the library centrifuge with its JSON protocol: the state goes out with the subscription,
// changes are publications.
func centrifugeHub(listener net.Listener, s Setup) error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	channels := map[string]*channel{}
	for i := range s.States {
		channels[Name(i)] = &channel{properties: s.properties()}
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "ann"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) { follow(client, channels, s.History) })
	if err := node.Run(); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		MessageSizeLimit: 4 << 20,
		CheckOrigin:      func(*http.Request) bool { return true },
	}))
	return http.Serve(listener, mux)
}

func follow(client *centrifuge.Client, channels map[string]*channel, history bool) {
	client.OnSubscribe(func(e centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
		c := channels[e.Channel]
		if c == nil {
			answer(centrifuge.SubscribeReply{}, centrifuge.ErrorUnknownChannel)
			return
		}
		var reply centrifuge.SubscribeReply
		reply.Options.EnableRecovery = history
		if len(e.Data) > 0 { // who comes back asks for nothing
			reply.Options.Data = c.snapshot()
		}
		answer(reply, nil)
	})
	client.OnPublish(func(e centrifuge.PublishEvent, answer centrifuge.PublishCallback) {
		c := channels[e.Channel]
		if c == nil || !c.change(e.Data) {
			answer(centrifuge.PublishReply{}, centrifuge.ErrorBadRequest)
			return
		}
		var reply centrifuge.PublishReply
		if history {
			reply.Options = centrifuge.PublishOptions{HistorySize: 4096, HistoryTTL: time.Hour}
		}
		answer(reply, nil)
	})
}

func (c *channel) snapshot() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text == nil {
		c.text = stateText(c.properties)
	}
	return c.text
}

func (c *channel) change(text []byte) bool {
	var m request
	if err := json.Unmarshal(text, &m); err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.properties, m.Update)
	for _, message := range m.Append {
		c.messages = append(c.messages, message)
	}
	c.text = nil
	return true
}
