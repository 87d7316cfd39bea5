package protocol

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
)

// Append appends the text of m, as m.Append does. Messages of one frame are joined with a newline, which is the
// caller's to append.
func Append(dst []byte, m Message) []byte { return m.Append(dst) }

// Append implements [Message].
func (m Hello) Append(dst []byte) []byte {
	dst = appendText(append(dst, `["hello",`...), m.Session)
	dst = appendText(append(dst, ','), m.ClientIdentifier)
	dst = append(dst, `,{`...)
	if m.Connection != 0 {
		dst = strconv.AppendUint(append(dst, `"connection":`...), m.Connection, 10)
	}
	if m.Connection != 0 && m.Epoch != "" {
		dst = append(dst, ',')
	}
	if m.Epoch != "" {
		dst = appendText(append(dst, `"epoch":`...), m.Epoch)
	}
	return append(dst, `}]`...)
}

// Append implements [Message].
func (m Join) Append(dst []byte) []byte {
	dst = appendInts(append(dst, `["join"`...), uint64(m.N))
	dst = appendText(append(dst, ','), m.Identifier)
	if m.Epoch != "" {
		dst = appendText(append(dst, ','), m.Epoch)
		dst = appendInts(dst, m.Version, m.Answered)
	}
	return append(dst, ']')
}

// Append implements [Message].
func (m Leave) Append(dst []byte) []byte {
	return append(appendInts(append(dst, `["leave"`...), uint64(m.N)), ']')
}

func (c *Change) append(dst []byte) []byte { return appendInts(dst, uint64(c.N), c.Number, c.Base) }

// Append implements [Message]. Absent updates are written as none.
func (m Merge) Append(dst []byte) []byte {
	dst = append(m.append(append(dst, `["merge"`...)), ',')
	return append(appendValue(dst, m.Updates, `{}`), ']')
}

// Append implements [Message].
func (m Patch) Append(dst []byte) []byte {
	dst = append(m.append(append(dst, `["patch"`...)), ',')
	return append(AppendOps(dst, m.Ops), ']')
}

// Append implements [Message]. Absent updates are written as none.
func (m Transaction) Append(dst []byte) []byte {
	dst = append(m.append(append(dst, `["transaction"`...)), ',')
	dst = append(appendValue(dst, m.Updates, `{}`), ',')
	if m.ReadAll {
		dst = append(dst, `null`...)
	} else {
		dst = appendNames(dst, m.Reads)
	}
	return append(appendInts(dst, m.Answered), ']')
}

// Append implements [Message].
func (m Pong) Append(dst []byte) []byte { return append(dst, `["pong"]`...) }

// Append implements [Message].
func (m Welcome) Append(dst []byte) []byte {
	dst = appendText(append(dst, `["welcome",`...), m.Epoch)
	dst = strconv.AppendUint(append(dst, `,{"heartbeat":`...), uint64(m.Heartbeat), 10)
	dst = strconv.AppendUint(append(dst, `,"window":`...), uint64(m.Window), 10)
	dst = strconv.AppendUint(append(dst, `,"windowBytes":`...), uint64(m.WindowBytes), 10)
	dst = strconv.AppendUint(append(dst, `,"maxMessage":`...), uint64(m.MaxMessage), 10)
	return append(dst, `}]`...)
}

// Append implements [Message].
func (m Joined) Append(dst []byte) []byte {
	if !m.Value.Exists() {
		return m.AppendEnd(m.appendHeader(dst))
	}
	dst = append(AppendJoinedHeader(dst, m), ',')
	return m.AppendEnd(m.Value.AppendJSON(dst))
}

// AppendJoinedHeader appends a Joined of a fresh start up to its value, which it does not look at: a comma, the text of
// the value and AppendEnd complete the message. So a value that was encoded once serves every join.
func AppendJoinedHeader(dst []byte, m Joined) []byte {
	return appendVerdicts(append(m.appendHeader(dst), ','), m.Verdicts)
}

// AppendEnd appends what comes after the value.
func (m *Joined) AppendEnd(dst []byte) []byte {
	if m.Durability != "" {
		dst = appendText(append(dst, ','), m.Durability)
	}
	return append(dst, ']')
}

func (m *Joined) appendHeader(dst []byte) []byte {
	dst = appendInts(append(dst, `["joined"`...), uint64(m.N))
	dst = appendText(append(dst, ','), m.Epoch)
	return appendInts(dst, m.Version, m.Mark)
}

// Append implements [Message].
func (m Entries) Append(dst []byte) []byte {
	dst = AppendEntriesHeader(dst, m.N, m.Version)
	for _, ops := range m.Ops {
		dst = AppendOps(append(dst, ','), ops)
	}
	return append(dst, ']')
}

