package cmd

import (
	"context"
	"fmt"

	"groat/cmd/child"
	"groat/provider"
)

// whoamiCmd asks AWS whom it takes the minted credentials for.
type whoamiCmd struct {
	minting
	Profile string `arg:"" optional:"" help:"Profile to mint for (default AWS_PROFILE)."`
}

// Run mints as the other commands do and calls sts:GetCallerIdentity.
func (c *whoamiCmd) Run(ctx context.Context, a *app) error {
	name, err := a.profileToMint(ctx, c.Profile)
	if err != nil {
		return err
	}
	creds, plan, err := a.mint(ctx, name, c.minting)
	if err != nil {
		return err
	}
	o, err := a.callOptionsOf(plan)
	if err != nil {
		return err
	}
	id, err := provider.CallerIdentity(ctx, o, creds)
	if err != nil {
		return err
	}
	return a.printLines([]string{
		"arn      " + id.ARN,
		"account  " + id.Account,
		"user id  " + id.UserID,
		"key id   " + creds.AccessKeyID,
		fmt.Sprintf("expires  %s", orNever(child.FormatExpiration(creds.Expiration))),
	})
}

func orNever(expiration string) string {
	if expiration == "" {
		return "never"
	}
	return expiration
}
