package cmd

import (
	"context"
	"fmt"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
)

// mfaCodeCmd prints the current token code of a stored seed.
type mfaCodeCmd struct{ device }

// Run prints a code that AWS has not taken from us yet: each is good for one
// call, so that of a spent one nobody would have any use. It is handed out to
// whom the profile's credentials are, and cannot be narrowed as those can.
func (c *mfaCodeCmd) Run(ctx context.Context, a *app) error {
	serial, v, plan, err := c.find(ctx, a)
	if err != nil {
		return err
	}
	if err := a.consent(ctx, plan); err != nil {
		return err
	}
	if plan.Consent.Rule == profile.AgentReadOnly {
		return fault.New("profile "+quote(a.aws.typedName(plan.Profile))+" is read-only for AI agents (agent = read-only), and a token code cannot be read-only",
			"run it yourself, in a terminal of your own", errDeclined)
	}
	seed, ok, err := vaultSeeds{v}.Seed(ctx, serial)
	if err == nil && !ok {
		err = vault.ErrNotFound
	}
	if err != nil {
		return c.noSeed(v, serial, err)
	}
	used := a.vaults().sessions(v).UsedCodes()
	for {
		code, step, err := provider.TOTP(seed, a.now())
		if err != nil {
			return fault.New("the TOTP seed of "+serial+" is damaged", "store it again: "+c.line("seed --overwrite"), vault.ErrCorrupt)
		}
		fresh, err := used.Use(ctx, serial, code, step)
		if err != nil {
			return err
		}
		if fresh {
			// Only looked at: it is spent when it is sent.
			if err := used.Forget(ctx, serial, code, step); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.streams.Out, code)
			return outputError(err)
		}
		left := provider.UntilNextCode(a.now())
		a.say(fmt.Sprintf("the current code was used already, waiting %d s for the next", int(left.Round(time.Second).Seconds())))
		if err := a.sleep(ctx, left); err != nil {
			return err
		}
	}
}
