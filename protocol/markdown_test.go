package protocol

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// markdown is the document whose generated parts are compared with the code.
const markdown = "../PROTOCOL.md"

func TestProtocolMarkdownIsAsTheCode(t *testing.T) {
	text, err := os.ReadFile(markdown)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, part := range map[string]string{
		"messages": messagesMarkdown(), "limits": limitsMarkdown(), "codes": codesMarkdown(), "exchange": exchangeMarkdown(t),
	} {
		begin, end := "<!-- generated "+name+" -->\n", "<!-- end -->"
		before, rest, found := strings.Cut(want, begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("%s has no part between %q and %q", markdown, begin, end)
		}
		want = before + begin + part + end + after
	}
	goldenFile(t, markdown, []byte(want))
}

func messagesMarkdown() string {
	text := "| message | from | fields after the tag |\n|---|---|---|\n"
	for i := range kinds {
		k, from := &kinds[i], "client"
		if tag(i) >= tagWelcome {
			from = "server"
		}
		var forms []string
		for _, f := range k.forms {
			forms = append(forms, "`"+strings.Join(f, "`, `")+"`")
		}
		fields := strings.Join(forms, "; or ")
		switch {
		case len(k.elements()) == 0:
			fields = "none"
		case k.more:
			fields += ", and more of them"
		}
		text += "| `" + k.name + "` | " + from + " | " + fields + " |\n"
	}
	return text
}

func codesMarkdown() string {
	text := "| code | name | class | meaning, and what to do |\n|---|---|---|---|\n"
	for _, row := range CodeTable {
		text += "| " + strconv.Itoa(int(row.Code)) + " | `" + row.Name + "` | " + row.Code.Class().String() + " | " + row.Sentence + " |\n"
	}
	return text
}

func limitsMarkdown() string {
	text := "| limit | default | beyond it |\n|---|---|---|\n"
	for _, row := range []struct {
		what   string
		value  int
		unit   string
		beyond string
	}{
		{"frame from a client, and each value in it", DefaultBytes, "bytes", "`message_too_large` for the frame, `too_large` for a value's canonical text"},
		{"operations of a change", DefaultOperations, "", "`too_many_operations`"},
		{"levels of a value, tokens of a path", DefaultDepth, "", "`too_deep`"},
		{"key, name in a path or in `reads`", DefaultKeyBytes, "bytes", "`key_too_long`"},
		{"`heartbeat`", DefaultHeartbeat, "ms", "twice: `heartbeat_timeout`"},
		{"`window`", DefaultWindow, "changes to a state", "`window_exceeded`"},
		{"`windowBytes`", DefaultWindowBytes, "bytes", "`window_exceeded`"},
		{"levels of a message", MaxNesting, "", "`bad_message`; fixed"},
		{"identifier, clientIdentifier", IdentifierBytes, "bytes", "`identifier_invalid`, `bad_message`; fixed"},
		{"session", MaxSession, "characters", "`bad_message`; fixed, and at least " + strconv.Itoa(MinSession)},
		{"epoch", MaxEpoch, "characters", "`bad_message`; fixed"},
		{"reason", ReasonBytes, "bytes", "cut by the sender, `bad_message`; fixed"},
		{"frame from a server", ServerBytes, "bytes", "the client gives up"},
		{"levels of a value from a server", ServerDepth, "", "the client gives up"},
		{"key from a server", ServerKeyBytes, "bytes", "the client gives up"},
	} {
		text += "| " + row.what + " | " + strings.TrimSpace(thousands(row.value)+" "+row.unit) + " | " + row.beyond + " |\n"
	}
	return text
}

// thousands writes 1048576 as 1,048,576.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func exchangeMarkdown(t *testing.T) string {
	var text strings.Builder
	for _, v := range exchangeVectors(t) {
		if v.Note != "" {
			text.WriteString(v.Note + "\n\n")
		}
		if v.Frame == "" {
			continue
		}
		sign := "> "
		if v.From == "server" {
			sign = "< "
		}
		for line := range strings.SplitSeq(v.Frame, "\n") {
			text.WriteString("    " + sign + line + "\n")
			sign = "  "
		}
		text.WriteString("\n")
	}
	return "\n" + text.String()
}
