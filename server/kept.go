package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/server-state-sync/server-state-sync/document"
	"github.com/server-state-sync/server-state-sync/protocol"
	"github.com/server-state-sync/server-state-sync/stores"
)

// What a store is given, and keeps as bytes: all of it is JSON text. Ids of sessions are secrets of their clients: who
// reads them in a store and is authorized as the same client can take the sessions over while they last.

// header is what is known of a state without its value.
type header struct {
	Identifier string    `json:"identifier"`
	Epoch      string    `json:"epoch"`
	Lineage    string    `json:"lineage"` // the store's, when the epoch began
	CreatedAt  time.Time `json:"createdAt"`
	Visited    bool      `json:"visited"`
	Window     int       `json:"window"` // the largest that the verdicts in the records were kept for
}

// text writes the time of creation in UTC: RFC 3339 has no seconds in an offset.
func (h header) text() []byte {
	h.CreatedAt = h.CreatedAt.UTC()
	return mustEncode(h)
}

func parseHeader(identifier string, text []byte) (h header, err error) {
	if err := json.Unmarshal(text, &h); err != nil {
		return h, damaged(identifier, fmt.Errorf("read its header: %w", err))
	}
	if h.Identifier != identifier || h.Epoch == "" {
		return h, damaged(identifier, errors.New("its header is that of another state"))
	}
	return h, nil
}

// damaged returns the error for what was kept and does not make sense.
func damaged(identifier string, cause error) error {
	return fmt.Errorf("state %q: %w: %w", identifier, stores.ErrCorrupt, cause)
}

// keptSession is what is kept of a session besides its id. An owner that is no UTF-8 cannot be a text of JSON.
type keptSession struct {
	Epoch            string `json:"epoch"`
	ClientIdentifier string `json:"clientIdentifier"`
	Owner            string `json:"owner,omitempty"`
	OwnerBytes       []byte `json:"ownerBytes,omitempty"`
}

func sessionText(s *session) []byte {
	k := keptSession{Epoch: s.epoch, ClientIdentifier: s.clientIdentifier}
	if utf8.ValidString(s.owner) {
		k.Owner = s.owner
	} else {
		k.OwnerBytes = []byte(s.owner)
	}
	return mustEncode(k)
}

func parseSession(text []byte) (k keptSession, err error) {
	if err = json.Unmarshal(text, &k); len(k.OwnerBytes) > 0 {
		k.Owner = string(k.OwnerBytes)
	}
	return k, err
}

// keptRefusal is a refusal as it is kept.
type keptRefusal struct {
	Number   uint64        `json:"number"`
	Position uint64        `json:"position"`
	Code     protocol.Code `json:"code"`
	Reason   string        `json:"reason"`
}

// keptRecord is what a checkpoint has of a session.
type keptRecord struct {
	Session  string        `json:"session"`
	Epoch    string        `json:"epoch"`
	Decided  uint64        `json:"decided"`
	Verdicts []uint64      `json:"verdicts"` // of the last numbers up to Decided: the version, or 0 for a refused one
	Refusals []keptRefusal `json:"refusals,omitempty"`
}

// checkpointText returns the text of a checkpoint: [value, records].
func checkpointText(value document.Value, records []keptRecord) []byte {
	text := append(make([]byte, 0, value.Size()+64*(len(records)+1)), '[')
	text = append(value.AppendJSON(text), ',')
	if records == nil {
		records = []keptRecord{}
	}
	return append(append(text, mustEncode(records)...), ']')
}

func parseCheckpoint(text []byte) (value document.Value, records []keptRecord, err error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		return value, nil, fmt.Errorf("read its checkpoint: %w", err)
	}
	if len(parts) != 2 {
		return value, nil, fmt.Errorf("read its checkpoint: it has %d parts", len(parts))
	}
	if value, err = document.Parse(parts[0], keptLimits); err != nil {
		return value, nil, fmt.Errorf("read its value: %w", err)
	}
	if value.Kind() != document.Object {
		return value, nil, fmt.Errorf("read its value: it is %s", value.Kind())
	}
	if err := json.Unmarshal(parts[1], &records); err != nil {
		return value, nil, fmt.Errorf("read its sessions: %w", err)
	}
	return value, records, nil
}

