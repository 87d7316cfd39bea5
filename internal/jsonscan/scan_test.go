package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/server-state-sync/server-state-sync/internal/jsonscan"
)

// texts are where fuzzing and damaging start.
var texts = []string{
	``, ` `, `null`, `tru`, `falsey`, ` [ ] `, `[1,2`, `[1 2]`, `[1,]`, `[,]`, `{}`, `{"a":1,}`, `{"a" 1}`, `{1:2}`, `{"a":{"b":[{}]}}`,
	`-`, `-0`, `01`, `1.`, `1.5e`, `1E+07`, `-1.25e-3`, `+1`, `.5`, `"`, `"\`, `"\u12`, `"\u00e9\n\/\ud83d\ude00"`, `"\ud800"`,
	`"\ude00\ud83d"`, `"\ud83d\ud83d\ude00"`, `"\ud83dx"`, `"\x"`, `"\u00g0"`, "\"\n\"", "\"\x7f\u2028\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\ufeff{}", `[1]x`, `[1][2]`,
	strings.Repeat("[", 40) + strings.Repeat("]", 40), strings.Repeat(`{"a":[`, 20) + strings.Repeat("]}", 20),
}

func FuzzScan(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(agree)
}

func TestScanOfDamagedText(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	const bytes = "\"\\{}[],:0123456789eE+-.untrfalsbd/ \n\x00\xff\x10"
	for range 100_000 {
		text := []byte(texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))])
		for range 1 + r.IntN(3) {
			if len(text) > 0 {
				text[r.IntN(len(text))] = bytes[r.IntN(len(bytes))]
			}
		}
		agree(t, text)
	}
}

// agree holds that encoding/json and jsontext find the same: where the first value ends or the text stops being JSON,
// whether that is all, and what a string says.
func agree(t *testing.T, text []byte) {
	start := jsonscan.Space(text, 0)
	end, err := jsonscan.End(text, start, 10_000)
	valid := err == nil && jsonscan.Space(text, end) == len(text)
	if valid != json.Valid(text) {
		t.Fatalf("%q: got %t, %v, and encoding/json says otherwise", text, valid, err)
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	want, refused := d.ReadValue()
	if (err != nil) != (refused != nil) {
		t.Fatalf("%q: got %v, and jsontext says %v", text, err, refused)
	}
	if err != nil {
		if err.At < start || err.At > len(text) {
			t.Fatalf("%q: got an error at %d", text, err.At)
		}
		return
	}
	got := jsonscan.Value(text[start:end])
	if !bytes.Equal(got, want) || got.Kind() != byte(want.Kind()) {
		t.Fatalf("%q: got %q of kind %c, want %q", text, got, got.Kind(), want)
	}
	if got.Kind() != '"' {
		return
	}
	said, ok := jsonscan.Unquote(got)
	wantSaid, lone := jsontext.AppendUnquote(nil, want)
	if ok != (lone == nil) || ok && !bytes.Equal(said, wantSaid) {
		t.Fatalf("%q: got %q, %t, want %q, %v", text, said, ok, wantSaid, lone)
	}
	if !ok {
		return
	}
	wantQuoted, _ := jsontext.AppendQuote(nil, said)
	if quoted := jsonscan.AppendQuoted(nil, string(said)); !bytes.Equal(quoted, wantQuoted) {
		t.Fatalf("%q: got %s, want %s", text, quoted, wantQuoted)
	}
}

func TestLevels(t *testing.T) {
	for _, text := range []string{`[[[]]]`, `{"a":{"a":{}}}`, `[0,[{"a":[]}]]`} {
		levels := 3 + strings.Count(text, "0") // the last one has four
		if _, err := jsonscan.End([]byte(text), 0, levels); err != nil {
			t.Errorf("%s: got %v with %d levels", text, err, levels)
		}
		if _, err := jsonscan.End([]byte(text), 0, levels-1); err == nil || !strings.HasPrefix(err.Reason, "there are more than") {
			t.Errorf("%s: got %v with %d levels", text, err, levels-1)
		}
	}
}

// TestScannerReadsAsJsontext walks texts at random, into arrays or past them, with both.
func TestScannerReadsAsJsontext(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"[", "[", "]", "]", ",", ",", " ", `"a"`, "1", "null", `{"b":[1]}`, "[2]", "x"}
	var s jsonscan.Scanner
	for range 100_000 {
		text := "["
		for range r.IntN(12) {
			text += parts[r.IntN(len(parts))]
		}
		s.Reset([]byte(text), 10_000)
		walk(t, r, text, &s)
	}
}

func walk(t *testing.T, r *rand.Rand, text string, s *jsonscan.Scanner) {
	t.Helper()
	d := jsontext.NewDecoder(strings.NewReader(text))
	for first := true; first || s.Depth() > 0; first = false {
		kind := d.PeekKind()
		if s.Depth() != d.StackDepth() || kind > 0 && s.Kind() != byte(kind) {
			t.Fatalf("%q at byte %d: got depth %d and kind %q, want %d and %q", text, s.At(), s.Depth(), s.Kind(), d.StackDepth(), byte(kind))
		}
		var err *jsonscan.Error
		var refused error
		if kind == ']' || kind == '[' && (first || r.IntN(2) > 0) {
			err = s.Bracket()
			_, refused = d.ReadToken()
		} else {
			var got jsonscan.Value
			var want jsontext.Value
			got, err = s.Value()
			if want, refused = d.ReadValue(); err == nil && !bytes.Equal(got, want) {
				t.Fatalf("%q: got %q, want %q, %v", text, got, want, refused)
			}
		}
		if (err != nil) != (refused != nil) {
			t.Fatalf("%q at byte %d: got %v, want %v", text, s.At(), err, refused)
		}
		if err != nil {
			return
		}
	}
	if _, err := d.ReadToken(); s.Ended() != (err == io.EOF) {
		t.Fatalf("%q: got %t at the end, want %v", text, s.Ended(), err)
	}
}
