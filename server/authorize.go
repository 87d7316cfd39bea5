package server

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
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

// authorized asks the program about a handshake, and whose the answer is, within InterceptTimeout. No answer, and a
// panic, is a refusal.
func (s *StateSyncer) authorized(r *http.Request) (v visitor) {
	authorize := s.authorize.Load()
	if authorize == nil {
		return visitor{}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	answered := make(chan struct{})
	ask(s, ctx, func(ctx context.Context) (visitor, error) {
		client, err := (*authorize)(r.Clone(ctx)) // a copy: a late callback must not meet the handshake
		if err != nil {
			refusal := unauthorized(err)
			refusal.Reason = withoutToken(refusal.Reason, r)
			return visitor{refusal: refusal}, nil
		}
		return visitor{client: client, owner: ownerOf(client)}, nil
	}, func(answer visitor, err error) {
		v = answer
		if err != nil {
			v = visitor{refusal: s.unanswered(r, err)}
		}
		close(answered)
	})
	<-answered
	return v
}

// unanswered returns what a client is told whom the program said nothing about.
func (s *StateSyncer) unanswered(r *http.Request, err error) *Error {
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
		s.options.Logger.Error("the authorization middleware panicked", "panic", withoutToken(fmt.Sprint(panicked.value), r))
		return &Error{Code: protocol.CodeUnauthorized, Reason: "the server could not check the access token"}
	case errors.Is(err, ErrClosed):
		return &Error{Code: protocol.CodeShuttingDown}
	}
	s.options.Logger.Error("the authorization middleware gave no answer", "error", err)
	return failure(protocol.CodeOverloaded, "the server could not check the access token in time")
}

// unauthorized returns what a client is told: the reason if it was made for it with Refuse, else only the code.
func unauthorized(err error) *Error {
	if ours, ok := err.(*Error); ok {
		return &Error{Code: protocol.CodeUnauthorized, Reason: reasonOf(ours)}
	}
	return &Error{Code: protocol.CodeUnauthorized, Reason: protocol.CodeUnauthorized.Sentence()}
}

// withoutToken returns the text without the access token of the request: programs write it into errors and panics, which
// are logged here and shown there.
func withoutToken(text string, r *http.Request) string {
	if token := AccessToken(r); token != "" {
		return strings.ReplaceAll(text, token, "[access token]")
	}
	return text
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
