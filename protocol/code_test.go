package protocol

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// codeVector is a row of the code table, for other implementations.
type codeVector struct {
	Code     Code   `json:"code"`
	Name     string `json:"name"`
	Class    string `json:"class"`
	Sentence string `json:"sentence"`
}

func TestCodesAsGolden(t *testing.T) {
	var vectors []codeVector
	for _, row := range CodeTable {
		vectors = append(vectors, codeVector{row.Code, row.Name, row.Code.Class().String(), row.Sentence})
	}
	golden(t, "codes.json", vectors)
}

func TestCodeTableIsConsistent(t *testing.T) {
	names, last := map[string]bool{}, Code(0)
	form := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	for _, row := range CodeTable {
		if row.Code <= last {
			t.Errorf("%s: %d does not ascend", row.Name, row.Code)
		}
		last = row.Code
		if !form.MatchString(row.Name) || names[row.Name] {
			t.Errorf("%q is no name, or is there twice", row.Name)
		}
		names[row.Name] = true
		if row.Sentence == "" || !strings.HasSuffix(row.Sentence, ".") || strings.Contains(row.Sentence, "|") {
			t.Errorf("%s: %q is no sentence", row.Name, row.Sentence)
		}
		if code, ok := CodeByName(row.Name); !ok || code != row.Code || code.String() != row.Name || code.Sentence() != row.Sentence {
			t.Errorf("%s: found %d under its name, and %q", row.Name, code, code)
		}
	}
	if code, ok := CodeByName("nonsense"); ok {
		t.Errorf("got the code %d for nonsense, want none", code)
	}
}

func TestUnknownCodesHaveTheClassOfTheirRange(t *testing.T) {
	for code, want := range map[Code]Class{
		0: Reconnect, 1000: Reconnect, 1006: Reconnect, 1012: Reconnect, 1002: Reconnect,
		1003: GiveUp, 1007: GiveUp, 1008: GiveUp, 1009: GiveUp,
		3999: Reconnect, 4000: Reconnect, 4099: Reconnect, 4100: GiveUp, 4199: GiveUp, 4200: StateOver, 4299: StateOver,
		4300: ChangeRefused, 4399: ChangeRefused, 4400: RunAgain, 4499: RunAgain, 4500: Reconnect, 65535: Reconnect,
	} {
		if got := code.Class(); got != want {
			t.Errorf("%d: got %v, want %v", code, got, want)
		}
	}
	if got := Code(4999).String(); got != "code 4999" {
		t.Errorf("got %q, want %q", got, "code 4999")
	}
	if got := Class(0).String() + ", " + Class(6).String(); got != "no class, no class" {
		t.Errorf("got %q", got)
	}
}

func TestDocumentsCodesHaveTheSameName(t *testing.T) {
	for _, code := range []document.Code{
		document.CodeInvalidJSON, document.CodeInvalidUnicode, document.CodeDuplicateKey, document.CodeReservedKey,
		document.CodeNumberOutOfRange, document.CodeTooDeep, document.CodeKeyTooLong, document.CodeTooLarge,
		document.CodeStateTooLarge, document.CodeInvalidPatch, document.CodePathNotFound, document.CodePatchFailed,
		document.CodeTestFailed, document.CodeConflict,
	} {
		if got := CodeOf(code).String(); got != string(code) {
			t.Errorf("got %q, want %q", got, code)
		}
	}
	if got := CodeOf("nonsense"); got != CodePatchFailed {
		t.Errorf("got %v, want %v", got, CodePatchFailed)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{&Error{CodeStale, "count was changed by bob"}, "stale: count was changed by bob"},
		{&Error{Code: CodeClosed}, "closed: The client was closed or left the state before the change was answered."},
		{&Error{Code: 4321}, "code 4321"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	var err error = &Error{CodeConflict, "gone"}
	if !errors.Is(err, &Error{Code: CodeConflict}) || errors.Is(err, &Error{Code: CodeStale}) || errors.Is(err, strconv.ErrRange) {
		t.Error("errors.Is does not go by the code alone")
	}
}
