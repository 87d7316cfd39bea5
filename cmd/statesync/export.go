package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/server-state-sync/server-state-sync/stores/disk"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "print the states of a folder, a line of JSON each",
		ArgsUsage: "[STATE...]",
		Description: `Prints every state that the folder keeps, or those that are named, as a line of canonical JSON:
{"createdAt":TIME,"identifier":NAME,"value":VALUE,"version":N}. A server may be running on the folder: each state is then
printed as it is at some moment. What cannot be read is told on standard error with its name, the others are printed,
and the exit code is 1.

Example: statesync export --data DIR > backup.ndjson`,
		Flags:  []cli.Flag{dataFlag(wantsFolder)},
		Action: export,
	}
}

func export(ctx context.Context, command *cli.Command) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	if folder := command.String("data"); folder != "" {
		switch there, err := disk.Exists(folder); {
		case err != nil:
			return fmt.Errorf("export: %w", err)
		case !there:
			return fmt.Errorf("export: %s is no folder of states", folder)
		}
	}
	states, err := keeperOf(ctx, command)
	if err != nil {
		return err
	}
	defer func() { _ = states.close() }()
	out := bufio.NewWriterSize(command.Root().Writer, 64<<10)
	failed := 0
	err = states.export(ctx, command.Args().Slice(), func(line []byte) error {
		_, err := out.Write(line)
		return err
	}, func(why string) {
		failed++
		fmt.Fprintln(command.Root().ErrWriter, "statesync:", why)
	})
	if err == nil {
		err = out.Flush()
	}
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("export: %w", err)
	case failed > 0:
		return errors.New("export: " + counted(failed, "state was", "states were") + " not printed")
	default:
		return nil
	}
}

// counted is a number with the word for one or for many.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
