package server

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/server-state-sync/server-state-sync/protocol"
)

// anyOrigin in Options.AllowedOrigins allows every origin.
const anyOrigin = "*"

// checkOriginOf refuses a page whose origin (RFC 6454) is neither the server's own nor on the list. Programs send no
// origin and pass: a browser always sends one, so this protects users, not servers.
func (s *StateSyncer) checkOriginOf(r *http.Request) *Error {
	header := r.Header.Get("Origin")
	if header == "" || s.onList(header) {
		return nil
	}
	if checkOrigin(header) != nil {
		return originRefused(header)
	}
	if listensOnLoopback(r) {
		// Not sameHost: a page of any name that its owner lets point to this machine (DNS rebinding) would be.
		if hostIsLoopback(originHost(header)) {
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
		if allowed == anyOrigin || strings.EqualFold(allowed, origin) {
			return true
		}
	}
	return false
}

// sameHost reports whether the page came from the host that it connects to, and not by plain http to a server that
// speaks TLS: whoever controls the network could have made that page.
func sameHost(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || r.TLS != nil && u.Scheme != "https" {
		return false
	}
	return strings.EqualFold(withPort(u.Host, u.Scheme), withPort(r.Host, u.Scheme))
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

func originHost(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func hostIsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
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
