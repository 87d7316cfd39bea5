package protocol

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/server-state-sync/server-state-sync/document"
)

// valueVector: parsing text gives canonical, or is refused with code.
type valueVector struct {
	Name      string         `json:"name"`
	Text      string         `json:"text"`
	Limits    map[string]int `json:"limits,omitempty"`
	Canonical string         `json:"canonical,omitempty"`
	Code      string         `json:"code,omitempty"`
}

// valueTexts are the sources of values.json. A name that is empty is the text.
var valueTexts = []struct{ name, text string }{
	{"", `null`}, {"", `true`}, {"", `false`}, {"", `""`}, {"", `[]`}, {"", `{}`},
	{"white space", " \t\r\n{ \"a\" : [ 1 , 2 ] } \n"},
	{"members are sorted by UTF-16 code units", `{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`},
	{"members of nested objects are sorted", `{"b":{"d":1,"c":2},"a":[{"f":3,"e":4}]}`},
	{"keys of which one begins with the other", `{"ab":1,"a":2,"":3,"abc":4}`},
	{"the empty key", `{"":{"":""}}`},
	{"keys that are members of every JavaScript object", `{"constructor":1,"hasOwnProperty":2,"prototype":3,"toString":4,"__proto":5,"_proto__":6,"valueOf":7}`},
	{"keys that look like indexes", `{"10":1,"9":2,"-":3,"01":4}`},
	{"the shortest escapes", `"\u0008\u0009\u000a\u000c\u000d\u0022\u005c\u002f\u0000\u001F\u007f\u0041\u00e9"`},
	{"a surrogate pair in escapes", `"\ud83d\ude00\uD834\uDD1E"`},
	{"emoji with joiners and modifiers", `"👩🏽‍💻 🏳️‍🌈"`},
	{"keys that differ in normalization stay two", `{"\u00e9":1,"e\u0301":2}`},
	{"line separators are not escaped", `"\u2028\u2029"`},
	{"no character but still valid", `"\uffff\ufffe\ufdd0\ufffd"`},
	{"64 levels", strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64)},
	{"64 levels of objects", strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64)},
	{"a key of 768 bytes", `{"` + strings.Repeat("é", 384) + `":1}`},

	{"", `0`}, {"", `-0`}, {"", `-0.0`}, {"", `0e400`}, {"", `1.0`}, {"", `1e0`}, {"", `1E+2`}, {"", `100e-2`}, {"", `0.1`}, {"", `0.30000000000000004`},
	{"", `1e-6`}, {"", `1e-7`}, {"", `0.000001`}, {"", `0.0000001`}, {"", `123456789.125`}, {"", `4.9e-324`}, {"", `2.2250738585072014e-308`},
	{"", `1e-400`}, {"", `-1e-400`}, {"", `2.4703282292062327e-324`}, {"", `2.4703282292062328e-324`},
	{"", `9007199254740991`}, {"", `-9007199254740991`}, {"", `9007199254740991.0`}, {"", `9007199254740991.4`}, {"", `9.007199254740991e15`}, {"", `4503599627370496.5`},
	{"", `1e21`}, {"", `1.5e300`}, {"", `1.7976931348623157e308`}, {"", `-1.7976931348623157e308`}, {"", `1000000000000000000000.0`},
	{"", `333333333.33333329`}, {"", `5e-324`}, {"", `0.1e1`},

	{"", `9007199254740992`}, {"", `-9007199254740992`}, {"", `9007199254740993`}, {"", `9007199254740991.5`}, {"", `9.007199254740992e15`}, {"", `1e16`}, {"", `1e20`}, {"", `123456789012345678901234567890`},
	{"", `1e309`}, {"", `-1e309`}, {"", `1e99999`}, {"", `1.7976931348623159e308`},
	{"a high surrogate alone", `"\ud83d"`}, {"a low surrogate alone", `"\ude00"`}, {"surrogates in the wrong order", `"\ude00\ud83d"`},
	{"a high surrogate before another escape", `"\ud83d\u0041"`}, {"a lone surrogate in a key", `{"\ud83d":1}`},
	{"a duplicate key", `{"a":1,"b":2,"a":3}`}, {"a duplicate key with equal values", `{"a":1,"a":1}`}, {"a duplicate through escapes", `{"a":1,"\u0061":1}`}, {"a duplicate deep inside", `[{"a":{"b":1,"b":2}}]`},
	{"the key __proto__", `{"__proto__":1}`}, {"the key __proto__ with null", `{"__proto__":null}`}, {"the key __proto__ deep inside", `{"a":[{"b":{"__proto__":{}}}]}`}, {"the key __proto__ in escapes", `{"\u005f\u005fproto\u005f\u005f":1}`},
	{"65 levels", strings.Repeat(`[`, 65) + strings.Repeat(`]`, 65)},
	{"65 levels of objects", strings.Repeat(`{"a":`, 65) + `1` + strings.Repeat(`}`, 65)},
	{"a key of 769 bytes", `{"` + strings.Repeat("é", 384) + `x":1}`},
	{"nothing", ``}, {"white space alone", ` `}, {"", `nul`}, {"", `True`}, {"", `NaN`}, {"", `-Infinity`}, {"", `undefined`}, {"", `'a'`}, {"", `01`}, {"", `-`}, {"", `+1`}, {"", `.5`}, {"", `1.`}, {"", `1e`}, {"", `0x10`}, {"", `1n`},
	{"", `[1,]`}, {"", `[,1]`}, {"", `{"a":1,}`}, {"", `{a:1}`}, {"", `{"a"}`}, {"", `[1 2]`}, {"", `1 2`}, {"", `[`}, {"", `}`}, {"", `"a`}, {"", `"\x41"`}, {"", `"\u12"`}, {"a newline in a string", "\"a\nb\""}, {"a comment", `[1/*2*/]`}, {"a byte order mark", "\uFEFF1"},
}

