package document

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"scalars", ` [null, true ,false,"",0,1] `, `[null,true,false,"",0,1]`},
		{"empty containers", "{ \"a\" :\t[ ] ,\r\n\"b\":{ }}", `{"a":[],"b":{}}`},
		{"canonical text", `{"a":[1,-2.5e-7,"\n\u0001\"é"],"b":{}}`, `{"a":[1,-2.5e-7,"\n\u0001\"é"],"b":{}}`},
		{"keys in order", `{"b":1,"a":{"d":2,"c":3}}`, `{"a":{"c":3,"d":2},"b":1}`},
		{"keys by UTF-16", `{"ﬃ":1,"😀":2,"é":3}`, `{"é":3,"😀":2,"ﬃ":1}`},
		{"sample of RFC 8785", `{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
			`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
				`"string":"€$\u000f\nA'B\"\\\\\"/"}`},
		{"negative zero", `[-0,-0.0,-0e9,0.0,-1e-400]`, `[0,0,0,0,0]`},
		{"largest integers", `[9007199254740991,-9007199254740991,9.007199254740991e15]`,
			`[9007199254740991,-9007199254740991,9007199254740991]`},
		{"large doubles", `[1e21,1.7976931348623157e308,-1e300]`, `[1e+21,1.7976931348623157e+308,-1e+300]`},
		{"surrogate pair", `"\ud83d\ude00"`, `"😀"`},
		{"escaped keys", `{"\u0062":1,"\u0061":2}`, `{"a":2,"b":1}`},
		{"key that begins like the reserved one", `{"__proto":1,"__proto___":2}`, `{"__proto":1,"__proto___":2}`},
		{"deepest", strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 64) + strings.Repeat("]", 64)},
		{"replacement character", `"\ufffd"`, `"` + "\ufffd" + `"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.text), Limits{})
			if err != nil || got.String() != tt.want {
				t.Fatalf("got %s, %v, want %s", got, err, tt.want)
			}
			checkBookkeeping(t, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", ``, `invalid_json: the text ends too early`},
		{"white space", ` `, `invalid_json: the text ends too early`},
		{"open array", `[1,`, `invalid_json: the text ends too early (at /1)`},
		{"open string", `{"a":"b`, `invalid_json: the text ends too early (at /a)`},
		{"open object", `{"a"`, `invalid_json: the text ends too early (at /a)`},
		{"comma at the end", `[1,]`, `invalid_json: invalid character ']' at start of value at byte 3 (at /1)`},
		{"missing comma", `[1 2]`, `invalid_json: invalid character '2' after array element (expecting ',' or ']') at byte 3 (at /1)`},
		{"missing colon", `{"a" 1}`, `invalid_json: invalid character '1' after object name (expecting ':') at byte 5 (at /a)`},
		{"key that is no string", `{1:2}`, `invalid_json: object member name must be a string at byte 1`},
		{"two values", `{} {}`, `invalid_json: there is more than one value`},
		{"rubbish after the value", `{}x`, `invalid_json: invalid character 'x' at start of value at byte 2`},
		{"single quotes", `'a'`, `invalid_json: invalid character '\'' at start of value at byte 0`},
		{"control character", "\"\n\"", `invalid_json: invalid character '\n' in string (expecting non-control character) at byte 1`},
		{"unknown escape", `"\x"`, "invalid_json: invalid escape sequence `\\x` in string at byte 1"},
		{"leading zero", `[01]`, `invalid_json: invalid character '1' after array element (expecting ',' or ']') at byte 2 (at /1)`},
		{"plus sign", `+1`, `invalid_json: invalid character '+' at start of value at byte 0`},
		{"word", `nul`, `invalid_json: the text ends too early`},
		{"not a number", `NaN`, `invalid_json: invalid character 'N' at start of value at byte 0`},
		{"byte order mark", "\ufeff{}", "invalid_json: invalid character '\\ufeff' at start of value at byte 0"},
		{"duplicate key", `{"a":{"b":1,"c":2,"b":3}}`, `duplicate_key: the key "b" is there twice (at /a)`},
		{"duplicate key, escaped", `{"a":1,"\u0061":2}`, `duplicate_key: the key "a" is there twice`},
		{"reserved key", `[{"__proto__":1}]`, `reserved_key: the key __proto__ is reserved (at /0)`},
		{"reserved key, escaped", `{"__pr\u006fto__":1}`, `reserved_key: the key __proto__ is reserved`},
		{"overflow", `{"a":1e400}`, `number_out_of_range: the number 1e400 is beyond what a double holds exactly (at /a)`},
		{"negative overflow", `-1e309`, `number_out_of_range: the number -1e309 is beyond what a double holds exactly`},
		{"large integer", `[9007199254740992]`, `number_out_of_range: the number 9007199254740992 is beyond what a double holds exactly (at /0)`},
		{"large integer with a fraction", `9007199254740993.0`, `number_out_of_range: the number 9007199254740993.0 is beyond what a double holds exactly`},
		{"large integer with an exponent", `1e20`, `number_out_of_range: the number 1e20 is beyond what a double holds exactly`},
		{"integer of many digits", `1` + strings.Repeat("0", 50), `number_out_of_range: the number 1` + strings.Repeat("0", 36) + `... is beyond what a double holds exactly`},
		{"lone high surrogate", `"\ud800"`, `invalid_unicode: a string has a lone surrogate`},
		{"lone low surrogate", `["\udc00x"]`, `invalid_unicode: a string has a lone surrogate (at /0)`},
		{"surrogates in the wrong order", `"\ude00\ud83d"`, `invalid_unicode: a string has a lone surrogate`},
		{"lone surrogate in a key", `{"\ud800":1}`, `invalid_unicode: a string has a lone surrogate`},
		{"invalid UTF-8", "\"a\xff\"", `invalid_unicode: invalid UTF-8 at byte 2`},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", `invalid_unicode: invalid UTF-8 at byte 1`},
		{"overlong UTF-8", "\"\xc0\x80\"", `invalid_unicode: invalid UTF-8 at byte 1`},
		{"too deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), `too_deep: there are more than 64 levels (at ` + strings.Repeat("/0", 64) + `)`},
		{"too deep by far", strings.Repeat(`[`, 1_000_000), `too_deep: there are more than 64 levels (at ` + strings.Repeat("/0", 64) + `)`},
		{"long key", `{"` + strings.Repeat("k", 769) + `":1}`, `key_too_long: a key has 769 bytes, and 768 are allowed`},
		{"long key, unescaped", `{"` + strings.Repeat(`\u00e9`, 385) + `":1}`, `key_too_long: a key has 770 bytes, and 768 are allowed`},
		{"too large", `"` + strings.Repeat("x", 1<<20) + `"`, `too_large: the text has 1048578 bytes, and 1048576 are allowed`},
		{"too large when canonical", `[` + strings.Repeat("1e-6,", 200_000) + `1]`, `too_large: the canonical text has 1800003 bytes, and 1048576 are allowed`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := Parse([]byte(tt.text), Limits{})
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got %v, %v, want %s", v, err, tt.want)
			}
			if v.Exists() {
				t.Errorf("got a value with the error")
			}
		})
	}
}

