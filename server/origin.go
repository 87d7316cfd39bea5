package server

import (
	"net"
	"net/http"
	"strings"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// anyOrigin in Options.AllowedOrigins allows every origin.
const anyOrigin = "*"

// checkOriginOf refuses a page whose origin (RFC 6454) is neither the server's own nor on the list. Programs send no
// origin and pass: a browser always sends one, so this protects users, not servers.
func (s *StateSyncer) checkOriginOf(r *http.Request) *Error {
	origins := r.Header.Values("Origin")
	if len(origins) > 1 {
		return failure(protocol.CodeOriginRefused, "pages of %d origins at once may not connect, also not by the server's option AllowedOrigins", len(origins))
	}
	header := r.Header.Get("Origin")
	if header == "" || s.onList(header) {
		return nil
	}
	if checkOrigin(header) != nil {
		return originRefused(header)
	}
	if listensOnLoopback(r) {
		// Not sameHost: a page of any name that its owner lets point to this machine (DNS rebinding) would be.
		if _, host, ok := webOrigin(header); ok && hostIsLoopback(hostOnly(host)) {
			return nil
		}
	} else if sameHost(r, header) {
		return nil
	}
	return originRefused(header)
}

func originRefused(origin string) *Error {
	return failure(protocol.CodeOriginRefused, "pages of origin %q may not connect; the server's option AllowedOrigins lists those that may", origin)
}

func (s *StateSyncer) onList(origin string) bool {
	for _, allowed := range s.options.AllowedOrigins {
		if allowed == anyOrigin || equalFold(allowed, origin) {
			return true
		}
	}
	return false
}

// sameHost reports whether the page came from the host that it connects to, and not by plain http to a server that
// speaks TLS: whoever controls the network could have made that page.
func sameHost(r *http.Request, origin string) bool {
	scheme, host, ok := webOrigin(origin)
	if !ok || r.TLS != nil && scheme != "https" {
		return false
	}
	return equalFold(withPort(host, scheme), withPort(r.Host, scheme))
}

// webOrigin returns scheme and host, with a port where there is one, of an origin as browsers send it for pages of the
// web: those and nothing else, names in ASCII.
func webOrigin(origin string) (scheme, host string, ok bool) {
	scheme, host, ok = strings.Cut(origin, "://")
	if !ok || scheme != "http" && scheme != "https" || host == "" || !isPlain(origin) || strings.ContainsAny(host, `/\?#@, `) {
		return "", "", false
	}
	return scheme, host, true
}

// equalFold compares without regard to the case of ASCII letters. strings.EqualFold has more letters that are the same,
// such as the long s, and hosts that differ in them are not.
func equalFold(a, b string) bool { return isPlain(a) && isPlain(b) && strings.EqualFold(a, b) }

// isPlain reports whether there is nothing in the text but ASCII that shows.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// withPort completes a host with the port that the scheme implies.
func withPort(host, scheme string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if scheme == "https" {
		return net.JoinHostPort(strings.Trim(host, "[]"), "443")
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "80")
}

// hostOnly returns the host without its port.
func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func hostIsLoopback(host string) bool {
	if equalFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// listensOnLoopback reports whether the request came in at a loopback address of this machine.
func listensOnLoopback(r *http.Request) bool {
	address, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	host, _, err := net.SplitHostPort(address.String())
	return err == nil && hostIsLoopback(host)
}
