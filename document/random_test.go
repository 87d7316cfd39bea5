package document

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// random draws values and patches. Its seed is in the log of a test that fails; STATESYNC_SEED draws the same again.
type random struct{ *rand.Rand }

func newRandom(tb testing.TB) random {
	tb.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("STATESYNC_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Logf("STATESYNC_SEED=%d", seed)
	return random{rand.New(rand.NewPCG(seed, 0))}
}

// rounds returns n, or fewer where a round costs ten times as much: under the race detector, and in a browser's machine.
func rounds(n int) int {
	if raceEnabled || runtime.GOOS == "js" || testing.Short() {
		return n / 10
	}
	return n
}

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

// key draws from few keys, so that operations meet; among them are those that escapes and UTF-16 make hard.
func (r random) key() string {
	return pick(r, "a", "b", "c", "d", "é", "a/b", "m~n", "\n", "\U0001F600", "\uFFEE", "0", "1")
}

func (r random) scalar() Value {
	switch r.IntN(5) {
	case 0:
		return MustOf(pick[any](r, nil, true, false))
	case 1:
		return MustOf(r.IntN(5))
	case 2:
		return MustOf(r.NormFloat64())
	default:
		return MustOf(pick(r, "", "x", "y", "a longer text", "\"\\\u0001", "\U0001F600"))
	}
}

// value draws a value with no more than depth levels.
func (r random) value(depth int) Value {
	switch {
	case depth <= 0 || r.IntN(3) == 0:
		return r.scalar()
	case r.IntN(2) == 0:
		return r.array(depth)
	default:
		return r.object(depth)
	}
}

func (r random) array(depth int) Value {
	items := make([]Value, r.IntN(6))
	if r.IntN(20) == 0 {
		items = make([]Value, 60+r.IntN(90))
		depth = 1
	}
	for i := range items {
		items[i] = r.value(depth - 1)
	}
	return r.form(MustOf(items))
}

func (r random) object(depth int) Value {
	items := make(map[string]Value)
	for range r.IntN(6) {
		items[r.key()] = r.value(depth - 1)
	}
	return r.form(MustOf(items))
}

// form returns the value as text or expanded, which must make no difference.
func (r random) form(v Value) Value {
	if r.IntN(2) == 0 {
		return v
	}
	return v.expanded()
}

// pointer draws a pointer to a place in v that is most often there.
func (r random) pointer(v Value) string {
	var tokens []string
	for len(tokens) == 0 || (v.Kind() >= Array && r.IntN(3) > 0) {
		token := r.token(v)
		tokens = append(tokens, token)
		v = v.At(Pointer(token))
	}
	return Pointer(tokens...)
}

func (r random) token(v Value) string {
	switch {
	case r.IntN(15) == 0:
		return r.key()
	case v.Kind() == Array && r.IntN(10) == 0:
		return "-"
	case v.Kind() == Array:
		return strconv.Itoa(r.IntN(v.Len() + 1))
	case v.Kind() == Object && v.Len() > 0 && r.IntN(4) > 0:
		n, skip := "", r.IntN(v.Len())
		for key := range v.Members() {
			if n = key; skip == 0 {
				break
			}
			skip--
		}
		return n
	}
	return r.key()
}

// patchOp draws an operation of JSON Patch on v.
func (r random) patchOp(v Value) PatchOp {
	op := PatchOp{Kind: OpKind(1 + r.IntN(int(Increment))), Path: r.pointer(v)}
	switch op.Kind {
	case Move, Copy:
		op.From = r.pointer(v)
	case Test:
		op.Value = v.At(op.Path)
		if !op.Value.Exists() || r.IntN(10) == 0 {
			op.Value = r.scalar()
		}
	case Increment:
		op.Value = MustOf(r.IntN(7) - 3)
	case Add, Replace:
		op.Value = r.value(2)
		if r.IntN(20) == 0 {
			op.Path, op.Value = "", r.object(3)
		}
	}
	return op
}

func (r random) patch(v Value) []PatchOp {
	patch := make([]PatchOp, 0, 4)
	for range 1 + r.IntN(4) {
		op := r.patchOp(v)
		ops, err := Resolve(v, []PatchOp{op})
		for tries := 0; err != nil && tries < 4; tries++ { // most operations at random do not fit
			op = r.patchOp(v)
			ops, err = Resolve(v, []PatchOp{op})
		}
		patch = append(patch, op)
		if err == nil {
			v, _, _ = Apply(v, ops, NoLimits)
		}
	}
	return patch
}
