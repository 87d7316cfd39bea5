package document

import "testing"

type byValue struct{}

func (byValue) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

type byPointer struct{ text string }

func (v *byPointer) MarshalJSON() ([]byte, error) { return []byte(v.text), nil }

func TestAPanicOfMarshalJSONIsAnError(t *testing.T) {
	for _, test := range []struct {
		of   any
		want string
	}{
		{&byValue{}, "1"},
		{byValue{}, "1"},
		{&byPointer{"2"}, "2"},
		{(*byValue)(nil), ""},
		{(*byPointer)(nil), ""},
		{map[string]any{"a": (*byPointer)(nil)}, ""},
	} {
		got, err := Of(test.of)
		if test.want != "" && (err != nil || got.String() != test.want) {
			t.Errorf("%T: got %s, %v; want %s", test.of, got, err, test.want)
		}
		if test.want == "" && CodeOf(err) != CodeInvalidJSON {
			t.Errorf("%T: got %s, %v; want an error", test.of, got, err)
		}
	}
}
