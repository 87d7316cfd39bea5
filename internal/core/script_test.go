package core

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// A script drives a core with one state, "abc", line by line:
//
//	start, connected, tick T, lost CODE [REASON], online, close, join ID, leave ID
//	merge {..}   patch [..]   basis   transaction [names]|all {..}    submit to the state
//	fails TEXT                     the line before was refused with this error
//	< MESSAGE                      from the server; lines that follow each other are one frame, -- separates frames
//	> MESSAGE                      exactly these messages are sent now; "> nothing"
//	! EFFECT                       exactly these effects came since the last "!"; "! ..." drops them
//	view {..}   confirmed {..}   version N   wake N   phase NAME   hidden N
type script struct {
	t     *testing.T
	core  *Core
	now   Time
	state *State
	basis Basis
	err   error
	line  int
}

func runScript(t *testing.T, config Config, text string) {
	t.Helper()
	s := &script{t: t, now: 1}
	config.Session, config.ClientIdentifier = "0123456789abcdef", "me"
	if config.Random == nil {
		config.Random = func() uint64 { return 1<<63 - 1 }
	}
	var err error
	if s.core, err = New(config); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := 0; i < len(lines); {
		s.line = i + 1
		verb, rest, _ := strings.Cut(strings.TrimSpace(lines[i]), " ")
		block := []string{rest}
		for i++; i < len(lines) && strings.Contains("<>!", verb); i++ {
			next, more, _ := strings.Cut(strings.TrimSpace(lines[i]), " ")
			if next != verb {
				break
			}
			block = append(block, more)
		}
		s.do(verb, block)
		if s.state != nil && s.state.Phase() != StateClosed {
			checkState(s.state)
		}
	}
}

func (s *script) do(verb string, block []string) {
	s.t.Helper()
	rest := block[0]
	switch verb {
	case "", "--", "#":
	case "<":
		s.core.Received(s.now, []byte(strings.Join(block, "\n")))
	case ">":
		s.expectOutput(block)
	case "!":
		s.expectEffects(block)
	case "fails":
		s.equal("error", fmt.Sprint(s.err), rest)
		s.err = nil
	default:
		if s.err != nil {
			s.t.Fatalf("line %d: unexpected error: %v", s.line, s.err)
		}
		if !s.event(verb, rest) && !s.submit(verb, rest) && !s.inspect(verb, rest) {
			s.t.Fatalf("line %d: what is %q?", s.line, verb)
		}
	}
}

func (s *script) event(verb, rest string) bool {
	switch verb {
	case "start":
		s.core.Start(s.now)
	case "connected":
		s.core.Connected(s.now)
	case "tick":
		s.now, _ = strconv.ParseInt(rest, 10, 64)
		s.core.Tick(s.now)
	case "lost":
		code, reason, _ := strings.Cut(rest, " ")
		n, _ := strconv.Atoi(code)
		s.core.Lost(s.now, Loss{Code: n, Reason: reason})
	case "online":
		s.core.Online(s.now)
	case "close":
		s.core.Close(s.now)
	case "join":
		s.state = s.core.Join(rest)
	case "leave":
		s.state.Leave()
	default:
		return false
	}
	return true
}

func (s *script) submit(verb, rest string) bool {
	var change Change
	switch verb {
	case "merge":
		change = Merge{Updates: s.parse(rest)}
	case "patch":
		ops, err := document.ParsePatch([]byte(rest), document.DefaultLimits)
		if err != nil {
			s.t.Fatalf("line %d: %v", s.line, err)
		}
		change = Patch{Ops: ops}
	case "transaction":
		reads, updates, _ := strings.Cut(rest, " ")
		t := Transaction{Updates: s.parse(updates), Basis: s.basis}
		if reads != "all" {
			t.Reads = strings.FieldsFunc(strings.Trim(reads, "[]"), func(r rune) bool { return r == ',' })
			if t.Reads == nil {
				t.Reads = []string{}
			}
		}
		change = t
	case "basis":
		s.basis = s.state.Basis()
		return true
	default:
		return false
	}
	_, s.err = s.state.Submit(s.now, change)
	return true
}

