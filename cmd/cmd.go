// Package cmd is the command line of groat, and nothing else: it parses,
// wires the rooms together, runs one command and reports once.
package cmd

import (
	"context"
	"errors"
	"io"
	"os"
)

// Streams are the standard streams that a command may use. Out carries only
// data (credentials, lists, JSON); whatever is said to a person goes to Err
// or to the terminal device. credential_process helpers never read In.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// StandardStreams are the process's own.
func StandardStreams() Streams {
	return Streams{In: os.Stdin, Out: standard(1, os.Stdout), Err: standard(2, os.Stderr)}
}

// Main runs the command line args (args[0] is the program's name) with the
// environment environ and returns the exit code. It is the whole program but
// for os.Exit, so that tests run the real thing.
func Main(ctx context.Context, args []string, environ []string, streams Streams) int {
	return newApp(environ, streams).main(ctx, args)
}

func (a *app) main(ctx context.Context, args []string) int {
	harden()
	ctx, heed, stop := withSignals(ctx, a.prompts.release)
	defer stop()
	defer a.close()
	a.prompts.heedSignals = heed
	return a.report(ctx, a.run(ctx, args[1:]))
}

// errDone ends a run that has already answered (--help, --version).
var errDone = errors.New("done")

// runner is what every command of the tree implements.
type runner interface {
	Run(ctx context.Context, a *app) error
}

// tailTaker is a command that takes the words after "--" as somebody else's
// command line.
type tailTaker interface {
	setTail(words []string)
}

// run parses the words of the command line and runs the chosen command.
func (a *app) run(ctx context.Context, words []string) error {
	if command := a.shortcut(words); command != nil {
		return command.Run(ctx, a)
	}
	a.prompts.heedSignals()
	command, err := a.parse(words)
	if err != nil {
		return err
	}
	return command.Run(ctx, a)
}
