package disk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/server-state-sync/server-state-sync/stores"
)

// BenchmarkAcknowledged has writers that append a record of 200 bytes to a state and wait until it is kept.
func BenchmarkAcknowledged(b *testing.B) {
	for _, durability := range []stores.Durability{stores.Synced, stores.Written, stores.Memory} {
		for _, writers := range []int{1, 64, 512} {
			for _, states := range []int{1, 10_000} {
				b.Run(fmt.Sprintf("%s/%d writers/%d states", durability, writers, states), func(b *testing.B) {
					benchmarkAcknowledged(b, durability, writers, states)
				})
			}
		}
	}
}

// benchState is a state whose writers wait for their versions in turn.
type benchState struct {
	mu      sync.Mutex
	log     stores.Log
	version uint64
	waiting chan chan struct{} // in the order of versions
	kept    uint64
}

func (s *benchState) committed(version uint64, _ error) {
	for ; s.kept < version; s.kept++ {
		close(<-s.waiting)
	}
}

func (s *benchState) append(b *testing.B, record []byte) {
	done := make(chan struct{})
	s.mu.Lock()
	s.waiting <- done
	committed, err := s.log.Append(s.version+1, record)
	s.version++
	if committed {
		s.committed(s.version, nil)
	}
	s.mu.Unlock()
	if err != nil {
		b.Error(err)
		return
	}
	<-done
}

func benchmarkAcknowledged(b *testing.B, durability stores.Durability, writers, states int) {
	store := stores.NewMemory()
	if durability != stores.Memory {
		s, err := Open(b.TempDir(), Options{Durability: durability})
		if err != nil {
			b.Fatal(err)
		}
		store = s
	}
	list := make([]*benchState, states)
	var creating sync.WaitGroup
	for from := range min(states, 100) {
		creating.Go(func() {
			for i := from; i < states; i += 100 {
				s := &benchState{waiting: make(chan chan struct{}, writers)}
				l, err := store.Create(fmt.Sprint("state ", i), nil, 0, []byte("{}"), s.committed)
				if err != nil {
					b.Error(err)
				}
				s.log, list[i] = l, s
			}
		})
	}
	creating.Wait()
	record := make([]byte, 200)
	delays := make([][]time.Duration, writers)
	b.ResetTimer()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for i := w; i < b.N; i += writers {
				start := time.Now()
				list[random.IntN(states)].append(b, record)
				delays[w] = append(delays[w], time.Since(start))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	sorted := slices.Concat(delays...)
	slices.Sort(sorted)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acked/s")
	b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds())/1000, "p99-ms")
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}
