package document

import (
	"errors"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

// TestAgreesWithAnotherImplementation applies random patches with github.com/evanphx/json-patch as well. Both must
// refuse the same patches and make the same documents, but for the cases that deviation names.
func TestAgreesWithAnotherImplementation(t *testing.T) {
	r := newRandom(t)
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false
	options.EscapeHTML = false
	accepted, deviations := 0, make(map[string]int)
	patches := rounds(100_000)
	for range patches {
		v := r.object(4)
		patch := r.patch(v)
		for i := range patch {
			if patch[i].Kind == Increment { // not in the RFC
				patch[i] = PatchOp{Kind: Copy, From: r.pointer(v), Path: r.pointer(v)}
			}
		}
		if name := deviation(v, patch); name != "" {
			deviations[name]++
			continue
		}
		want, refused := applyElsewhere(t, v, patch, options)
		ops, err := Resolve(v, patch)
		if (err != nil) != (refused != nil) {
			t.Fatalf("%s on %s: got %v, and the other one says %v", patchText(patch), v, err, refused)
		}
		if err != nil {
			continue
		}
		got, _, err := Apply(v, ops, NoLimits)
		if err != nil || !got.Equal(want) {
			t.Fatalf("%s on %s: got %s, %v, want %s", patchText(patch), v, got, err, want)
		}
		accepted++
	}
	if accepted < patches/4 {
		t.Errorf("got %d accepted of %d patches, want at least a quarter", accepted, patches)
	}
	t.Logf("%d patches accepted by both of %d, left out: %v", accepted, patches, deviations)
}

func applyElsewhere(t *testing.T, v Value, patch []PatchOp, options *jsonpatch.ApplyOptions) (Value, error) {
	t.Helper()
	decoded, err := jsonpatch.DecodePatch([]byte(patchText(patch)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := decoded.ApplyWithOptions([]byte(v.String()), options)
	if err != nil {
		return Value{}, err
	}
	next, err := Parse(text, Limits{Bytes: MaxBytes})
	if err != nil {
		t.Fatalf("parse of %s: %v", text, err)
	}
	return next, nil
}

// patchText writes a patch as JSON Patch.
func patchText(patch []PatchOp) string {
	items := make([]Value, 0, len(patch))
	for _, op := range patch {
		item := MustOf(map[string]any{"op": op.Kind.String(), "path": op.Path})
		if op.Kind.HasFrom() {
			item = item.With("from", MustOf(op.From))
		}
		if op.Kind.HasValue() {
			item = item.With("value", op.Value)
		}
		items = append(items, item)
	}
	return MustOf(items).String()
}

// deviation names the first case in which the other implementation is known to deviate from RFC 6902 or RFC 6901. It
// walks the document as the patch changes it.
func deviation(v Value, patch []PatchOp) string {
	for _, op := range patch {
		if name := opDeviation(v, op); name != "" {
			return name
		}
		ops, err := Resolve(v, []PatchOp{op})
		if err != nil {
			return "" // both must refuse
		}
		v, _, _ = Apply(v, ops, NoLimits)
	}
	return ""
}

func opDeviation(v Value, op PatchOp) string {
	_, err := Resolve(v, []PatchOp{op})
	switch {
	case op.Kind == Test && op.Value.Kind() == Null:
		// RFC 6902 section 4.6: the target must exist, and null equals null. There, a missing member passes and a null
		// that the patch itself wrote fails.
		return "a test for null"
	case op.Kind == Test && op.Value.Kind() >= Array && holdsNull(op.Value):
		return "a test for an array or object with null in it panics"
	case op.Kind == Move && strings.HasPrefix(op.Path, op.From+"/") && errors.Is(err, &Error{Code: CodePatchFailed}):
		// Section 4.4: from must not be a proper prefix of path. There, what follows the element has its index then.
		return "a move into an element's own child"
	}
	return ""
}

func holdsNull(v Value) bool {
	for _, member := range v.Members() {
		if member.Kind() == Null || holdsNull(member) {
			return true
		}
	}
	for _, element := range v.Elements() {
		if element.Kind() == Null || holdsNull(element) {
			return true
		}
	}
	return false
}
