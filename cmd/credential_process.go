package cmd

import "context"

// credentialProcessCmd answers an AWS SDK: one JSON object on stdout. It
// never reads stdin (SDKs leave it open) and finishes before they kill it.
type credentialProcessCmd struct {
	minting
	Profile string `arg:"" help:"Profile to mint for."`
}

// Run mints and prints.
func (c *credentialProcessCmd) Run(ctx context.Context, a *app) error {
	a.deadline = credentialProcessDeadline
	creds, _, err := a.mint(ctx, c.Profile, c.minting)
	if err != nil {
		return err
	}
	return writeJSON(a.streams.Out, newProcessOutput(creds), false)
}
