package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/server"
	"github.com/server-state-sync/server-state-sync/stores/disk"
)

func dataFlag(usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: "data", TakesFile: true, Sources: cli.EnvVars("STATESYNC_DATA"), Usage: usage}
}

const (
	makesFolder = "the `FOLDER` that keeps the states; it is made where there is none"
	wantsFolder = "the `FOLDER` that keeps the states"
)

// keptOptions are those of a server whose states are in the folder: the rules of every state are the program's own.
func keptOptions(store *disk.Store) server.Options {
	return server.Options{
		Store:        store,
		RestoreState: func(string) (server.StateOptions, error) { return server.StateOptions{}, nil },
	}
}

// keeperOf finds who has the states of the folder that the flag names.
func keeperOf(ctx context.Context, command *cli.Command) (keeper, error) {
	folder := command.String("data")
	if folder == "" {
		return nil, usageErrorf("%s: --data is missing; it names the folder that keeps the states", command.Name)
	}
	store, err := disk.Open(folder, disk.Options{})
	if errors.Is(err, disk.ErrLocked) {
		server, failed := dialControl(ctx, folder)
		if failed != nil {
			return nil, fmt.Errorf("%w; it does not answer for %s either: %w", err, command.Name, failed)
		}
		return server, nil
	}
	if err != nil {
		return nil, err
	}
	options := keptOptions(store)
	options.Logger = slog.New(slog.DiscardHandler) // what is wrong with a state is told once, by the command
	syncer, err := server.New(options)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &ownKeeper{syncer, store}, nil
}

// ownKeeper is this program as the keeper of a folder that nobody else has.
type ownKeeper struct {
	syncer *server.StateSyncer
	store  *disk.Store
}

func (k *ownKeeper) export(ctx context.Context, identifiers []string, visit func(line []byte) error, failed func(why string)) error {
	return exportStates(ctx, k.syncer, identifiers, visit, failed)
}

func (k *ownKeeper) add(_ context.Context, line []byte, replace bool) error {
	return addState(k.syncer, line, replace)
}

func (k *ownKeeper) close() error { return errors.Join(k.syncer.Close(), k.store.Close()) }
