package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// configureCompletion makes the command that the library brings, which prints a script for each shell, one of ours.
func configureCompletion(command *cli.Command) {
	command.Hidden = false
	command.Usage = "print the script that completes commands and flags in bash, zsh, fish or pwsh"
	command.ArgsUsage = "SHELL"
	command.Description = `In .bashrc (bash needs its package bash-completion):

    source <(statesync completion bash)

In .zshrc, after compinit:

    source <(statesync completion zsh)

For fish, once:

    statesync completion fish > ~/.config/fish/completions/statesync.fish`
	command.HideHelpCommand = true
	command.Action = func(_ context.Context, command *cli.Command) error {
		if command.Args().Present() {
			return usageErrorf("completion: there is no script for %q; the shells are bash, zsh, fish and pwsh", command.Args().First())
		}
		return usageErrorf("completion: SHELL is missing; usage: statesync completion SHELL")
	}
	command.OnUsageError = usageError
	for _, shell := range command.Commands {
		shell.Usage = "print the script for " + shell.Name
		shell.OnUsageError = usageError
	}
}
