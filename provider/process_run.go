package provider

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"groat/vault/fault"
	"groat/vault/files"
)

// A foreign process's standard output is read up to this many bytes; what
// botocore and the Go SDK need is a fraction of it.
const maxProcessOutput = 64 << 10

// waitDelay is how long a killed process's descendants may keep its pipes open.
const waitDelay = 2 * time.Second

// signalGrace is how long a signal that killed a child may take to be known
// of here.
const signalGrace = 250 * time.Millisecond

// runLine runs a command line of the configuration with the system's shell
// (sh -c, cmd /C on Windows) and returns its standard output. Standard input
// is empty: it belongs to whoever runs groat.
//
// walked are the profiles that led to the line; the last one has it.
func (m *Minter) runLine(ctx context.Context, what string, walked []string, line string, timeout time.Duration) ([]byte, error) {
	running := newRunningLine(walked, line)
	profileName := running.owner()
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := Shell(bounded, line)
	cmd.Env = m.childEnviron(running)
	cmd.WaitDelay = waitDelay
	out := &files.Bounded{Max: maxProcessOutput}
	cmd.Stdout, cmd.Stderr = out, m.Stderr
	start := m.Run
	if start == nil {
		start = (*exec.Cmd).Run
	}
	m.debugf("running the %s of profile %q", what, profileName)
	err := start(cmd)
	if errors.Is(err, exec.ErrWaitDelay) && bounded.Err() == nil {
		err = nil // it is done; an agent that it started holds its stdout
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == -1 || exit.ExitCode() > 128) {
		// Ctrl-C reaches the whole job, and the child may be gone before our
		// own signal is heeded: that is no failure of the process.
		select {
		case <-ctx.Done():
		case <-time.After(signalGrace):
		}
	}
	fail := func(why string) ([]byte, error) {
		return nil, badProcess(what, profileName, why)
	}
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return nil, fmt.Errorf("%s of profile %q: %w", what, profileName, ErrInterrupted)
	case bounded.Err() != nil:
		return fail(fmt.Sprintf("it took longer than %s", ShortDuration(timeout)))
	case out.More:
		return fail(fmt.Sprintf("it printed more than %d KiB", maxProcessOutput>>10))
	case errors.As(err, &exit):
		return fail(exit.String())
	case err != nil:
		return fail(innermost(err).Error())
	}
	return out.Bytes(), nil
}

// mfaProcessTimeout leaves a caller that is killed after 60 s the time for
// its call.
const mfaProcessTimeout = 45 * time.Second

// runMFAProcess runs the profile's mfa_process and takes the code from its
// output. A process that fails is ErrNoCode.
func (m *Minter) runMFAProcess(ctx context.Context, req CodeRequest) (string, error) {
	out, err := m.runLine(ctx, "mfa_process", []string{req.Profile}, req.MFAProcess, mfaProcessTimeout)
	if errors.Is(err, ErrBadProcess) {
		err = fault.New(err.Error(), fault.Hint(err), errUselessCode)
	}
	return strings.TrimSpace(string(out)), err
}

// badProcess says how a process of the configuration failed. Neither its
// command line nor its output is repeated: both may hold secrets.
func badProcess(what, profile, why string) error {
	return fault.New(fmt.Sprintf("%s of profile %q failed: %s", what, profile, why),
		fmt.Sprintf("run the %s line of profile %q by hand to see what it says", what, profile), ErrBadProcess)
}
