package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/server"
)

// lobby is the room that is always there.
const lobby = "lobby"

// rooms has the rules of the chat: who may connect, which rooms there are, who may enter them, what may be said in them,
// and when they end. A room is a state {"messages": [{"id", "from", "text", "at"}]}.
type rooms struct {
	longest int           // characters of a message
	rate    rate.Limit    // messages of a user in a second, in the long run
	burst   int           // and at once
	history int           // messages that a room keeps; the oldest go
	most    int           // rooms at a time, the lobby included
	ttl     time.Duration // of a room, but for the lobby; 0: as long as somebody is in it
	now     func() time.Time
	count   func() int    // how many rooms there are
	making  *rate.Limiter // of rooms, by everybody together

	mu     sync.Mutex // guards everything below
	paces  map[string]*rate.Limiter
	tidied time.Time // when paces was looked through last
}

// How fast rooms may be made: in a second, in the long run, and at once.
const (
	madePerSecond = 5
	madeAtOnce    = 50
)

// mostPerConnection is how many rooms one connection may be in. The pages are in one each.
const mostPerConnection = 20

// longestToken is how many bytes of an access token are kept.
const longestToken = 4096

// mostPaces bounds how many users' paces are kept; beyond it those are forgotten who could send a whole burst again.
const mostPaces = 10_000

// everybodyElse has the pace of those for whom there is no place; userOf names nobody so.
const everybodyElse = ""

// newMaking returns the pace at which rooms may be made.
func newMaking() *rate.Limiter { return rate.NewLimiter(madePerSecond, madeAtOnce) }

// A visitor is what the server knows of who has connected, its clientInformation.
type visitor struct{ token string }

// options are those of a server of these rooms.
func (r *rooms) options() server.Options {
	return server.Options{
		Limits: server.Limits{
			States: r.most, StatesPerConnection: mostPerConnection,
			State: max(8<<20, (r.history+1)*(6*r.longest+1024)), // a full room and one message more; an escaped character has six bytes
		},
		Authorize:      r.authorize,
		OnMissingState: r.make,
		RestoreState:   r.restore, // the rules of rooms that an earlier process has kept
	}
}

// authorize is asked at every handshake. Here every token is good but one; yours looks it up, and returns who it stands for.
func (r *rooms) authorize(request *http.Request) (clientInformation any, err error) {
	switch token := server.AccessToken(request); {
	case token == "wrong":
		return nil, server.Refuse("This access token is not known here.")
	case len(token) > longestToken:
		return nil, server.Refuse(fmt.Sprintf("The access token is too long: %d bytes are allowed.", longestToken))
	default:
		return visitor{token}, nil
	}
}