func TestValuesAsGolden(t *testing.T) {
	names := map[string]bool{}
	var vectors []valueVector
	for _, source := range valueTexts {
		if source.name == "" {
			source.name = source.text
		}
		unique(t, names, source.name)
		vectors = append(vectors, parsed(source.name, source.text, document.Limits{}, nil))
	}
	for _, limited := range []struct {
		name, text string
		limit      string
		limits     document.Limits
	}{
		{"a text as long as allowed", `[1,2]`, "bytes", document.Limits{Bytes: 5}},
		{"a text that is too long", `[1, 2]`, "bytes", document.Limits{Bytes: 5}},
		{"a text that is too long in canonical form", `1e15`, "bytes", document.Limits{Bytes: 5}},
		{"as deep as allowed", `[[1]]`, "depth", document.Limits{Depth: 2}},
		{"too deep", `[[[]]]`, "depth", document.Limits{Depth: 2}},
	} {
		unique(t, names, limited.name)
		limit := max(limited.limits.Bytes, limited.limits.Depth)
		vectors = append(vectors, parsed(limited.name, limited.text, limited.limits, map[string]int{limited.limit: limit}))
	}
	golden(t, "values.json", vectors)
}

func parsed(name, text string, limits document.Limits, described map[string]int) valueVector {
	v := valueVector{Name: name, Text: text, Limits: described}
	value, err := document.Parse([]byte(text), limits)
	v.Canonical, v.Code = value.String(), string(document.CodeOf(err))
	return v
}

// resolveVector: the JSON Patch on base has the paths of ops.
type resolveVector struct {
	Name  string          `json:"name"`
	Base  json.RawMessage `json:"base"`
	Patch json.RawMessage `json:"patch"`
	Ops   json.RawMessage `json:"ops,omitempty"`
	Code  string          `json:"code,omitempty"`
}

const resolveBase = `{"":{"":[7]},"l":[1,[2,3],{"n":4}],"m/n":{"o~p":5},"o":{"0":6,"-":8}}`