func TestParseTakesKeysUpToTheLimit(t *testing.T) {
	tests := []struct {
		name, text string
		limits     Limits
	}{
		{"default", `{"` + strings.Repeat("k", 768) + `":1}`, Limits{}},
		{"in bytes of UTF-8", `{"` + strings.Repeat("é", 384) + `":1}`, Limits{}},
		{"unescaped", `{"` + strings.Repeat(`\n`, 768) + `":1}`, Limits{}},
		{"own limits", ` {"kkk":[[]]} `, Limits{Bytes: 14, Depth: 3, KeyBytes: 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.text), tt.limits); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestParseBothWays gives what is canonical to the parser of any text as well, and compares.
func TestParseBothWays(t *testing.T) {
	r := newRandom(t)
	for range rounds(20_000) {
		text := r.value(5).String()
		if _, ok := isCanonical(text, DefaultLimits); !ok {
			t.Fatalf("got %s as not canonical", text)
		}
		v, err := parseAny([]byte(text), DefaultLimits)
		if err != nil || v.String() != text {
			t.Fatalf("got %s, %v, want %s", v, err, text)
		}
	}
}

// TestParseOfDamagedText damages canonical text. Whatever the check for canonical text lets pass, the other parser must
// make the same value of.
func TestParseOfDamagedText(t *testing.T) {
	r := newRandom(t)
	for range rounds(100_000) {
		text := []byte(r.value(3).String())
		for range 1 + r.IntN(2) {
			text[r.IntN(len(text))] = pick(r, []byte("\"\\{}[],:0123456789eE+-.unb/ \n\x00\xff")...)
		}
		depth, ok := isCanonical(string(text), DefaultLimits)
		if !ok {
			continue
		}
		v, err := parseAny(text, DefaultLimits)
		if err != nil || v.String() != string(text) || v.Depth() != depth {
			t.Fatalf("got %s, depth %d, %v, want %s, depth %d", v, v.Depth(), err, text, depth)
		}
	}
}

func TestParseOfManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{`)
	for i := range 70_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"k`)
		b.Write(appendNumber(nil, float64(i^0x5555)))
		b.WriteString(`":0`)
	}
	v, err := Parse([]byte(b.String()+`}`), Limits{})
	if err != nil || v.Len() != 70_000 {
		t.Fatalf("got %d members, %v", v.Len(), err)
	}
	_, err = Parse([]byte(b.String()+`,"k0":1}`), Limits{})
	if want := `duplicate_key: the key "k0" is there twice`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