// roomName has the names of rooms, in every script: marks are what the letters of many are completed by.
var roomName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,39}$`)

// make makes the room that somebody asks for and that does not exist, if they may enter it and there are not too many.
func (r *rooms) make(_ context.Context, identifier string, clientInformation any) (server.StateOptions, error) {
	switch {
	case !roomName.MatchString(identifier):
		return server.StateOptions{}, server.Refuse("There is no such room: a room's name has up to 40 letters, digits, _ and -.")
	case forMembers(identifier) && !isMember(clientInformation):
		return server.StateOptions{}, &server.Error{Code: protocol.CodeNotAllowed, Reason: "This room is for members: open it with an access token."}
	case r.count() >= r.most:
		return server.StateOptions{}, server.Refuse(fmt.Sprintf("There are %d rooms, and no more at a time: enter one of them, or come back when some have ended.", r.most))
	case !r.making.AllowN(r.now(), 1):
		return server.StateOptions{}, server.Refuse("Too many rooms are being made: wait a moment and connect again.")
	}
	return r.restore(identifier)
}

func forMembers(room string) bool { return strings.HasPrefix(room, "members-") }

// isMember reports whether somebody has shown a token, which authorize has found good.
func isMember(clientInformation any) bool {
	who, ok := clientInformation.(visitor)
	return ok && who.token != ""
}

// restore has the rules of a room, which are the program's and are not kept with it.
func (r *rooms) restore(identifier string) (server.StateOptions, error) {
	room := server.StateOptions{
		Identifier:           identifier,
		InitialValue:         map[string]any{"messages": []any{}},
		InterceptStateUpdate: r.intercept,
	}
	if identifier != lobby { // a room ends when everybody has left it
		room.SelfDestruct = func(clientsLeft int, _ time.Time) bool { return clientsLeft == 0 }
		room.TTL = r.ttl
	}
	if forMembers(identifier) { // asked of everybody who comes, also when the room is there already
		room.AllowConnectingClient = func(_ context.Context, clientInformation any) bool { return isMember(clientInformation) }
	}
	return room, nil
}

// intercept is asked about every change of a room: one message may be added at the end, short enough and not too fast. It
// gets the server's time, and the oldest ones go where there are too many.
func (r *rooms) intercept(_ context.Context, update *server.Update) error {
	before, after := update.Previous("messages"), update.Value("messages")
	ops := update.Ops()
	if len(ops) != 1 || ops[0].Kind != document.Add || after.Len() != before.Len()+1 || !isEnd(ops[0].Path, before.Len()) {
		return server.Refuse("In a room one can add a message at the end, one at a time, and nothing else.")
	}
	message := ops[0].Value
	if err := r.check(message); err != nil {
		return err
	}
	for _, earlier := range before.Elements() { // pages tell messages apart by it
		if earlier.Get("id").Equal(message.Get("id")) {
			return server.Refuse("The room has a message with this id: send yours with an id of its own.")
		}
	}
	if !r.pace(userOf(update)).AllowN(r.now(), 1) {
		return server.Refuse(fmt.Sprintf("You are too fast: %v messages in a second are allowed. Wait a moment and send it again.", float64(r.rate)))
	}
	patch := []document.PatchOp{{Kind: document.Add, Path: "/messages/-", Value: message.With("at", document.MustOf(r.now().UnixMilli()))}}
	for range after.Len() - r.history {
		patch = append(patch, document.PatchOp{Kind: document.Remove, Path: "/messages/0"})
	}
	return update.SetOps(patch)
}

// isEnd reports whether the path leads behind the last of n messages.
func isEnd(path document.Path, n int) bool {
	return len(path) == 2 && (path[1].Name == "-" || path[1].Index == n)
}

// check says what is wrong with a message.
func (r *rooms) check(message document.Value) error {
	text, from, members := message.Get("text"), message.Get("from"), 3
	if message.Get("at").Exists() { // it gets the server's
		members++
	}
	switch n := utf8.RuneCountInString(text.Text()); {
	case message.Get("id").Kind() != document.String || text.Kind() != document.String || from.Kind() != document.String, message.Len() != members:
		return server.Refuse(`A message is {"id", "from", "text"}.`)
	case !strings.ContainsFunc(text.Text(), isVisible):
		return server.Refuse("The message is empty.")
	case n > r.longest:
		return server.Refuse(fmt.Sprintf("The message is too long: it has %d characters, and %d are allowed.", n, r.longest))
	case utf8.RuneCountInString(from.Text()) > 40:
		return server.Refuse("The name is too long: 40 characters are allowed.")
	case message.Get("id").Text() == "" || len(message.Get("id").Text()) > 64:
		return server.Refuse("The id of a message has 1 to 64 bytes.")
	}
	return nil
}

// isVisible is false of spaces and of what has no looks of its own, such as a zero-width space.
func isVisible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// userOf tells users apart: by the token where there is one. A client's own identifier is only its word; a server that
// must not be flooded takes the subject of a token that it has checked.
func userOf(update *server.Update) string {
	if who, ok := update.ClientInformation().(visitor); ok && who.token != "" {
		return "token " + who.token
	}
	return "client " + update.ClientIdentifier()
}

// pace returns the pace of a user. Those for whom there is no place share one, so that nobody is without.
func (r *rooms) pace(user string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if pace := r.paces[user]; pace != nil {
		return pace
	}
	if len(r.paces) >= mostPaces && r.now().Sub(r.tidied) >= time.Second { // looking at all takes long
		r.tidied = r.now()
		maps.DeleteFunc(r.paces, func(user string, pace *rate.Limiter) bool {
			return user != everybodyElse && pace.TokensAt(r.now()) >= float64(r.burst)
		})
	}
	if len(r.paces) >= mostPaces {
		user = everybodyElse
	}
	if r.paces[user] == nil {
		r.paces[user] = rate.NewLimiter(r.rate, r.burst)
	}
	return r.paces[user]
}