func (s *script) inspect(verb, want string) bool {
	s.t.Helper()
	got := ""
	switch verb {
	case "view":
		got = s.state.View().String()
	case "confirmed":
		got = s.state.Confirmed().String()
	case "version":
		got = strconv.FormatUint(s.state.Version(), 10)
	case "wake":
		got = strconv.FormatInt(s.core.NextWake(), 10)
	case "phase":
		got = s.core.Status().Phase.String() + " " + s.state.Phase().String()
	case "hidden":
		hidden := 0
		for _, p := range s.state.pending {
			if p.hidden {
				hidden++
			}
		}
		got = strconv.Itoa(hidden)
	default:
		return false
	}
	s.equal(verb, got, want)
	return true
}

func (s *script) parse(text string) document.Value {
	v, err := document.Parse([]byte(text), document.DefaultLimits)
	if err != nil {
		s.t.Fatalf("line %d: %v", s.line, err)
	}
	return v
}

func (s *script) expectOutput(want []string) {
	s.t.Helper()
	var got []string
	for {
		frame := s.core.Output(s.now, nil, 1<<20)
		if len(frame) == 0 {
			break
		}
		got = append(got, strings.Split(string(frame), "\n")...)
	}
	if want[0] == "nothing" {
		want = nil
	}
	s.equal("output", strings.Join(got, "\n"), strings.Join(want, "\n"))
}

func (s *script) expectEffects(want []string) {
	s.t.Helper()
	var got []string
	for _, e := range s.core.Effects() {
		got = append(got, effectText(e))
	}
	if !slices.Equal(want, []string{"..."}) {
		s.equal("effects", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (s *script) equal(what, got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Fatalf("line %d: %s\ngot  %s\nwant %s", s.line, what, got, want)
	}
}

func effectText(effect Effect) string {
	switch e := effect.(type) {
	case Dial:
		return fmt.Sprintf("dial %d", e.Attempt)
	case Disconnect:
		return strings.TrimSpace(fmt.Sprintf("disconnect %d %s", e.Code, e.Reason))
	case Settled:
		return fmt.Sprintf("settled %d %s", e.Ticket, verdictText(e.Verdict))
	case Changed:
		u := e.Update
		text := fmt.Sprintf("changed %s %d-%d %s was %s", u.Origin, u.From, u.To, u.Updates(), u.Previous())
		if len(u.Removed()) > 0 {
			text += " removed " + strings.Join(u.Removed(), ",")
		}
		return text
	case Joined:
		if e.Resumed {
			return "joined resumed"
		}
		return "joined fresh"
	case Closed:
		return fmt.Sprintf("closed %s: %s", e.Code, e.Reason)
	case StatusChanged:
		return "status"
	case Problem:
		if e.Terminal {
			return "terminal " + e.Error.Error()
		}
		return "problem " + e.Error.Error()
	}
	return "unknown"
}

func verdictText(v Verdict) string {
	sent := "unsent"
	if v.Sent {
		sent = "sent"
	}
	if v.Accepted() {
		return fmt.Sprintf("accepted %d", v.Version)
	}
	return fmt.Sprintf("%s %s: %s", sent, v.Code, v.Reason)
}

// opening connects and joins the state abc at version 1.
const opening = `
	join abc
	start
	connected
	> ["hello","0123456789abcdef","me",{"connection":1}]
	> ["join",1,"abc"]
	< ["welcome","s1",{"heartbeat":15000,"window":3,"windowBytes":1000,"maxMessage":4000}]
	< ["joined",1,"e",1,0,[],{"count":0,"list":["a","b"]}]
	! ...
`

var scriptGroups = []map[string]string{
	connectionScripts, changeScripts, carryScripts, resumeScripts, jumpScripts, endScripts,
}

func TestScripts(t *testing.T) {
	for _, group := range scriptGroups {
		for name, text := range group {
			t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { runScript(t, Config{}, text) })
		}
	}
}