// keptLimits lets every value through that was a state.
var keptLimits = document.Limits{Bytes: document.MaxBytes, Depth: document.MaxDepth, KeyBytes: document.MaxBytes}

// keptChange is the record of an accepted change: [session, number, operations], with an empty session and number 0 for
// a change by the program. Two elements more are there unless the session's accepted change before was number-1: the
// number of that change, and the refusals since; those that are not listed are state_busy. Previous 0 begins what is
// known of the session in this state, and its epoch follows. A previous that is the number itself says that the session
// had left the state before the change was judged.
type keptChange struct {
	session  string
	number   uint64
	text     []byte // the operations
	ops      []document.Op
	previous uint64
	refusals []keptRefusal
	epoch    string
}

// appendTo appends the text of the record; text has the operations.
func (k *keptChange) appendTo(dst []byte) []byte {
	dst = append(dst, `["`...)
	dst = append(dst, k.session...) // it has no character that JSON would escape
	dst = append(dst, `",`...)
	dst = strconv.AppendUint(dst, k.number, 10)
	dst = append(append(dst, ','), k.text...)
	if k.session != "" && (k.previous+1 != k.number || k.epoch != "") {
		dst = strconv.AppendUint(append(dst, ','), k.previous, 10)
		if k.refusals == nil {
			dst = append(dst, ",[]"...)
		} else {
			dst = append(append(dst, ','), mustEncode(k.refusals)...)
		}
		if k.epoch != "" {
			dst = append(dst, `,"`...)
			dst = append(dst, k.epoch...)
			dst = append(dst, '"')
		}
	}
	return append(dst, ']')
}

func parseChange(text []byte) (k keptChange, err error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		return k, fmt.Errorf("read a record: %w", err)
	}
	if n := len(parts); n != 3 && n != 5 && n != 6 {
		return k, fmt.Errorf("read a record: it has %d parts", n)
	}
	k.text = parts[2]
	into := []any{&k.session, &k.number, nil, &k.previous, &k.refusals, &k.epoch}
	for i, part := range parts {
		if into[i] == nil {
			continue
		}
		if err := json.Unmarshal(part, into[i]); err != nil {
			return k, fmt.Errorf("read part %d of a record: %w", i, err)
		}
	}
	if len(parts) == 3 && k.number > 0 {
		k.previous = k.number - 1
	}
	if k.ops, err = protocol.DecodeOps(parts[2], ownLimits); err != nil {
		return k, fmt.Errorf("read the operations of a record: %w", err)
	}
	return k, nil
}

// replay hands over each record that is kept, with the value after it; none for those up to the checkpoint's version.
func replay(kept *stores.Kept, value document.Value, each func(version uint64, k *keptChange, before, after document.Value)) (document.Value, error) {
	if kept.First > kept.Version+1 || kept.Last() < kept.Version {
		return value, fmt.Errorf("its records from %d to %d do not fit its checkpoint at %d", kept.First, kept.Last(), kept.Version)
	}
	for i, text := range kept.Records {
		version := kept.First + uint64(i)
		k, err := parseChange(text)
		if err != nil {
			return value, fmt.Errorf("version %d: %w", version, err)
		}
		var before, after document.Value
		if version > kept.Version {
			before = value
			if value, err = document.Replay(value, k.ops); err != nil {
				return value, fmt.Errorf("version %d: apply it: %w", version, err)
			}
			if value.Kind() != document.Object {
				return value, fmt.Errorf("version %d: it makes %s of the state", version, value.Kind())
			}
			after = value
		}
		if each != nil {
			each(version, &k, before, after)
		}
	}
	return value, nil
}

// mustEncode encodes what cannot fail: structs of texts and numbers.
func mustEncode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
