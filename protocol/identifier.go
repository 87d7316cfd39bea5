package protocol

import (
	"strconv"
	"unicode/utf8"
)

// What the identifiers must be, for people.
const (
	identifierRule = "a string of 1 to 256 bytes of valid UTF-8 without control characters"
	sessionRule    = "a string of 16 to 64 of A-Z, a-z, 0-9, - and _"
	epochRule      = "a string of 1 to 64 of A-Z, a-z, 0-9, - and _"
	reasonRule     = "a string of valid UTF-8 of at most 1024 bytes"
)

// CheckIdentifier returns nil if identifier may name a state or a client: 1 to IdentifierBytes bytes of valid UTF-8
// without control characters (U+0000 to U+001F and U+007F to U+009F). Otherwise it returns an *Error with
// CodeIdentifierInvalid. Identifiers are compared byte by byte, without normalization.
func CheckIdentifier(identifier string) error {
	if validIdentifier(identifier) {
		return nil
	}
	return &Error{CodeIdentifierInvalid, strconv.Quote(cut(identifier, 40)) + " is not " + identifierRule}
}

// CheckSession returns nil if session has MinSession to MaxSession of the characters A-Z, a-z, 0-9, - and _, and an
// *Error with CodeBadMessage otherwise. The error does not show the session, which is a secret.
func CheckSession(session string) error {
	if validSession(session) {
		return nil
	}
	return &Error{CodeBadMessage, "the session is not " + sessionRule}
}

func validIdentifier(s string) bool {
	if s == "" || len(s) > IdentifierBytes || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if c < 0x20 || c >= 0x7F && c <= 0x9F {
			return false
		}
	}
	return true
}

func validSession(s string) bool {
	return len(s) >= MinSession && len(s) <= MaxSession && isURLSafe(s)
}

func validEpoch(s string) bool { return s != "" && len(s) <= MaxEpoch && isURLSafe(s) }

func validReason(s string) bool { return len(s) <= ReasonBytes }

// isURLSafe reports whether s has the characters of base64url alone (RFC 4648 section 5).
func isURLSafe(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// cut returns at most n bytes of s, ending between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
