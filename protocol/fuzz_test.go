package protocol

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
)

// fuzzLimits are small, so that the fuzzer finds them.
var fuzzLimits = Limits{Bytes: 4096, Operations: 20, Depth: 10, KeyBytes: 40}

func FuzzDecodeClient(f *testing.F) { fuzzDecode(f, "client") }

func FuzzDecodeServer(f *testing.F) { fuzzDecode(f, "server") }

// fuzzDecode holds that no frame makes the decoder panic or allocate much, that errors have a code of their kind, and
// that what was read encodes to something that reads the same.
func fuzzDecode(f *testing.F, from string) {
	for _, source := range messageTexts {
		if source.from == from {
			f.Add([]byte(source.text))
		}
	}
	for _, source := range envelopeFaults {
		if source.from == from {
			f.Add([]byte(source.text))
		}
	}
	for _, source := range contentFaults {
		if from == "client" {
			f.Add([]byte(source.text))
		}
	}
	f.Add([]byte("[\"pong\"]\n[\"pong\"]"))
	f.Add([]byte("[\"ping\"]\n[\"bye\",4000,\"\",0]"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		before := bytes.Clone(frame)
		messages, err := decodeFrom(from, string(frame), fuzzLimits)
		if !bytes.Equal(frame, before) {
			t.Fatal("the frame was written to")
		}
		checkRefusal(t, err)
		for _, m := range messages {
			checkMessage(t, from, m)
		}
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var refusal *Error
	if err != nil && (!errors.As(err, &refusal) || refusal.Code.Class() != GiveUp || refusal.Reason == "") {
		t.Fatalf("got %v, want an *Error that ends the connection", err)
	}
}

func checkMessage(t *testing.T, from string, m Message) {
	t.Helper()
	if fault := faultOf(m); fault != nil {
		if class := fault.Code.Class(); class != ChangeRefused && class != StateOver || fault.Reason == "" {
			t.Fatalf("got the fault %v, want one of a change or a join", fault)
		}
		return
	}
	encoded := Append(nil, m)
	again, err := decodeFrom(from, string(encoded), Limits{Bytes: 8 * fuzzLimits.Bytes, Operations: 20, Depth: 10, KeyBytes: 40})
	if err != nil || len(again) != 1 || faultOf(again[0]) != nil {
		t.Fatalf("%s does not read back: %v", encoded, err)
	}
	if twice := Append(nil, again[0]); !bytes.Equal(encoded, twice) {
		t.Fatalf("encoded as %s\nand again as %s", encoded, twice)
	}
}

func FuzzOps(f *testing.F) {
	for _, text := range []string{
		`[]`, `[["add",["a",0],{"b":1}],["move",["a",0],["c"]]]`, `[["test",[],null],["increment",["a","-"],-1.5e-7]]`,
		`[["copy",["a"],["b"]],["remove",["\ud83d\ude00"]],["replace",["a",2147483647],""]]`, `[["add",["__proto__"],1]]`, `[["add",["\ud800"],1]]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ops, err := DecodeOps(text, fuzzLimits)
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Code.Class() != ChangeRefused {
				t.Fatalf("got %v, want an *Error that refuses a change", err)
			}
			return
		}
		encoded := AppendOps(nil, ops)
		again, err := DecodeOps(encoded, Limits{})
		if err != nil {
			t.Fatalf("%s does not read back: %v", encoded, err)
		}
		if twice := AppendOps(nil, again); !bytes.Equal(encoded, twice) {
			t.Fatalf("encoded as %s\nand again as %s", encoded, twice)
		}
	})
}

// The worst texts that are known: the ratio of what is allocated, garbage included, to what is read.
func TestDecodingAllocatesASmallMultipleOfItsInput(t *testing.T) {
	const size, most = 1 << 19, 32
	for name, text := range map[string]string{
		"operations":     `["patch",1,1,0,[` + repeat(`["remove",[]]`, size) + `]]`,
		"paths":          `["patch",1,1,0,[` + repeat(`["remove",[`+repeat("0", 100)+`]]`, size) + `]]`,
		"names":          `["patch",1,1,0,[` + repeat(`["remove",[`+repeat(`""`, 100)+`]]`, size) + `]]`,
		"values":         `["patch",1,1,0,[` + repeat(`["test",[],1]`, size) + `]]`,
		"members":        `["merge",1,1,0,{"a":[` + repeat("1.0", size) + `]}]`,
		"reads":          `["transaction",1,1,0,{},[` + repeat(`""`, size) + `],0]`,
		"fault at once":  `["patch",1,1,0,[1,` + repeat("1", size) + `]]`,
		"nested":         `["patch",1,1,0,[` + repeat(`["remove",[[[[[[]]]]]]]`, size) + `]]`,
		"unknown tag":    `["` + repeat("x", size) + `"]`,
		"long number":    `["leave",1` + repeat("1", 2)[:1] + `]`,
		"empty messages": repeatLines(`["pong"]`, size),
	} {
		limits := Limits{Operations: size}
		got := allocated(func() { decodeFrom("client", text, limits) })
		if ratio := float64(got) / float64(len(text)+1024); ratio > most {
			t.Errorf("%s: %d bytes allocated for %d, %.1f times as many; at most %d times is allowed", name, got, len(text), ratio, most)
		}
	}
}

// repeat writes text with commas until size is reached.
func repeat(text string, size int) string {
	out := make([]byte, 0, size+len(text))
	for len(out) < size {
		out = append(append(out, text...), ',')
	}
	return string(out[:len(out)-1])
}

func repeatLines(text string, size int) string {
	return string(bytes.ReplaceAll([]byte(repeat(text, size)), []byte("],["), []byte("]\n[")))
}

func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
