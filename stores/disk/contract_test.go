package disk

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/server-state-sync/server-state-sync/stores"
	"github.com/server-state-sync/server-state-sync/stores/storestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDiskKeepsTheContract(t *testing.T) {
	for _, options := range []Options{
		{},
		{Durability: stores.Written},
		{Durability: stores.Written, SegmentBytes: 1 << 10},
	} {
		storestest.Run(t, func(t *testing.T) func() stores.Store {
			path := t.TempDir()
			return func() stores.Store {
				s, err := Open(path, options)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
		})
	}
}
