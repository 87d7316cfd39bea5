//go:build !js

package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scenario is one case of testdata/corpus.json: what one client does to a state that is base at first, and the canonical
// text of the state in the end. Texts may say «x*3» for xxx. A step that is to be refused says with which code.
type scenario struct {
	Name    string   `json:"name"`
	Base    string   `json:"base"` // empty: {}
	Steps   []step   `json:"steps"`
	State   string   `json:"state"`
	Writers []string `json:"writers"` // none: all
}

// step is one change. Do is merge, transaction or patch with Text as its JSON; append or increment with the JSON of what
// is added at the place At, or remove there; ops with operations as they are on the wire; js with a JavaScript expression
// that is given to updateState.
type step struct {
	Do      string `json:"do"`
	At      string `json:"at,omitempty"`
	Text    string `json:"text,omitempty"`
	Refused string `json:"refused,omitempty"`
	Raw     bool   `json:"raw,omitempty"` // the writer sends the text as it is
}

// writers are those who make the changes of a case: the three clients, and the reference without any check of its own.
var writers = []string{"native", "wasm", "reference", "raw"}

var repetition = regexp.MustCompile(`«([^»]*)\*(\d+)»`)

func expanded(text string) string {
	return repetition.ReplaceAllStringFunc(text, func(found string) string {
		part := repetition.FindStringSubmatch(found)
		times, _ := strconv.Atoi(part[2])
		return strings.Repeat(part[1], times)
	})
}

func corpus(t *testing.T) []scenario {
	t.Helper()
	text, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []scenario
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		if names[c.Name] || len(c.Steps) == 0 {
			t.Fatalf("there are two cases %q, or it has no steps", c.Name)
		}
		names[c.Name] = true
		if c.Base == "" {
			c.Base = "{}"
		}
		if len(c.Writers) == 0 {
			c.Writers = writers
		}
		c.Base, c.State = expanded(c.Base), expanded(c.State)
		for j := range c.Steps {
			s := &c.Steps[j]
			s.At, s.Text = expanded(s.At), expanded(s.Text)
			checkWriters(t, *c, *s)
		}
	}
	return cases
}

// checkWriters holds that a case is left out for a writer only where that writer cannot say it.
func checkWriters(t *testing.T, c scenario, s step) {
	t.Helper()
	for _, w := range c.Writers {
		if !slices.Contains(writers, w) || s.Do == "js" && w != "wasm" || s.Do == "ops" && w != "raw" {
			t.Fatalf("%s: the writer %s does not do %s", c.Name, w, s.Do)
		}
	}
}

// fence is the key that the test adds to a state when all changes were made: it is sorted behind all others.
const fence = "\uffff"

// fenced returns the canonical text of an object with the fence.
func fenced(object string) string {
	if object == "{}" {
		return `{"` + fence + `":1}`
	}
	return strings.TrimSuffix(object, "}") + `,"` + fence + `":1}`
}
