// The program statesync serves states, and reads, watches and changes them from a terminal or a script.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"
)

func main() {
	os.Exit(run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run is the program with its surroundings given: it returns the exit code.
func run(ctx context.Context, arguments []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := program(stdin, stdout, stderr).Run(ctx, arguments)
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(stderr, "statesync: %s\n", text)
	}
	if exitCode(err) == exitUsage {
		fmt.Fprintln(stderr, "statesync: see 'statesync --help', or --help after a command")
	}
	return exitCode(err)
}

const description = `A state is a JSON object that a server keeps under an identifier. Any number of clients watch it and change it at
the same time; every change is put in order, and everybody ends with the same state.

Exit codes: 0 all was done; 1 it was not (a change was refused, a value is not there, the state ended, a file cannot
be read); 2 the command line is wrong; 3 no connection (nobody answers, or the server refuses this client); 130
interrupted.`

func program(stdin io.Reader, stdout, stderr io.Writer) *cli.Command {
	root := &cli.Command{
		Name:        "statesync",
		Usage:       "keep JSON states in step between clients",
		Description: description,
		Commands: []*cli.Command{
			serveCommand(), watchCommand(), getCommand(), appendCommand(), updateCommand(), patchCommand(), exportCommand(), importCommand(), versionCommand(),
		},
		HideHelpCommand: true,
		Suggest:         true,

		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: configureCompletion,

		Reader:         stdin,
		Writer:         stdout,
		ErrWriter:      stderr,
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, command *cli.Command) error {
			if command.Args().Present() {
				return usageErrorf("there is no command %q; the commands are serve, watch, get, append, update, patch, export, import, version and completion",
					command.Args().First())
			}
			return cli.ShowRootCommandHelp(command)
		},
	}
	for _, command := range append(root.Commands, root) {
		command.OnUsageError = usageError
	}
	return root
}

func usageError(_ context.Context, command *cli.Command, err error, _ bool) error {
	var exit *exitError
	if errors.As(err, &exit) {
		return err
	}
	return usageErrorf("%s: %w", command.Name, err)
}

// take returns the positional arguments when they are as many as named and none is empty. Names in brackets come last;
// their arguments may be left out and may be empty.
func take(command *cli.Command, names ...string) ([]string, error) {
	given := command.Args().Slice()
	if len(given) < len(names) && !strings.HasPrefix(names[len(given)], "[") {
		return nil, usageErrorf("%s: %s is missing; usage: statesync %s %s", command.Name, names[len(given)], command.Name, command.ArgsUsage)
	}
	if len(given) > len(names) {
		return nil, usageErrorf("%s: %q is one argument too many; usage: statesync %s %s (flags go before the arguments)",
			command.Name, given[len(names)], command.Name, command.ArgsUsage)
	}
	for i, argument := range given {
		if argument == "" && !strings.HasPrefix(names[i], "[") {
			return nil, usageErrorf("%s: %s is empty; usage: statesync %s %s", command.Name, names[i], command.Name, command.ArgsUsage)
		}
	}
	return given, nil
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version of this program",
		Action: func(_ context.Context, command *cli.Command) error {
			if _, err := take(command); err != nil {
				return err
			}
			_, err := fmt.Fprintln(command.Root().Writer, versionText())
			return err
		},
	}
}

// version is the release that this source becomes; package.json and CHANGELOG.md say the same.
const version = "2.0.0"

// versionText names the release and, where the build knows it, the commit.
func versionText() string {
	words := []string{"statesync", version}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
				words = append(words, "("+setting.Value[:12]+")")
			}
		}
		words = append(words, build.GoVersion)
	}
	return strings.Join(words, " ")
}