// patchTexts are the sources of resolve.json.
var patchTexts = []struct{ name, patch string }{
	{"an index and a name", `[{"op":"replace","path":"/l/0","value":2},{"op":"add","path":"/o/0","value":9}]`},
	{"an end stays a name without an index", `[{"op":"add","path":"/l/-","value":5},{"op":"add","path":"/x","value":6}]`},
	{"an end becomes an index beside an index", `[{"op":"add","path":"/l/-","value":5},{"op":"remove","path":"/l/0"},{"op":"add","path":"/l/-","value":6}]`},
	{"the name - of an object", `[{"op":"increment","path":"/o/-","value":1}]`},
	{"escapes and empty names", `[{"op":"test","path":"/m~1n/o~0p","value":5},{"op":"test","path":"//","value":[7]},{"op":"test","path":"///0","value":7}]`},
	{"the paths are those of the value as it goes", `[{"op":"replace","path":"/o","value":[1]},{"op":"add","path":"/o/0","value":0},{"op":"replace","path":"/l","value":{}},{"op":"add","path":"/l/0","value":1}]`},
	{"a move counts its target after the removal", `[{"op":"move","from":"/l/0","path":"/l/2"}]`},
	{"a copy to an end", `[{"op":"copy","from":"/o/0","path":"/l/1/-"}]`},
	{"unknown members are ignored", `[{"op":"remove","path":"/o","value":1,"comment":"x"}]`},
	{"no operations", `[]`},
	{"the root", `[{"op":"test","path":"","value":1}]`},
	{"no pointer", `[{"op":"remove","path":"l"}]`},
	{"a pointer with a wrong escape", `[{"op":"remove","path":"/l~2"}]`},
	{"an index with a zero before it", `[{"op":"remove","path":"/l/01"}]`},
	{"an index below 0", `[{"op":"remove","path":"/l/-1"}]`},
	{"an index behind the end", `[{"op":"add","path":"/l/4","value":1}]`},
	{"a member that is not there", `[{"op":"remove","path":"/x"}]`},
	{"into a number", `[{"op":"add","path":"/l/0/x","value":1}]`},
	{"no value", `[{"op":"add","path":"/x"}]`},
	{"no from", `[{"op":"move","path":"/x"}]`},
	{"no operation of JSON Patch", `[{"op":"set","path":"/x","value":1}]`},
	{"an increment by a string", `[{"op":"increment","path":"/l/0","value":"1"}]`},
	{"no array", `{"op":"remove","path":"/x"}`},
	{"a move into itself", `[{"op":"move","from":"/o","path":"/o/x"}]`},
	{"a move into itself by index", `[{"op":"move","from":"/l/1","path":"/l/1/0"}]`},
}

func TestResolveAsGolden(t *testing.T) {
	base := mustParse(t, resolveBase)
	names := map[string]bool{}
	var vectors []resolveVector
	for _, source := range patchTexts {
		unique(t, names, source.name)
		v := resolveVector{Name: source.name, Base: raw(base), Patch: json.RawMessage(source.patch)}
		patch, err := document.ParsePatch([]byte(source.patch), document.Limits{})
		if err == nil {
			var ops []document.Op
			if ops, err = document.Resolve(base, patch); err == nil {
				v.Ops = AppendOps(nil, ops)
			}
		}
		v.Code = string(document.CodeOf(err))
		vectors = append(vectors, v)
	}
	golden(t, "resolve.json", vectors)
}

