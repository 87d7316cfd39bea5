package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/server-state-sync/server-state-sync/internal/transport"
	"github.com/server-state-sync/server-state-sync/protocol"
)

// Subprotocol is the WebSocket subprotocol that clients offer.
const Subprotocol = "server-state-sync.v1"

// helpText answers a request that is no WebSocket handshake.
const helpText = `This address speaks WebSocket with the subprotocol ` + Subprotocol + `.
Connect with a client of server-state-sync: new Client("ws://...", "clientIdentifier") or wasmclient.New.
`

// ServeHTTP answers a WebSocket handshake at any path and serves the connection on goroutines of its own. A client that
// may not connect is told why over the WebSocket, because a page cannot see an HTTP status. Other requests get a 426.
func (s *StateSyncer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isHandshake(r) {
		w.Header().Set("Upgrade", "websocket")
		turnOff(w, http.StatusUpgradeRequired, helpText)
		return
	}
	if s.draining.Load() {
		turnOff(w, http.StatusServiceUnavailable, "The server is shutting down.\n")
		return
	}
	place, refusal := s.begin()
	if place == nil {
		turnOff(w, http.StatusServiceUnavailable, "The server has as many connections as it may.\n")
		return
	}
	served := false
	defer func() {
		if !served {
			s.giveBack(place)
		}
	}()
	v := visitor{refusal: refusal}
	if refusal == nil {
		v = s.examine(r)
	}
	v.place = place
	if v.refusal != nil && !s.refuse(place) {
		turnOff(w, http.StatusServiceUnavailable, "The server turns away as many connections as it may.\n")
		return
	}
	conn, err := s.acceptConn(w, r)
	if err != nil {
		s.options.Logger.Debug("a handshake failed", "error", err)
		return
	}
	served = true
	s.serve(conn, v)
}

// turnOff answers a request and ends its connection, without waiting for a body that may never come.
func turnOff(w http.ResponseWriter, status int, text string) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) // not every server can
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

func isHandshake(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// visitor is who connects, as the handshake found.
type visitor struct {
	client  any // what the program knows
	owner   string
	refusal *Error // why it may not connect; nil: it may
	place   *place
}

// examine finds out who connects, and whether they may.
func (s *StateSyncer) examine(r *http.Request) visitor {
	if !slices.Contains(subprotocols(r), Subprotocol) {
		return visitor{refusal: failure(protocol.CodeProtocolUnsupported, "this server speaks the subprotocol %s", Subprotocol)}
	}
	if refusal := s.checkOriginOf(r); refusal != nil {
		return visitor{refusal: refusal}
	}
	return s.authorized(r)
}

// acceptConn answers the handshake. It selects our subprotocol; else one of the client's, because a page would not open
// a connection on which none of its own was selected, and could not be told anything.
func (s *StateSyncer) acceptConn(w http.ResponseWriter, r *http.Request) (transport.Conn, error) {
	speaks := []string{Subprotocol}
	for _, name := range subprotocols(r) {
		if !strings.HasPrefix(name, tokenProtocol) {
			speaks = append(speaks, name)
			break
		}
	}
	o := &s.options
	return transport.Accept(w, r, transport.AcceptOptions{
		Subprotocols: speaks,
		ReadLimit:    o.Limits.Message,
		FrameTimeout: o.MessageTimeout,
		Fragments:    o.Limits.Fragments,
		Pings:        o.Limits.Pings,
		WriteTimeout: o.WriteTimeout,
		SendBuffer:   o.Limits.SendBuffer,
	})
}