// AppendEntriesHeader appends `["entries",n,version`. For each entry a comma and its operations as AppendOps writes
// them, and then "]", complete the message. So operations that were encoded once serve every subscriber.
func AppendEntriesHeader(dst []byte, n uint32, version uint64) []byte {
	return appendInts(append(dst, `["entries"`...), uint64(n), version)
}

// Append implements [Message].
func (m Accepted) Append(dst []byte) []byte {
	dst = AppendAcceptedHeader(dst, m.N, m.Number, m.Version)
	if m.Ops != nil {
		dst = AppendOps(append(dst, ','), m.Ops)
	}
	return append(dst, ']')
}

// AppendAcceptedHeader appends `["accepted",n,number,version`. "]" completes the message, or, where the result differs
// from the sender's change, a comma, its operations as AppendOps writes them, and "]".
func AppendAcceptedHeader(dst []byte, n uint32, number, version uint64) []byte {
	return appendInts(append(dst, `["accepted"`...), uint64(n), number, version)
}

// Append implements [Message].
func (m Refused) Append(dst []byte) []byte {
	dst = appendInts(append(dst, `["refused"`...), uint64(m.N), m.Number, uint64(m.Code))
	return append(appendReason(append(dst, ','), m.Reason), ']')
}

// Append implements [Message]. An absent Set is written as an empty one.
func (m Catchup) Append(dst []byte) []byte {
	return AppendCatchup(dst, m, AppendCatchupContent(nil, m))
}

// AppendCatchupContent appends what a Catchup has in common with others between the same versions: its Set and Removed.
func AppendCatchupContent(dst []byte, m Catchup) []byte {
	return appendNames(append(appendValue(dst, m.Set, `{}`), ','), m.Removed)
}

// AppendCatchup appends m with content in the place of its Set and Removed, as AppendCatchupContent writes them. So a
// catch-up that was encoded once serves everybody who was away since the same version.
func AppendCatchup(dst []byte, m Catchup, content []byte) []byte {
	dst = appendInts(append(dst, `["catchup"`...), uint64(m.N), m.From, m.To)
	dst = append(append(dst, ','), content...)
	dst = append(appendInts(dst, m.Mark), ',')
	return append(appendVerdicts(dst, m.Verdicts), ']')
}

// Append implements [Message]. An absent Value is written as an empty object.
func (m Snapshot) Append(dst []byte) []byte {
	return AppendSnapshot(dst, m, appendValue(nil, m.Value, `{}`))
}

// AppendSnapshot appends m with the text of a value in the place of its Value. So a value that was encoded once serves
// everybody.
func AppendSnapshot(dst []byte, m Snapshot, value []byte) []byte {
	dst = appendInts(append(dst, `["snapshot"`...), uint64(m.N), m.Version)
	dst = append(append(dst, ','), value...)
	dst = append(appendInts(dst, m.Mark), ',')
	return append(appendVerdicts(dst, m.Verdicts), ']')
}

// Append implements [Message].
func (m Closed) Append(dst []byte) []byte {
	dst = appendInts(append(dst, `["closed"`...), uint64(m.N), uint64(m.Code))
	return append(appendReason(append(dst, ','), m.Reason), ']')
}

// Append implements [Message].
func (m Ping) Append(dst []byte) []byte { return append(dst, `["ping"]`...) }

// Append implements [Message].
func (m Bye) Append(dst []byte) []byte {
	dst = appendInts(append(dst, `["bye"`...), uint64(m.Code))
	dst = appendReason(append(dst, ','), m.Reason)
	return append(appendInts(dst, uint64(m.RetryAfter)), ']')
}

// appendInts appends each number behind a comma. It stands once in the browser's download, not at each caller.
//
//go:noinline
func appendInts(dst []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		dst = strconv.AppendUint(append(dst, ','), n, 10)
	}
	return dst
}

// appendText appends s as a JSON string in RFC 8785's form. Each byte that is not UTF-8 becomes U+FFFD, so that the text
// stays JSON.
func appendText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	return jsonscan.AppendQuoted(dst, s)
}

// appendReason appends s, cut at a character to at most ReasonBytes.
func appendReason(dst []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > ReasonBytes {
		end := ReasonBytes
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return appendText(dst, s)
}

func appendNames(dst []byte, names []string) []byte {
	dst = append(dst, '[')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, name)
	}
	return append(dst, ']')
}

// appendValue appends v, or what stands for an absent one.
func appendValue(dst []byte, v document.Value, absent string) []byte {
	if !v.Exists() {
		return append(dst, absent...)
	}
	return v.AppendJSON(dst)
}