// applyVector: applying ops to base gives result and entry, or is refused with code.
type applyVector struct {
	Name   string          `json:"name"`
	Base   json.RawMessage `json:"base"`
	Ops    json.RawMessage `json:"ops"`
	Limits map[string]int  `json:"limits,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Entry  json.RawMessage `json:"entry,omitempty"`
	Code   string          `json:"code,omitempty"`
}

func TestApplyAsGolden(t *testing.T) {
	names := map[string]bool{}
	var vectors []applyVector
	for _, source := range applySources {
		unique(t, names, source.name)
		vectors = append(vectors, applied(t, source.name, source.base, source.ops, document.NoLimits, nil))
	}
	for _, limited := range []struct {
		name, base, ops, limit string
		limits                 document.StateLimits
	}{
		{"a state as large as allowed", `{"a":1}`, `[["add",["a"],22]]`, "bytes", document.StateLimits{Bytes: 8}},
		{"a state that is too large", `{"a":1}`, `[["add",["a"],222]]`, "bytes", document.StateLimits{Bytes: 8}},
		{"too large on the way", `{"a":1}`, `[["add",["a"],222],["add",["a"],1]]`, "bytes", document.StateLimits{Bytes: 8}},
		{"too large by copies", `{"a":[1]}`, `[["copy",["a"],["b"]],["copy",["b"],["a","-"]]]`, "bytes", document.StateLimits{Bytes: 20}},
		{"too deep", `{"a":[1]}`, `[["copy",["a"],["a","-"]]]`, "depth", document.StateLimits{Depth: 2}},
		{"a key that is too long", `{}`, `[["add",["abc"],1]]`, "keyBytes", document.StateLimits{KeyBytes: 2}},
	} {
		unique(t, names, limited.name)
		l := limited.limits
		described := map[string]int{limited.limit: max(l.Bytes, l.Depth, l.KeyBytes)}
		vectors = append(vectors, applied(t, limited.name, limited.base, limited.ops, l, described))
	}
	golden(t, "apply.json", vectors)
}

func applied(t *testing.T, name, base, text string, limits document.StateLimits, described map[string]int) applyVector {
	t.Helper()
	value, ops := mustParse(t, base), mustOps(t, text)
	v := applyVector{Name: name, Base: raw(value), Ops: AppendOps(nil, ops), Limits: described}
	next, entry, err := document.Apply(value, ops, limits)
	if err != nil {
		v.Code = string(document.CodeOf(err))
		return v
	}
	v.Result, v.Entry = raw(next), AppendOps(nil, entry)
	if again, _, err := document.Apply(value, entry, document.NoLimits); err != nil || !again.Equal(next) {
		t.Errorf("%s: the entry makes %v, and %v", name, again, err)
	}
	return v
}

// carryVector: carrying change over entry gives carried, and the entry over the change entryAfter; or it is refused with
// code. Values are null, because positions do not depend on them.
type carryVector struct {
	Change     json.RawMessage `json:"change"`
	Entry      json.RawMessage `json:"entry"`
	Carried    json.RawMessage `json:"carried,omitempty"`
	EntryAfter json.RawMessage `json:"entryAfter,omitempty"`
	Code       string          `json:"code,omitempty"`
}

func TestCarryAsGolden(t *testing.T) {
	names := map[string]bool{}
	var vectors []carryVector
	for _, source := range carrySources {
		unique(t, names, source.change+" over "+source.entry)
		change, entry := positions(t, source.change), positions(t, source.entry)
		v := carryVector{Change: AppendOps(nil, change), Entry: AppendOps(nil, entry)}
		carried, after, err := document.Carry(change, entry)
		if err != nil {
			v.Code = string(document.CodeOf(err))
		} else {
			v.Carried, v.EntryAfter = AppendOps(nil, carried), AppendOps(nil, after)
		}
		vectors = append(vectors, v)
	}
	golden(t, "carry.json", vectors)
}

// positions reads operations such as "move /l/1 /m/0; add /a/-": digits are indexes, everything else is a name.
func positions(t *testing.T, text string) []document.Op {
	t.Helper()
	var ops []document.Op
	for part := range strings.SplitSeq(text, "; ") {
		words := strings.Fields(part)
		kind, ok := document.ParseOpKind(words[0])
		if !ok || (len(words) != 2) != kind.HasFrom() {
			t.Fatalf("%q is no operation", part)
		}
		op := document.Op{Kind: kind, Path: path(words[len(words)-1])}
		if kind.HasFrom() {
			op.From = path(words[1])
		}
		ops = append(ops, op)
	}
	return ops
}

func path(pointer string) document.Path {
	p := document.Path{}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch {
		case token == "":
		case strings.Trim(token, "0123456789") == "":
			index, _ := parseInteger([]byte(token))
			p = append(p, document.Elem(int(index)))
		default:
			p = append(p, document.Key(token))
		}
	}
	return p
}

func raw(v document.Value) json.RawMessage { return json.RawMessage(v.String()) }

func mustParse(t *testing.T, text string) document.Value {
	t.Helper()
	v, err := document.Parse([]byte(text), document.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func mustOps(t *testing.T, text string) []document.Op {
	t.Helper()
	ops, err := DecodeOps([]byte(text), Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return ops
}
