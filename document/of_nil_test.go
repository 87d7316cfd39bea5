package document

import "testing"

type byValue struct{ n int }

func (v byValue) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

type byPointer struct{ text string }

func (v *byPointer) MarshalJSON() ([]byte, error) { return []byte(v.text), nil }

// wrapped is a pointer for the machine, and no nil pointer.
type wrapped struct{ inner *int }

func (v wrapped) MarshalJSON() ([]byte, error) {
	if v.inner == nil {
		return []byte(`"none"`), nil
	}
	return []byte("0"), nil
}

type set map[string]bool

func (v set) MarshalJSON() ([]byte, error) { return []byte(`[]`), nil }

func TestNilPointerWithMarshalJSONIsNull(t *testing.T) {
	for _, test := range []struct {
		of   any
		want string
	}{
		{(*byValue)(nil), "null"},
		{(*byPointer)(nil), "null"},
		{&byValue{}, "1"},
		{byValue{}, "1"},
		{&byPointer{"2"}, "2"},
		{wrapped{}, `"none"`},
		{set(nil), "[]"},
		{map[string]any{"a": (*byPointer)(nil)}, `{"a":null}`},
	} {
		got, err := Of(test.of)
		if err != nil || got.String() != test.want {
			t.Errorf("%T: got %s, %v; want %s", test.of, got, err, test.want)
		}
	}
}

type broken struct{ n int }

func (v broken) MarshalJSON() ([]byte, error) { panic("broken") }

func TestPanicOfMarshalJSONIsTheCallers(t *testing.T) {
	defer func() {
		if recover() != "broken" {
			t.Error("the panic did not come through")
		}
	}()
	_, _ = Of(broken{})
}
