package hub

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores/disk"
)

// ours is a server of this repository with default options.
func ours(listener net.Listener, s Setup) error {
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	options := server.Options{Logger: slog.New(slog.DiscardHandler)}
	if s.Durable != "" {
		store, err := disk.Open(s.Durable, disk.Options{})
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		options.Store = store
	}
	syncer, err := server.New(options)
	if err != nil {
		return err
	}
	if err := createStates(syncer, s); err != nil {
		return err
	}
	if s.Profile != "" {
		file, err := os.Create(s.Profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := syncer.Serve(listener); err != nil {
		return err
	}
	<-ended.Done()
	return syncer.Close()
}

func createStates(syncer *server.StateSyncer, s Setup) error {
	initial := map[string]any{}
	for name, text := range s.properties() {
		initial[name] = text
	}
	for i := range s.States {
		o := server.StateOptions{Identifier: Name(i), InitialValue: initial}
		if s.Intercept {
			o.InterceptStateUpdate = func(context.Context, *server.Update) error { return nil }
		}
		if _, err := syncer.CreateState(o); err != nil {
			return err
		}
	}
	return nil
}
