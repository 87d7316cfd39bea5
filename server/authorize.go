package server

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// tokenProtocol begins the name of a subprotocol that carries an access token: pages cannot send headers.
const tokenProtocol = "token."

// UseAuthorizationMiddleware sets the function that is asked at each handshake, also when a client comes back; see
// Options.Authorize. Connections that exist are not asked again. nil lets everybody in.
func (s *StateSyncer) UseAuthorizationMiddleware(authorize func(r *http.Request) (clientInformation any, err error)) {
	if authorize == nil {
		s.authorize.Store(nil)
		return
	}
	s.authorize.Store(&authorize)
}

// authorized asks the program about a handshake. A panic of the program is a refusal, also one in Subject().
func (s *StateSyncer) authorized(r *http.Request) (v visitor) {
	authorize := s.authorize.Load()
	if authorize == nil {
		return visitor{}
	}
	defer func() {
		if value := recover(); value != nil {
			s.options.Logger.Error("the authorization middleware panicked", "panic", value)
			v = visitor{refusal: &Error{Code: protocol.CodeUnauthorized, Reason: "the server could not check the access token"}}
		}
	}()
	client, err := (*authorize)(r)
	if err != nil {
		return visitor{refusal: unauthorized(err)}
	}
	return visitor{client: client, owner: ownerOf(client)}
}

// unauthorized returns what a client is told: the reason if it was made for it with Refuse, else only the code.
func unauthorized(err error) *Error {
	if ours, ok := err.(*Error); ok {
		return &Error{Code: protocol.CodeUnauthorized, Reason: reasonOf(ours)}
	}
	return &Error{Code: protocol.CodeUnauthorized, Reason: protocol.CodeUnauthorized.Sentence()}
}

// AccessToken returns the access token that came with a handshake, or "". It is looked for where it is least likely to
// end in somebody's log: in the header Authorization: Bearer, then among the subprotocols as token.<base64url>, then in
// the query as token or access_token.
func AccessToken(r *http.Request) string {
	if scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	for _, name := range subprotocols(r) {
		if text, found := strings.CutPrefix(name, tokenProtocol); found {
			if token, err := base64.RawURLEncoding.DecodeString(text); err == nil {
				return string(token)
			}
		}
	}
	query := r.URL.Query()
	if token := query.Get("token"); token != "" {
		return token
	}
	return query.Get("access_token")
}

// subprotocols returns the subprotocols that the client offers.
func subprotocols(r *http.Request) []string {
	var names []string
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(header, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}
