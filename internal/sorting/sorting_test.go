package sorting

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

type item struct{ key, place int }

// Stable sorting has one result, so that of package slices is the one to have.
func TestItemsAreSortedAsPackageSlicesSortsThem(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	byKey := func(a, b item) int { return cmp.Compare(a.key, b.key) }
	for range 3000 {
		items := make([]item, random.IntN(200))
		keys := 1 + random.IntN(300)
		for i := range items {
			items[i] = item{random.IntN(keys), i}
		}
		if random.IntN(4) == 0 {
			slices.SortFunc(items, byKey)
		}
		want := slices.Clone(items)
		slices.SortStableFunc(want, byKey)
		if Func(items, byKey); !slices.Equal(items, want) {
			t.Fatalf("seed %d: got %v, want %v", seed, items, want)
		}
	}
}

func BenchmarkFunc(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	mixed := make([]int, 1000)
	for i := range mixed {
		mixed[i] = random.IntN(1000)
	}
	for _, row := range []struct {
		name string
		sort func(items []int, compare func(a, b int) int)
	}{{"sorting", Func[int]}, {"slices", slices.SortFunc[[]int]}} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				row.sort(slices.Clone(mixed), cmp.Compare[int])
			}
		})
	}
}
