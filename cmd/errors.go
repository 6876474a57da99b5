package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/fault"
)

// The exit codes, as scripts know them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitConfig      = 3
	exitVault       = 4
	exitNoCode      = 5
	exitRefused     = 6
	exitUnreachable = 7
	exitFound       = 8
	exitInterrupted = 130
)

// exitCodes maps what went wrong to the exit code; the first match wins.
var exitCodes = []struct {
	err  error
	code int
}{
	{errConfigFile, exitConfig},
	{errUsage, exitUsage},
	{provider.ErrBounds, exitUsage},
	{provider.ErrDestination, exitUsage},
	{provider.ErrInterrupted, exitInterrupted},
	{terminal.ErrInterrupted, exitInterrupted},
	{profile.ErrUnknownProfile, exitConfig},
	{profile.ErrCycle, exitConfig},
	{profile.ErrMalformed, exitConfig},
	{profile.ErrUnsupported, exitConfig},
	{profile.ErrUntrusted, exitConfig},
	{profile.ErrConflict, exitConfig},
	{profile.ErrAccess, exitConfig},
	{provider.ErrBadProcess, exitConfig},
	{provider.ErrIdentity, exitConfig},
	{provider.ErrCLILogin, exitConfig},
	{provider.ErrRefused, exitRefused},
	{provider.ErrUnreachable, exitUnreachable},
	{provider.ErrNoCode, exitNoCode},
	{provider.ErrCancelled, exitNoCode},
	{errDeclined, exitNoCode},
	{provider.ErrNoKey, exitVault},
	{provider.ErrKeyReplaced, exitVault},
	{vault.ErrNotFound, exitVault},
	{vault.ErrLocked, exitVault},
	{vault.ErrPassphrase, exitVault},
	{vault.ErrCorrupt, exitVault},
	{vault.ErrUnavailable, exitVault},
	{session.ErrDamaged, exitVault},
}

// errUsage marks a command line that cannot be carried out as it stands.
var errUsage = errors.New("usage")

func usageError(msg, hint string) error { return fault.New(msg, hint, errUsage) }

// outputError wraps a failure to write the answer; nil stays nil.
func outputError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("could not write to stdout: %w", err)
}

// exitStatus is the exit code of a child that has spoken for itself.
type exitStatus int

// Error is never printed.
func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// signalCode is what a shell reports for a process that died of a signal: 130
// for SIGINT, 131 for SIGQUIT, 143 for SIGTERM.
func signalCode(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitInterrupted
}

// exitCode chooses the exit code for an error.
func exitCode(ctx context.Context, err error) int {
	var status exitStatus
	var sig *signalError
	var asked *terminal.SignalError
	var launch *launchError
	switch {
	case err == nil || errors.Is(err, errDone):
		return exitOK
	case errors.As(err, &status):
		return int(status)
	case errors.As(context.Cause(ctx), &sig):
		return 128 + int(sig.number)
	case errors.As(err, &asked):
		return signalCode(asked.Signal)
	case errors.As(err, &launch):
		return launch.Code
	}
	for _, row := range exitCodes {
		if errors.Is(err, row.err) {
			return row.code
		}
	}
	return exitFailure
}

// report prints the error once, with its hint, and returns the exit code.
// Text that came from a file or from AWS is stripped of control characters
// here, at the one door to the terminal. A missing token code is said in a
// single line, because SDKs show only one.
func (a *app) report(ctx context.Context, err error) int {
	code := exitCode(ctx, err)
	var status exitStatus
	if code == exitOK || errors.As(err, &status) {
		return code
	}
	if code > 128 {
		a.say("interrupted")
		return code
	}
	hint := fault.Hint(err)
	switch {
	case hint == "":
		a.say(err.Error())
	case code == exitNoCode:
		a.say(err.Error() + "; " + hint)
	default:
		a.say(err.Error())
		a.say("hint: " + hint)
	}
	if a.paths.homeNote != "" && (code == exitConfig || code == exitVault) {
		a.say("note: " + a.paths.homeNote)
	}
	return code
}
