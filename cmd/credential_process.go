package cmd

import (
	"context"
	"errors"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/vault"
)

// credentialProcessCmd answers an AWS SDK: one JSON object on stdout. It
// never reads stdin (SDKs leave it open) and finishes before they kill it.
type credentialProcessCmd struct {
	minting
	Profile string `arg:"" help:"Profile to mint for."`
}

// Run mints and prints.
func (c *credentialProcessCmd) Run(ctx context.Context, a *app) error {
	a.prompts.deadline = credentialProcessDeadline
	ctx, cancel := context.WithDeadlineCause(ctx, a.prompts.started.Add(credentialProcessEnd), terminal.ErrTimeout)
	defer cancel()
	creds, _, err := a.mint(ctx, c.Profile, c.minting)
	if ctx.Err() != nil && tookTooLong(err) {
		return a.prompts.needsPerson(err.Error(), c.Profile)
	}
	if err != nil {
		return err
	}
	return writeJSON(a.streams.Out, newProcessOutput(creds), false)
}

// tookTooLong reports a wait that the deadline ended and that has no exit
// code of its own: for another process that asks, or for a slow vault.
func tookTooLong(err error) bool {
	for _, e := range []error{provider.ErrNoCode, provider.ErrUnreachable, vault.ErrLocked} {
		if errors.Is(err, e) {
			return false
		}
	}
	return errors.Is(err, terminal.ErrTimeout) || errors.Is(err, context.DeadlineExceeded)
}
