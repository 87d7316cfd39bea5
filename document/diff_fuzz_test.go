package document

import "testing"

// FuzzDiff compares any two documents. The difference is an entry that makes the one of the other, and a merge of the
// second into the first sets what the second has and nothing else.
func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"a":[1,2,3],"b":{"c":null}}`), []byte(`{"a":[1,3,4],"b":{"d":""}}`))
	f.Add([]byte(`{"l":["x","x","x"]}`), []byte(`{"l":["x"],"m":["x","x"]}`))
	f.Add([]byte(`{}`), []byte(`{"a":{"a":{"a":[]}}}`))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		limits := Limits{Bytes: 1 << 12, Depth: 20}
		old, err := Parse(before, limits)
		if err != nil || old.Kind() != Object {
			return
		}
		new, err := Parse(after, limits)
		if err != nil || new.Kind() != Object {
			return
		}
		entry := Diff(nil, old, new)
		if old.Equal(new) != (len(entry) == 0) {
			t.Fatalf("%s to %s: got %s", old, new, show(entry))
		}
		next, _, err := Apply(old, entry, NoLimits)
		if err != nil || !next.Equal(new) {
			t.Fatalf("%s to %s: got %s, %v", old, new, next, err)
		}
		checkEntry(t, old, next, entry)
		merged, _, err := Apply(old, Merge(old, new), NoLimits)
		if err != nil {
			t.Fatalf("%s merged into %s: %v", new, old, err)
		}
		for key, value := range merged.Members() {
			want := new.Get(key)
			if !want.Exists() {
				want = old.Get(key)
			}
			if !value.Equal(want) {
				t.Fatalf("%s merged into %s is %s", new, old, merged)
			}
		}
		for key := range new.Members() {
			if !merged.Get(key).Exists() {
				t.Fatalf("%s merged into %s is %s", new, old, merged)
			}
		}
	})
}
