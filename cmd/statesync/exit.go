package main

import (
	"errors"
	"fmt"
)

// The exit codes of the program, as its help says them.
const (
	exitOK          = 0
	exitFailed      = 1   // the work was not done: a line refused, a state ended, a file that cannot be read
	exitUsage       = 2   // the command line is wrong
	exitNoServer    = 3   // no connection: nobody answers, or the server refuses this client for good
	exitInterrupted = 130 // ctrl-C, as shells write it
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageErrorf(format string, arguments ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, arguments...)}
}

func noServerErrorf(format string, arguments ...any) error {
	return &exitError{exitNoServer, fmt.Errorf(format, arguments...)}
}

// exitCode is what the process ends with after err.
func exitCode(err error) int {
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	default:
		return exitFailed
	}
}
