package protocol

import (
	"bytes"
	"strconv"

	"github.com/server-state-sync/server-state-sync/document"
)

// DecodeClient reads a frame that a client sent and calls yield for each message, in order, as soon as it is read. Zero
// limits mean DefaultBytes, DefaultOperations, DefaultDepth and DefaultKeyBytes. It returns yield's error as it is, and
// an *Error when the connection must end: CodeMessageTooLarge before anything is read, or CodeBadMessage. What the
// messages hold does not refer to frame.
func DecodeClient(frame []byte, limits Limits, yield func(ClientMessage) error) error {
	return decode(frame, limits.fill(defaultClientLimits()), "a client", clientDecoders[:], yield)
}

// DecodeServer reads a frame that a server sent, as DecodeClient does. Zero limits mean ServerBytes, ServerOperations,
// ServerDepth and ServerKeyBytes. A server's message has no fault of its own: whatever is wrong is CodeBadMessage.
func DecodeServer(frame []byte, limits Limits, yield func(ServerMessage) error) error {
	return decode(frame, limits.fill(defaultServerLimits()), "a server", serverDecoders[:], yield)
}

// decode splits the frame at its newlines, which valid JSON text has nowhere but between tokens; here they end a
// message.
func decode[M Message](frame []byte, limits Limits, sender string, decoders []func(*reader) M, yield func(M) error) error {
	if len(frame) > limits.Bytes {
		return &Error{CodeMessageTooLarge, "the frame has " + strconv.Itoa(len(frame)) + " bytes, and " +
			strconv.Itoa(limits.Bytes) + " are allowed"}
	}
	r := &reader{limits: limits}
	for more := true; more; {
		line := frame
		end := bytes.IndexByte(frame, '\n')
		if more = end >= 0; more {
			line, frame = frame[:end:end], frame[end+1:]
		}
		message, err := decodeMessage(r, line, sender, decoders)
		if err != nil {
			return err
		}
		if err := yield(message); err != nil {
			return err
		}
	}
	return nil
}

// decodeMessage reads the message that is the whole of line.
func decodeMessage[M Message](r *reader, line []byte, sender string, decoders []func(*reader) M) (message M, err error) {
	r.reset(line)
	t := r.tag()
	if r.err == nil && (int(t) >= len(decoders) || decoders[t] == nil) {
		r.bad(sender + " does not send this message")
	}
	if r.err == nil {
		message = decoders[t](r)
		r.end()
	}
	if r.err != nil {
		return message, r.err
	}
	return message, nil
}

func readHello(r *reader) ClientMessage {
	m := Hello{Session: r.session(), ClientIdentifier: r.clientIdentifier()}
	extensions := r.mustObject()
	m.Connection, m.Epoch = r.count(extensions, "connection"), r.epochIn(extensions, "epoch")
	return m
}

func readJoin(r *reader) ClientMessage {
	m := Join{N: r.state()}
	m.Identifier, m.Fault = r.identifier()
	if r.more() {
		m.Epoch, m.Version, m.Answered = r.epoch(), r.version(), r.version()
	}
	return m
}

func readLeave(r *reader) ClientMessage { return Leave{N: r.state()} }

func readChange(r *reader) Change {
	return Change{N: r.state(), Number: r.number(), Base: r.version(), Size: len(r.line)}
}

func readMerge(r *reader) ClientMessage {
	m := Merge{Change: readChange(r)}
	m.Updates, m.Fault = r.object()
	return m
}

func readPatch(r *reader) ClientMessage {
	m := Patch{Change: readChange(r)}
	m.Ops, m.Fault = r.ops()
	return m
}

func readTransaction(r *reader) ClientMessage {
	m := Transaction{Change: readChange(r)}
	var fault *Error
	m.Updates, m.Fault = r.object()
	if m.Reads, m.ReadAll, fault = r.reads(); m.Fault == nil {
		m.Fault = fault
	}
	m.Answered = r.version()
	return m
}

func readPong(*reader) ClientMessage { return Pong{} }

func readWelcome(r *reader) ServerMessage {
	m := Welcome{Epoch: r.epoch()}
	settings := r.mustObject()
	m.Heartbeat = r.setting(settings, "heartbeat")
	m.Window = r.setting(settings, "window")
	m.WindowBytes = r.setting(settings, "windowBytes")
	m.MaxMessage = r.setting(settings, "maxMessage")
	return m
}

func readJoined(r *reader) ServerMessage {
	m := Joined{N: r.state(), Epoch: r.epoch(), Version: r.version(), Mark: r.version()}
	if r.more() && r.json.Kind() != '"' {
		m.Verdicts, m.Value = r.verdicts(m.Mark), r.mustObject()
	}
	if r.more() {
		m.Durability = r.durability()
	}
	return m
}

func readEntries(r *reader) ServerMessage {
	m := Entries{N: r.state(), Version: r.acceptedVersion(), Ops: [][]document.Op{r.mustOps()}}
	for r.more() {
		m.Ops = append(grow(m.Ops), r.mustOps())
	}
	return m
}

func readAccepted(r *reader) ServerMessage {
	m := Accepted{N: r.state(), Number: r.number(), Version: r.acceptedVersion()}
	if r.more() {
		m.Ops = r.mustOps()
	}
	return m
}

func readRefused(r *reader) ServerMessage {
	return Refused{N: r.state(), Number: r.number(), Code: r.code(), Reason: r.reason()}
}

func readCatchup(r *reader) ServerMessage {
	m := Catchup{N: r.state(), From: r.version()}
	m.To = r.integer(m.From, MaxInteger)
	m.Set, m.Removed, m.Mark = r.mustObject(), r.mustNames(), r.version()
	m.Verdicts = r.verdicts(m.Mark)
	return m
}

func readSnapshot(r *reader) ServerMessage {
	m := Snapshot{N: r.state(), Version: r.version(), Value: r.mustObject(), Mark: r.version()}
	m.Verdicts = r.verdicts(m.Mark)
	return m
}

func readClosed(r *reader) ServerMessage {
	return Closed{N: r.state(), Code: r.code(), Reason: r.reason()}
}

func readPing(*reader) ServerMessage { return Ping{} }

func readBye(r *reader) ServerMessage {
	return Bye{Code: r.code(), Reason: r.reason(), RetryAfter: uint32(r.integer(0, 1<<32-1))}
}
