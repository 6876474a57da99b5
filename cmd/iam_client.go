package cmd

import (
	"context"

	"groat/provider"
	"groat/provider/iam"
	"groat/session"
)

// iamClient mints for a profile and returns a client of IAM that signs with
// the result. IAM takes no session that was begun without a token code: where
// there is no device, the bare key signs.
func (a *app) iamClient(ctx context.Context, name string, m minting) (iam.Client, error) {
	plan, err := a.plan(ctx, name, m)
	if err != nil {
		return iam.Client{}, err
	}
	if len(plan.Steps) == 1 && plan.Steps[0].Operation == provider.OpGetSessionToken && plan.Steps[0].MFASerial == "" {
		return a.keyClient(ctx, plan)
	}
	creds, minted, err := a.mint(ctx, name, m)
	if err != nil {
		return iam.Client{}, err
	}
	o, err := a.callOptionsOf(minted)
	return iam.Client{Options: o, Credentials: creds}, err
}

// keyClient signs with a plan's long-lived key itself.
func (a *app) keyClient(ctx context.Context, plan *planned) (iam.Client, error) {
	if err := a.consent(ctx, plan); err != nil {
		return iam.Client{}, err
	}
	key, err := a.vaults().Key(ctx, plan.Source.Profile)
	if err != nil {
		return iam.Client{}, err
	}
	o, err := a.callOptionsOf(plan)
	return iam.Client{Options: o, Credentials: session.OfKey(key)}, err
}
